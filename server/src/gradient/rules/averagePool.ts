import { type AxisMatrix, axisMatrix, transposedAlong } from '../axisMatrix';
import type { Operators } from '../operators';
import type { Rule, RuleNode } from '../rule';
import type { Value } from '../value';
import { type AxisWindow, windowsOf } from '../windows';

/** The mean of each window is linear along each axis: the number of elements is a product of numbers by axis. */
export const averagePool: Rule = {
  ops: ['AveragePool'],
  vjp: (n, e) => {
    const withPadding = n.int('count_include_pad', 0) !== 0;
    return [() => sentBack(n, e, n.dy, window => meanMatrix(window, withPadding))];
  },
};

/** y = (Σ |x|ᵖ)^(1/p): dx = sign(x) · |x|ᵖ⁻¹ · Σ over the windows of x of dy · y¹⁻ᵖ. Windows of zeros give zero. */
export const lpPool: Rule = {
  ops: ['LpPool'],
  vjp: (n, e) => [
    () => {
      const p = n.int('p', 2);
      const x = n.x();
      if (p === 1) return e.mul(e.sign(x), sentBack(n, e, n.dy, sumMatrix));
      const powers = p === 2 ? x : e.mul(e.sign(x), e.pow(e.node('Abs', [x]), p - 1));
      const isZero = e.asNumber(e.equal(n.y(), e.scalar(x, 0)), x.dtype);
      const norms = e.add(n.y(), isZero);
      const quotient = e.div(n.dy, p === 2 ? norms : e.pow(norms, p - 1));
      return e.mul(powers, sentBack(n, e, quotient, sumMatrix));
    },
  ],
};

function sentBack(
  n: RuleNode,
  e: Operators,
  g: Value,
  matrixOf: (window: AxisWindow) => AxisMatrix,
): Value {
  const windows = windowsOf(n, n.ints('kernel_shape') ?? []);
  return windows.reduce(
    (value, window, i) => transposedAlong(e, value, i + 2, matrixOf(window)),
    g,
  );
}

/** The positions in the padded input under each window. */
function positions({ output, kernel, stride, dilation, before }: AxisWindow): number[][] {
  return Array.from({ length: output }, (_, o) =>
    Array.from({ length: kernel }, (_, u) => o * stride + u * dilation - before),
  );
}

const inside = ({ input }: AxisWindow, at: number): boolean => at >= 0 && at < input;

const sumMatrix = (window: AxisWindow): AxisMatrix =>
  axisMatrix(
    window.input,
    positions(window).map(all => all.filter(at => inside(window, at)).map(at => [at, 1] as const)),
  );

/** What lies behind the padding (in `ceil_mode`) never counts. */
function meanMatrix(window: AxisWindow, withPadding: boolean): AxisMatrix {
  const counts = (at: number): boolean =>
    withPadding ? at < window.input + window.after : inside(window, at);
  return axisMatrix(
    window.input,
    positions(window).map(all => {
      const weight = 1 / all.filter(counts).length;
      return all.filter(at => inside(window, at)).map(at => [at, weight] as const);
    }),
  );
}
