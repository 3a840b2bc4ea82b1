/** A decoded picture ready to be drawn: RGBA, 8 bits, row by row. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8Array;
}
