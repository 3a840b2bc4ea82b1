import type { Rectangle } from '../lib/gridLayout';
import type { ValueRange } from '../../../protocol/colorMaps';
import type { Theme } from '../lib/theme';
import { barSpan, CAPTION_HEIGHT } from './model';

/** One number of a vector: a bar from the zero line, its index below where there is room. */
export function drawBar(
  context: CanvasRenderingContext2D,
  tile: Rectangle,
  theme: Theme,
  value: number,
  range: ValueRange,
  name: string,
): void {
  const height = tile.height - CAPTION_HEIGHT;
  const { from, to, zero } = barSpan(value, range);
  context.fillStyle = theme.placeholder;
  context.fillRect(tile.x, tile.y, tile.width, height);
  context.fillStyle = theme.bar;
  context.fillRect(
    tile.x + 3,
    tile.y + from * height,
    tile.width - 6,
    Math.max((to - from) * height, 1),
  );
  context.fillStyle = theme.muted;
  context.fillRect(tile.x, tile.y + zero * height - 0.5, tile.width, 1);
  context.font = theme.font;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillStyle = theme.foreground;
  if (context.measureText(name).width <= tile.width + 6)
    context.fillText(name, tile.x + tile.width / 2, tile.y + height + CAPTION_HEIGHT / 2 + 1);
}
