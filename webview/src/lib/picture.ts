import type { FractionBox } from '../../../protocol/attribution';
import { colorTable, type ColorMap, type ValueRange } from '../../../protocol/colorMaps';
import { DisposableStore, Emitter, type Disposable } from '../../../protocol/lifecycle';
import type { PictureResult } from '../../../protocol/methods';
import { context2d, element, fitCanvas, oncePerFrame, pixelCanvas } from './dom';
import { fitInto, shownToFed, type MapSize, type Outline, type Point, type Size } from './geometry';
import type { Rectangle } from './gridLayout';
import { resampleBilinear, valuePixels } from './heat';
import { drawCells, drawMarks, drawOutlines, type Marks } from './pictureMarks';
import { listenToPointer } from './pointing';
import { onThemeChange, readTheme } from './theme';

/** A map to be laid over the picture: [rows, columns] over all that is fed. */
export interface Overlay {
  readonly values: Float32Array;
  readonly rows: number;
  readonly columns: number;
  readonly range: ValueRange;
  readonly colorMap: ColorMap;
  /** False shows the cells as they are; else they are upsampled bilinearly. */
  readonly smooth?: boolean;
}

/** Longer side of the overlay's own pixels; it is scaled to the picture by the browser. */
const OVERLAY_PIXELS = 224;

/** The input picture with three layers: picture, heat, marks. Only the layer that changed is painted again. */
export class InputPicture implements Disposable {
  readonly root: HTMLElement;
  private readonly base = element('canvas', { class: 'layer', attributes: { role: 'img' } });
  private readonly heat = element('canvas', {
    class: 'layer',
    attributes: { 'aria-hidden': 'true' },
  });
  private readonly top = element('canvas', {
    class: 'layer',
    attributes: { 'aria-hidden': 'true' },
  });
  private readonly store = new DisposableStore();
  private bitmap: ImageBitmap | null = null;
  private fed: Size = { width: 1, height: 1 };
  private overlay: Overlay | null = null;
  private marks: Marks | null = null;
  private outlines: readonly Outline[] = [];
  private cells: MapSize | null = null;
  private regions = false;
  private readonly hovered = this.store.add(new Emitter<Point | null>());
  private readonly picked = this.store.add(new Emitter<Point>());
  private readonly dragged = this.store.add(
    new Emitter<{ readonly box: FractionBox; readonly done: boolean }>(),
  );
  /** The fed pixel under the pointer, null when it left. */
  readonly onHover = this.hovered.event;
  /** A place that was clicked, in fractions 0…1 of the shown picture. */
  readonly onPick = this.picked.event;
  /** A region that is being dragged, and at last the one that was. */
  readonly onRegion = this.dragged.event;
  private readonly paintMarksSoon = oncePerFrame(() => this.paintMarks());

  constructor() {
    this.root = element('div', { class: 'picture' }, this.base, this.heat, this.top);
    const resize = new ResizeObserver(() => this.paint());
    resize.observe(this.root);
    this.store.add({ dispose: () => resize.disconnect() });
    this.store.add(onThemeChange(() => this.paintMarksSoon()));
    listenToPointer(
      this.root,
      () => (this.bitmap ? this.base.getBoundingClientRect() : null),
      () => this.regions,
      {
        onHover: at => this.hovered.fire(at && shownToFed(this.fed, at)),
        onPick: at => this.picked.fire(at),
        onRegion: (box, done) => this.dragged.fire({ box, done }),
      },
    );
  }

  /** How many pixels are fed; fractions where there is no picture. */
  get fedSize(): Size {
    return this.fed;
  }

  get isEmpty(): boolean {
    return this.bitmap === null;
  }

  /** Decodes and shows a picture; the one before stays until then. */
  async setPicture(picture: PictureResult, label: string): Promise<void> {
    const bitmap = await createImageBitmap(
      new Blob([new Uint8Array(picture.png)], { type: 'image/png' }),
    );
    this.bitmap?.close();
    this.bitmap = bitmap;
    this.fed = picture.geometry?.fed ?? picture;
    this.base.setAttribute('aria-label', label);
    this.paint();
  }

  /** One sentence that stands for the picture where it cannot be seen. */
  setLabel(label: string): void {
    this.base.setAttribute('aria-label', label);
  }

  clear(): void {
    this.bitmap?.close();
    this.bitmap = null;
    this.fed = { width: 1, height: 1 };
    this.overlay = null;
    this.marks = null;
    this.paint();
  }

  setOverlay(overlay: Overlay | null): void {
    this.overlay = overlay;
    this.paintHeat();
  }

  /** 0…1; changes no pixel, only how the layers are put together. */
  setOpacity(opacity: number): void {
    this.heat.style.opacity = String(opacity);
  }

  setMarks(marks: Marks | null): void {
    this.marks = marks;
    this.paintMarksSoon();
  }

  /** Boxes on the picture. */
  setOutlines(outlines: readonly Outline[]): void {
    this.outlines = outlines;
    this.paintMarksSoon();
  }

  /** The grid of a map, outlined; null for none. */
  setCells(cells: MapSize | null): void {
    this.cells = cells;
    this.paintMarksSoon();
  }

  /** Whether a region can be dragged. */
  setRegions(regions: boolean): void {
    this.regions = regions;
    this.root.classList.toggle('has-regions', regions);
  }

  /** The picture itself, to be drawn elsewhere; null while there is none. */
  get image(): ImageBitmap | null {
    return this.bitmap;
  }

  dispose(): void {
    this.bitmap?.close();
    this.store.dispose();
  }

  /** Where the shown part of the picture lies in this element. */
  private frame(): Rectangle {
    const area = { width: this.root.clientWidth, height: this.root.clientHeight };
    return fitInto(area, this.bitmap ? this.bitmap.width / this.bitmap.height : 1);
  }

  private place(canvas: HTMLCanvasElement): Rectangle {
    const frame = this.frame();
    fitCanvas(canvas, frame.width, frame.height);
    canvas.style.left = `${frame.x}px`;
    canvas.style.top = `${frame.y}px`;
    return frame;
  }

  private paint(): void {
    const { width, height } = this.place(this.base);
    const context = context2d(this.base);
    context.clearRect(0, 0, width, height);
    context.imageSmoothingQuality = 'high';
    if (this.bitmap) context.drawImage(this.bitmap, 0, 0, width, height);
    this.paintHeat();
    this.paintMarks();
  }

  private paintHeat(): void {
    const { width, height } = this.place(this.heat);
    const context = context2d(this.heat);
    context.clearRect(0, 0, width, height);
    const { overlay } = this;
    if (!overlay || overlay.values.length === 0) return;
    context.imageSmoothingEnabled = overlay.smooth !== false;
    context.drawImage(overlayCanvas(overlay), 0, 0, width, height);
  }

  private paintMarks(): void {
    const { width, height } = this.place(this.top);
    const context = context2d(this.top);
    context.clearRect(0, 0, width, height);
    if (!this.bitmap) return;
    const [theme, shown] = [readTheme(), { width, height }];
    if (this.cells) drawCells(context, theme, shown, this.cells);
    drawOutlines(context, theme, shown, this.outlines);
    if (this.marks) drawMarks(context, theme, shown, this.fed, this.marks);
  }
}

/** An overlay in colours: bilinear at a size that the browser need not blur, or one pixel for each cell. */
export function overlayCanvas({
  values,
  rows,
  columns,
  colorMap,
  range,
  smooth,
}: Overlay): HTMLCanvasElement {
  const factor = smooth === false ? 1 : Math.max(1, OVERLAY_PIXELS / Math.max(rows, columns));
  const size = { rows: Math.round(rows * factor), columns: Math.round(columns * factor) };
  const fine =
    factor === 1 ? values : resampleBilinear(values, rows, columns, size.rows, size.columns);
  const pixels = valuePixels(fine, colorTable(colorMap), range);
  return pixelCanvas(new ImageData(pixels, size.columns));
}
