import { colorTable, type ColorMap, type ValueRange } from '../../../protocol/colorMaps';
import { DisposableStore, type Disposable } from '../../../protocol/lifecycle';
import type { PictureResult, ReceptiveField } from '../../../protocol/methods';
import { context2d, element, fitCanvas, oncePerFrame, pixelCanvas } from './dom';
import { fedToShown, fieldArea, fitInto, shownToFed, type Point, type Size } from './geometry';
import type { Rectangle } from './gridLayout';
import { resampleBilinear, valuePixels } from './heat';
import { onThemeChange, readTheme } from './theme';

/** A map to be laid over the picture: [rows, columns] over all that is fed. */
export interface Overlay {
  readonly values: Float32Array;
  readonly rows: number;
  readonly columns: number;
  readonly range: ValueRange;
  readonly colorMap: ColorMap;
}

/** What the network is shown, as a cross and a box on the picture; points in fed pixels. */
export interface Marks {
  readonly point: Point;
  readonly field: ReceptiveField | null;
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
  private readonly paintMarksSoon = oncePerFrame(() => this.paintMarks());

  /** @param onHover told the fed pixel under the pointer, null when it left */
  constructor(onHover: (point: Point | null) => void) {
    this.root = element('div', { class: 'picture' }, this.base, this.heat, this.top);
    const resize = new ResizeObserver(() => this.paint());
    resize.observe(this.root);
    this.store.add({ dispose: () => resize.disconnect() });
    this.store.add(onThemeChange(() => this.paintMarksSoon()));
    this.root.addEventListener('pointermove', event => onHover(this.pointAt(event)));
    this.root.addEventListener('pointerleave', () => onHover(null));
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
    const [rows, columns] = overlaySize(overlay);
    const fine = resampleBilinear(overlay.values, overlay.rows, overlay.columns, rows, columns);
    const pixels = valuePixels(fine, colorTable(overlay.colorMap), overlay.range);
    context.drawImage(pixelCanvas(new ImageData(pixels, columns)), 0, 0, width, height);
  }

  private paintMarks(): void {
    const { width, height } = this.place(this.top);
    const context = context2d(this.top);
    context.clearRect(0, 0, width, height);
    if (!this.marks || !this.bitmap) return;
    const theme = readTheme();
    const at = fedToShown(this.fed, this.marks.point);
    const strokes = (draw: () => void): void => {
      // Dark under light, so that the line shows on any picture.
      for (const [color, line] of [
        [theme.background, 4],
        [theme.foreground, 1.5],
      ] as const) {
        context.strokeStyle = color;
        context.lineWidth = line;
        draw();
      }
    };
    if (this.marks.field) {
      const box = clip(fieldArea(this.fed, this.marks.field), width, height);
      strokes(() => context.strokeRect(box.x, box.y, box.width, box.height));
    }
    const [x, y] = [at.x * width, at.y * height];
    strokes(() => {
      context.beginPath();
      context.moveTo(x - 7, y);
      context.lineTo(x + 7, y);
      context.moveTo(x, y - 7);
      context.lineTo(x, y + 7);
      context.stroke();
    });
  }

  private pointAt(event: PointerEvent): Point | null {
    if (!this.bitmap) return null;
    const bounds = this.base.getBoundingClientRect();
    const x = (event.clientX - bounds.left) / bounds.width;
    const y = (event.clientY - bounds.top) / bounds.height;
    return x < 0 || x > 1 || y < 0 || y > 1 ? null : shownToFed(this.fed, { x, y });
  }
}

/** Rows and columns that an overlay is resampled to; maps that are finer stay as they are. */
function overlaySize(overlay: Overlay): readonly [number, number] {
  const factor = Math.max(1, OVERLAY_PIXELS / Math.max(overlay.rows, overlay.columns));
  return [Math.round(overlay.rows * factor), Math.round(overlay.columns * factor)];
}

/** A box of fractions in pixels, cut to the picture so that its edges stay visible. */
function clip(area: Rectangle, width: number, height: number): Rectangle {
  const x = Math.max(area.x * width, 1);
  const y = Math.max(area.y * height, 1);
  return {
    x,
    y,
    width: Math.max(Math.min((area.x + area.width) * width, width - 1) - x, 0),
    height: Math.max(Math.min((area.y + area.height) * height, height - 1) - y, 0),
  };
}
