import type {
  Detection,
  FractionBox,
  PredictedClass,
  TargetSpec,
} from '../../../protocol/attribution';
import type { Outline, Point } from '../lib/geometry';
import { classLabel, targetValue, type KnownTargets, type TargetItem } from '../lib/targetWords';

/** Pure parts of the target menu: what a choice makes of the target before it. */

/** A line of the menu that only the viewer has: a channel of the layer that is shown. */
export const channelItem = (tensor: string, layer: string): TargetItem => {
  const target: TargetSpec = { kind: 'channel', tensor, channel: 0 };
  const detail = `of ${layer}`;
  return { target, value: targetValue(target), label: 'A channel', detail, group: 'Other' };
};

/** The class of a target that is one class, or will be when it is resolved; null for other targets. */
export function classOf(
  target: TargetSpec,
  predicted: readonly PredictedClass[] | null,
): number | null {
  if (target.kind === 'class' || target.kind === 'difference') return target.index;
  return target.kind === 'top' ? (predicted?.[0]?.index ?? null) : null;
}

/** "Why this and not that": the target less another class, or without one (null). */
export function differenceOf(
  target: TargetSpec,
  minus: number | null,
  predicted: readonly PredictedClass[] | null,
): TargetSpec {
  const index = classOf(target, predicted);
  if (index === null) return target;
  if (minus !== null && minus !== index) return { kind: 'difference', index, minus };
  return target.kind === 'top' ? target : { kind: 'class', index };
}

/** Another class is explained; what it is set against stays. */
export function replaceTarget(before: TargetSpec, next: TargetSpec): TargetSpec {
  if (before.kind !== 'difference' || next.kind !== 'class' || next.index === before.minus)
    return next;
  return { ...before, index: next.index };
}

/** The line of the menu that a target is: a difference is the line of its class, a channel or region that of its kind. */
export function menuTarget(target: TargetSpec): TargetSpec {
  if (target.kind === 'difference') return { kind: 'class', index: target.index };
  if (target.kind === 'mask') return { kind: 'mask', class: target.class };
  if (target.kind === 'channel') return { kind: 'channel', tensor: target.tensor, channel: 0 };
  return target;
}

/** The detection whose box holds a place of the picture; of several the smallest. Null where there is none. */
export function boxAt(detections: readonly Detection[], { x, y }: Point): number | null {
  let found: number | null = null;
  let least = Number.POSITIVE_INFINITY;
  detections.forEach(({ box: { left, top, right, bottom } }, index) => {
    const area = (right - left) * (bottom - top);
    if (x < left || x > right || y < top || y > bottom || area >= least) return;
    found = index;
    least = area;
  });
  return found;
}

/**
 * The boxes that are drawn on the picture: detections to choose from, or the region of a class.
 * @param draft a region that is being dragged
 */
export function outlinesOf(
  target: TargetSpec,
  { labels, targets }: KnownTargets,
  draft: FractionBox | null,
): readonly Outline[] {
  if (target.kind === 'mask') {
    const box = draft ?? target.region;
    const label = classLabel(labels, target.class);
    return box ? [{ box, label, short: label, chosen: true }] : [];
  }
  return (targets?.detections ?? []).map(({ box, classIndex }, index) => ({
    box,
    label: `${index + 1} ${classLabel(labels, classIndex)}`,
    short: String(index + 1),
    chosen: target.kind === 'box' && target.index === index,
  }));
}

/** Whether a target can be chosen on the picture itself: then it needs room. */
export const offersPlaces = (target: TargetSpec, { targets }: KnownTargets): boolean =>
  target.kind === 'mask' || (targets?.detections.length ?? 0) > 0;
