import { transposedAlong } from '../axisMatrix';
import { axisFrom0, sameShape } from '../operators';
import { type Interpolation, interpolationMatrix, type ResizedAxis } from '../resizeMatrix';
import type { Rule, RuleNode } from '../rule';

/** Resize in all its versions, axis by axis: interpolation is linear and separable. */
export const resize: Rule = {
  ops: ['Resize'],
  known: [1, 2, 3],
  vjp: (n, e) => [
    () => {
      if (sameShape(n.x().shape, n.y().shape)) return n.dy;
      const how = interpolationOf(n);
      return resizedAxes(n).reduce(
        (g, { axis, ...resized }) =>
          resized.scale === 1 ? g : transposedAlong(e, g, axis, interpolationMatrix(resized, how)),
        n.dy,
      );
    },
  ],
};

/** Upsample (until version 9): Resize as it was in version 10. */
export const upsample: Rule = { ...resize, ops: ['Upsample'], known: [1] };

function interpolationOf(n: RuleNode): Interpolation {
  const old = n.op === 'Upsample' || n.version < 11;
  return {
    mode: n.string('mode', 'nearest'),
    coordinates: old ? 'asymmetric' : n.string('coordinate_transformation_mode', 'half_pixel'),
    nearest: old ? 'simple' : n.string('nearest_mode', 'round_prefer_floor'),
    cubicA: n.float('cubic_coeff_a', -0.75),
    excludeOutside: n.int('exclude_outside', 0) !== 0,
    antialias: n.int('antialias', 0) !== 0,
  };
}

function resizedAxes(n: RuleNode): readonly (ResizedAxis & { readonly axis: number })[] {
  const inputs = n.x().shape;
  const outputs = n.y().shape;
  const axes = (n.ints('axes') ?? inputs.map((_, axis) => axis)).map(axis =>
    axisFrom0(axis, inputs.length),
  );
  const scales = scalesOf(n, axes);
  const cropped = n.string('coordinate_transformation_mode', '') === 'tf_crop_and_resize';
  const roi = cropped ? n.numbers(1) : null;
  return axes.map((axis, i) => ({
    axis,
    input: inputs[axis] ?? 0,
    output: outputs[axis] ?? 0,
    scale: scales[i] ?? 1,
    roiStart: roi?.[i] ?? 0,
    roiEnd: roi?.[i + axes.length] ?? 1,
  }));
}

/** By axis, as float32: given, or the quotient of the sizes; one for all axes where the aspect ratio is kept. */
function scalesOf(n: RuleNode, axes: readonly number[]): readonly number[] {
  const given =
    n.op === 'Upsample' ? (n.floats('scales') ?? n.numbers(1)) : n.numbers(n.version < 11 ? 1 : 2);
  if (given && given.length > 0) return given;
  const sizes = n.numbers(3) ?? axes.map(axis => n.y().shape[axis] ?? 0);
  const quotients = axes.map((axis, i) => Math.fround((sizes[i] ?? 0) / (n.x().shape[axis] ?? 1)));
  const policy = n.string('keep_aspect_ratio_policy', 'stretch');
  if (policy === 'stretch') return quotients;
  const kept = policy === 'not_larger' ? Math.min(...quotients) : Math.max(...quotients);
  return quotients.map(() => kept);
}
