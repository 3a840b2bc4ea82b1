import { colorTable } from '../../../protocol/colorMaps';
import type { ShownMap } from '../lib/attributionMap';
import { context2d, element, pixelCanvas } from '../lib/dom';
import { formatNumber } from '../lib/format';
import { overlayCanvas } from '../lib/picture';

/** One map of a figure, with what is written under it. */
export interface FigurePart {
  readonly map: ShownMap;
  readonly title: string;
  readonly lines: readonly string[];
}

export interface Figure {
  readonly image: ImageBitmap | null;
  readonly opacity: number;
  readonly smooth: boolean;
  readonly parts: readonly FigurePart[];
  /** Written under all maps. */
  readonly notes: readonly string[];
}

/** All sizes in pixels of the figure. */
const PICTURE = 480;
const GAP = 24;
const LINE = 20;
const BAR = 14;
const TITLE = 'bold 18px sans-serif';
const TEXT = '14px sans-serif';

/** The maps on the picture side by side, for a report: dark on white whatever the theme, text under each and under all. */
export function drawFigure({ image, opacity, smooth, parts, notes }: Figure): HTMLCanvasElement {
  const aspect = image ? image.width / image.height : 1;
  const width = Math.round(PICTURE * Math.min(1, aspect));
  const height = Math.round(PICTURE / Math.max(1, aspect));
  const whole = parts.length * (width + GAP) + GAP;
  const canvas = element('canvas');
  const context = context2d(canvas);
  context.font = TEXT;
  const written = parts.map(part => part.lines.flatMap(line => wrapped(context, line, width)));
  const below = notes.flatMap(note => wrapped(context, note, whole - 2 * GAP));
  const top = GAP + LINE + 8;
  const textTop = top + height + 10 + BAR + LINE + 8;
  const notesTop = textTop + Math.max(0, ...written.map(lines => lines.length)) * LINE + GAP;
  canvas.width = whole;
  canvas.height = notesTop + below.length * LINE + GAP;
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.textBaseline = 'top';
  parts.forEach((part, index) => {
    const x = GAP + index * (width + GAP);
    text(context, TITLE, part.title, x, GAP);
    if (image) context.drawImage(image, x, top, width, height);
    context.globalAlpha = image ? opacity : 1;
    context.imageSmoothingEnabled = smooth;
    context.drawImage(overlayCanvas({ ...part.map, smooth }), x, top, width, height);
    context.globalAlpha = 1;
    drawBar(context, part.map, x, top + height + 10, width);
    (written[index] ?? []).forEach((line, i) => text(context, TEXT, line, x, textTop + i * LINE));
  });
  below.forEach((line, i) => text(context, TEXT, line, GAP, notesTop + i * LINE));
  return canvas;
}

function drawBar(
  context: CanvasRenderingContext2D,
  { colorMap, range }: ShownMap,
  x: number,
  y: number,
  width: number,
): void {
  const table = colorTable(colorMap);
  const image = new ImageData(256, 1);
  for (let i = 0; i < 256; i++) {
    image.data.set(table.subarray(3 * i, 3 * i + 3), 4 * i);
    image.data[4 * i + 3] = 255;
  }
  context.imageSmoothingEnabled = true;
  context.drawImage(pixelCanvas(image), x, y, width, BAR);
  text(context, TEXT, formatNumber(range.low), x, y + BAR + 4);
  context.textAlign = 'right';
  text(context, TEXT, formatNumber(range.high), x + width, y + BAR + 4);
  context.textAlign = 'left';
}

function text(
  context: CanvasRenderingContext2D,
  font: string,
  words: string,
  x: number,
  y: number,
): void {
  context.font = font;
  context.fillStyle = '#111';
  context.fillText(words, x, y);
}

/** A sentence in lines that fit. */
function wrapped(
  context: CanvasRenderingContext2D,
  sentence: string,
  width: number,
): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of sentence.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && context.measureText(longer).width > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}
