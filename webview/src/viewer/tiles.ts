import type { Rectangle } from '../lib/gridLayout';
import type { Theme } from '../lib/theme';
import { CAPTION_HEIGHT } from './model';

/** The line under a tile: its number on the left, a value on the right where both fit. */
export function drawCaption(
  context: CanvasRenderingContext2D,
  tile: Rectangle,
  theme: Theme,
  name: string,
  value: string,
): void {
  const baseline = tile.y + tile.height - CAPTION_HEIGHT / 2 + 1;
  context.font = theme.font;
  context.textBaseline = 'middle';
  context.fillStyle = theme.foreground;
  context.textAlign = 'left';
  context.fillText(name, tile.x, baseline);
  const room = tile.width - context.measureText(name).width - 6;
  if (context.measureText(value).width > room) return;
  context.fillStyle = theme.muted;
  context.textAlign = 'right';
  context.fillText(value, tile.x + tile.width, baseline);
}

/** A tile whose numbers are still to come. */
export function drawPlaceholder(
  context: CanvasRenderingContext2D,
  tile: Rectangle,
  theme: Theme,
): void {
  context.fillStyle = theme.placeholder;
  context.fillRect(tile.x, tile.y, tile.width, tile.height - CAPTION_HEIGHT);
}

/** A small cross that can be seen on any colour. */
export function drawCross(
  context: CanvasRenderingContext2D,
  theme: Theme,
  x: number,
  y: number,
  arm = 4,
): void {
  for (const [color, width] of [
    [theme.background, 3],
    [theme.foreground, 1],
  ] as const) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x - arm, y);
    context.lineTo(x + arm, y);
    context.moveTo(x, y - arm);
    context.lineTo(x, y + arm);
    context.stroke();
  }
}
