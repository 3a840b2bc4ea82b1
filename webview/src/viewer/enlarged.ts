import { colorTable } from '../../../protocol/colorMaps';
import { DisposableStore, type Disposable } from '../../../protocol/lifecycle';
import { context2d, element, fitCanvas, oncePerFrame, pixelCanvas } from '../lib/dom';
import { formatCell } from '../lib/format';
import { fitInto, type Cell } from '../lib/geometry';
import type { Rectangle } from '../lib/gridLayout';
import { colorPixels, inkOn, valuePixels } from '../lib/heat';
import { onThemeChange, readTheme } from '../lib/theme';
import { drawCross } from './tiles';
import type { ExactChannel, Scale } from './types';

/** Numbers are written into the cells of pictures up to this many rows and columns. */
const MOST_NUMBERED = 11;

export interface EnlargedOptions {
  onHover(cell: Cell | null): void;
  onPick(cell: Cell): void;
  onPainted(): void;
}

/** One channel as large as there is room, exact values, with the numbers in its cells where it has few. */
export class EnlargedView implements Disposable {
  readonly root: HTMLElement;
  private readonly canvas = element('canvas', {
    class: 'enlarged-canvas',
    attributes: { role: 'img', tabindex: '0' },
  });
  private readonly store = new DisposableStore();
  private channel: ExactChannel | null = null;
  private picture: HTMLCanvasElement | null = null;
  private mark: Cell | null = null;
  readonly repaint = oncePerFrame(() => this.paint());

  constructor(private readonly options: EnlargedOptions) {
    this.root = element('div', { class: 'enlarged' }, this.canvas);
    const resize = new ResizeObserver(() => this.repaint());
    resize.observe(this.root);
    this.store.add({ dispose: () => resize.disconnect() });
    this.store.add(onThemeChange(this.repaint));
    this.canvas.addEventListener('pointermove', event => options.onHover(this.cellAt(event)));
    this.canvas.addEventListener('pointerleave', () => options.onHover(null));
    this.canvas.addEventListener('click', event => {
      const cell = this.cellAt(event);
      if (cell) options.onPick(cell);
    });
  }

  /** @param label the summary that stands for the picture where it cannot be seen */
  show(channel: ExactChannel, scale: Scale, label: string): void {
    this.channel = channel;
    this.canvas.setAttribute('aria-label', label);
    this.picture = this.render(channel, scale);
    this.repaint();
  }

  setMark(cell: Cell | null): void {
    this.mark = cell;
    this.repaint();
  }

  /** The exact value of a cell, first plane. */
  valueAt(cell: Cell): number | null {
    if (!this.channel) return null;
    return this.channel.values[cell.row * this.channel.columns + cell.column] ?? null;
  }

  focus(): void {
    this.canvas.focus();
  }

  dispose(): void {
    this.store.dispose();
  }

  private render(channel: ExactChannel, scale: Scale): HTMLCanvasElement | null {
    if (!scale.range) return null;
    const pixels =
      channel.planes === 3
        ? colorPixels(channel.values, scale.range.high)
        : valuePixels(
            channel.values,
            colorTable(scale.colorMap === 'rgb' ? 'grey' : scale.colorMap),
            scale.range,
          );
    return pixelCanvas(new ImageData(pixels, channel.columns));
  }

  private frame(): Rectangle {
    const rows = this.channel?.rows ?? 1;
    const columns = this.channel?.columns ?? 1;
    const aspect = Math.min(Math.max(columns / rows, 1 / 8), 8);
    return fitInto({ width: this.root.clientWidth, height: this.root.clientHeight }, aspect);
  }

  private paint(): void {
    const { width, height, x, y } = this.frame();
    if (!this.channel || !this.picture || width === 0 || height === 0) return;
    fitCanvas(this.canvas, width, height);
    this.canvas.style.left = `${x}px`;
    this.canvas.style.top = `${y}px`;
    const context = context2d(this.canvas);
    context.clearRect(0, 0, width, height);
    context.imageSmoothingEnabled = this.channel.columns > width;
    context.drawImage(this.picture, 0, 0, width, height);
    this.paintNumbers(context, width, height);
    if (this.mark)
      drawCross(
        context,
        readTheme(),
        ((this.mark.column + 0.5) / this.channel.columns) * width,
        ((this.mark.row + 0.5) / this.channel.rows) * height,
        7,
      );
    this.options.onPainted();
  }

  private paintNumbers(context: CanvasRenderingContext2D, width: number, height: number): void {
    const { channel, picture } = this;
    if (!channel || !picture || Math.max(channel.rows, channel.columns) > MOST_NUMBERED) return;
    const [cellWidth, cellHeight] = [width / channel.columns, height / channel.rows];
    const line = Math.min(16, (cellHeight - 4) / channel.planes);
    if (cellWidth < 34 || line < 9) return;
    const area = channel.rows * channel.columns;
    const pixels = context2d(picture).getImageData(0, 0, channel.columns, channel.rows).data;
    context.font = readTheme().monospace.replace(/^\d+px/, `${Math.floor(Math.min(line, 13))}px`);
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    for (let i = 0; i < area; i++) {
      context.fillStyle = inkOn(pixels, i);
      const x = ((i % channel.columns) + 0.5) * cellWidth;
      const middle = (Math.floor(i / channel.columns) + 0.5) * cellHeight;
      for (let plane = 0; plane < channel.planes; plane++) {
        const value = channel.values[plane * area + i] ?? Number.NaN;
        context.fillText(
          formatCell(value),
          x,
          middle + (plane - (channel.planes - 1) / 2) * line,
          cellWidth - 4,
        );
      }
    }
  }

  private cellAt(event: MouseEvent): Cell | null {
    if (!this.channel) return null;
    const bounds = this.canvas.getBoundingClientRect();
    const column = Math.floor(
      ((event.clientX - bounds.left) / bounds.width) * this.channel.columns,
    );
    const row = Math.floor(((event.clientY - bounds.top) / bounds.height) * this.channel.rows);
    const inside =
      row >= 0 && column >= 0 && row < this.channel.rows && column < this.channel.columns;
    return inside ? { row, column } : null;
  }
}
