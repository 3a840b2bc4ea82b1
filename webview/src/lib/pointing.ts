import type { FractionBox } from '../../../protocol/attribution';
import type { Point } from './geometry';

/** What a person does on a picture with a pointer; places in fractions 0…1 of its sides. */
export interface PointingEvents {
  /** The place under the pointer; null when it left. */
  onHover(at: Point | null): void;
  /** A place was clicked. */
  onPick(at: Point): void;
  /** A region is being dragged, or (`done`) was. */
  onRegion(box: FractionBox, done: boolean): void;
}

/** A pointer that moved less than this between down and up has clicked. CSS pixels. */
const DRAG_PIXELS = 4;

/**
 * Follows the pointer over an element whose picture may be smaller than it is.
 * @param frame the picture's bounds on the page; null while there is none
 * @param mayDrag whether regions can be dragged now
 */
export function listenToPointer(
  root: HTMLElement,
  frame: () => DOMRect | null,
  mayDrag: () => boolean,
  events: PointingEvents,
): void {
  let start: { readonly x: number; readonly y: number; dragged: boolean } | null = null;
  const placeOf = (x: number, y: number): Point | null => {
    const bounds = frame();
    return bounds && { x: (x - bounds.left) / bounds.width, y: (y - bounds.top) / bounds.height };
  };
  const region = (event: PointerEvent, done: boolean): void => {
    const from = start && placeOf(start.x, start.y);
    const to = placeOf(event.clientX, event.clientY);
    if (from && to) events.onRegion(boxBetween(from, to), done);
  };
  root.addEventListener('pointerdown', event => {
    const at = placeOf(event.clientX, event.clientY);
    if (event.button !== 0 || !at || !isInside(at)) return;
    start = { x: event.clientX, y: event.clientY, dragged: false };
    root.setPointerCapture(event.pointerId);
  });
  root.addEventListener('pointermove', event => {
    const at = placeOf(event.clientX, event.clientY);
    events.onHover(at && isInside(at) ? at : null);
    if (!start || !mayDrag()) return;
    const [dx, dy] = [event.clientX - start.x, event.clientY - start.y];
    start.dragged ||= Math.hypot(dx, dy) > DRAG_PIXELS;
    if (start.dragged) region(event, false);
  });
  root.addEventListener('pointerup', event => {
    const at = placeOf(event.clientX, event.clientY);
    if (start?.dragged) region(event, true);
    else if (start && at && isInside(at)) events.onPick(at);
    start = null;
  });
  root.addEventListener('pointercancel', () => {
    start = null;
  });
  root.addEventListener('pointerleave', () => events.onHover(null));
}

const isInside = ({ x, y }: Point): boolean => x >= 0 && x <= 1 && y >= 0 && y <= 1;

/** The box between two corners, cut to the picture. */
export function boxBetween(a: Point, b: Point): FractionBox {
  const clamp = (value: number): number => Math.min(Math.max(value, 0), 1);
  return {
    left: clamp(Math.min(a.x, b.x)),
    top: clamp(Math.min(a.y, b.y)),
    right: clamp(Math.max(a.x, b.x)),
    bottom: clamp(Math.max(a.y, b.y)),
  };
}
