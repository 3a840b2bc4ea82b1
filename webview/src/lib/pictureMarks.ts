import type { ReceptiveField } from '../../../protocol/methods';
import {
  fedToShown,
  fieldArea,
  type MapSize,
  type Outline,
  type Point,
  type Size,
} from './geometry';
import type { Rectangle } from './gridLayout';
import type { Theme } from './theme';

/** What is drawn over a picture: lines and words that can be seen on any colour. Sizes in CSS pixels. */

/** What the network is shown, as a cross and a box on the picture; points in fed pixels. */
export interface Marks {
  readonly point: Point;
  readonly field: ReceptiveField | null;
}

/** Maps with more cells than this on a side have no outlines: they would hide the picture. */
const MOST_OUTLINED = 32;
const ARM = 7;
/** Pictures that are narrower than this have short labels. */
const ROOMY = 320;

/** Dark under light, so that the line shows on any picture. */
function strokes(
  context: CanvasRenderingContext2D,
  theme: Theme,
  draw: () => void,
  width = 1.5,
): void {
  for (const [color, line] of [
    [theme.background, width + 2.5],
    [theme.foreground, width],
  ] as const) {
    context.strokeStyle = color;
    context.lineWidth = line;
    draw();
  }
}

export function drawMarks(
  context: CanvasRenderingContext2D,
  theme: Theme,
  shown: Size,
  fed: Size,
  { point, field }: Marks,
): void {
  if (field) {
    const box = clip(fieldArea(fed, field), shown);
    strokes(context, theme, () => context.strokeRect(box.x, box.y, box.width, box.height));
  }
  const at = fedToShown(fed, point);
  const [x, y] = [at.x * shown.width, at.y * shown.height];
  strokes(context, theme, () => {
    context.beginPath();
    context.moveTo(x - ARM, y);
    context.lineTo(x + ARM, y);
    context.moveTo(x, y - ARM);
    context.lineTo(x, y + ARM);
    context.stroke();
  });
}

export function drawOutlines(
  context: CanvasRenderingContext2D,
  theme: Theme,
  shown: Size,
  outlines: readonly Outline[],
): void {
  context.font = theme.font;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  for (const { box, label: full, short, chosen } of chosenLast(outlines)) {
    const label = chosen || shown.width >= ROOMY ? full : short;
    const area = clip(
      { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top },
      shown,
    );
    strokes(
      context,
      theme,
      () => context.strokeRect(area.x, area.y, area.width, area.height),
      chosen ? 3 : 1,
    );
    if (label === '') continue;
    const width = context.measureText(label).width + 8;
    const x = Math.max(0, Math.min(area.x, shown.width - width));
    const y = area.y >= 17 ? area.y - 16 : area.y;
    context.fillStyle = theme.background;
    context.fillRect(x, y, width, 16);
    context.fillStyle = theme.foreground;
    context.fillText(label, x + 4, y + 8.5);
  }
}

const chosenLast = (outlines: readonly Outline[]): readonly Outline[] => [
  ...outlines.filter(({ chosen }) => !chosen),
  ...outlines.filter(({ chosen }) => chosen),
];

/** The cells of a map's own grid, as thin lines; nothing for fine maps. */
export function drawCells(
  context: CanvasRenderingContext2D,
  theme: Theme,
  shown: Size,
  { rows, columns }: MapSize,
): void {
  if (Math.max(rows, columns) > MOST_OUTLINED) return;
  context.globalAlpha = 0.3;
  context.strokeStyle = theme.foreground;
  context.lineWidth = 1;
  context.beginPath();
  for (let row = 0; row <= rows; row++) {
    const y = inside((row / rows) * shown.height, shown.height);
    context.moveTo(0, y);
    context.lineTo(shown.width, y);
  }
  for (let column = 0; column <= columns; column++) {
    const x = inside((column / columns) * shown.width, shown.width);
    context.moveTo(x, 0);
    context.lineTo(x, shown.height);
  }
  context.stroke();
  context.globalAlpha = 1;
}

/** A line of one pixel at a place, kept inside so that both borders show. */
const inside = (at: number, size: number): number =>
  Math.min(Math.max(Math.round(at), 0), Math.floor(size) - 1) + 0.5;

/** A box of fractions in pixels, cut to the picture so that its edges stay visible. */
function clip(area: Rectangle, { width, height }: Size): Rectangle {
  const x = Math.max(area.x * width, 1);
  const y = Math.max(area.y * height, 1);
  return {
    x,
    y,
    width: Math.max(Math.min((area.x + area.width) * width, width - 1) - x, 0),
    height: Math.max(Math.min((area.y + area.height) * height, height - 1) - y, 0),
  };
}
