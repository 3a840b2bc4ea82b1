import type { PreprocessingSpec, Traced } from '../../../protocol/preprocessing';
import { formatNumber } from './format';

/** One number or choice of the preprocessing, with where it comes from. */
export interface PreprocessingRow {
  readonly name: string;
  readonly value: string;
  readonly from: string;
  readonly guessed: boolean;
}

/** What of a preprocessing matters for this resize mode, in the order in which it happens. */
export function preprocessingRows(spec: PreprocessingSpec): readonly PreprocessingRow[] {
  const row = <T>(
    name: string,
    traced: Traced<T>,
    text: (value: T) => string,
  ): PreprocessingRow => ({
    name,
    value: text(traced.value),
    from: traced.from,
    guessed: traced.guessed,
  });
  const list = (values: readonly number[]): string => values.map(formatNumber).join(', ');
  return [
    row('Size', spec.size, size => `${size.width}×${size.height}`),
    row('Resize', spec.resize, mode => mode),
    ...(spec.resize.value === 'crop'
      ? [row('Shortest side', spec.shortestSide, formatNumber)]
      : []),
    ...(spec.resize.value === 'letterbox' ? [row('Border grey', spec.border, formatNumber)] : []),
    row('Interpolation', spec.interpolation, mode => mode),
    row('Channels', spec.channels, order => order),
    row('Scale', spec.scale, scaleText),
    row('Mean', spec.mean, list),
    row('Standard deviation', spec.std, list),
    row('Layout', spec.layout, layout => layout),
  ];
}

/** 1/255 is what people know it as. */
function scaleText(scale: number): string {
  const inverse = 1 / scale;
  const whole = Math.round(inverse);
  return scale !== 1 && whole > 1 && Math.abs(inverse - whole) < 1e-3
    ? `1/${whole}`
    : formatNumber(scale);
}
