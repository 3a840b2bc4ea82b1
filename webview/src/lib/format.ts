/** Four significant digits, `0` for zero, a real minus sign, `NaN` and `∞` spelled out. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  const text =
    size >= 1e5 || size < 1e-3
      ? size.toExponential(2)
      : size.toLocaleString('en-US', {
          maximumSignificantDigits: 4,
          minimumSignificantDigits: Number.isInteger(size) ? 1 : 4,
          useGrouping: false,
        });
  return value < 0 ? `−${text}` : text;
}

/** Short enough for a cell of a picture: two decimals, or what says as much of a small number. */
export function formatCell(value: number): string {
  const size = Math.abs(value);
  if (Number.isNaN(value) || !Number.isFinite(value)) return formatNumber(value);
  const text =
    size >= 100
      ? size.toFixed(0)
      : size >= 10
        ? size.toFixed(1)
        : size >= 0.1 || size === 0
          ? size.toFixed(2)
          : size >= 0.001
            ? size.toFixed(3)
            : size.toExponential(0);
  return value < 0 ? `−${text}` : text;
}

/** `1 value`, `1,000 values`. */
export const counted = (count: number, thing: string): string =>
  `${formatCount(count)} ${thing}${count === 1 ? '' : 's'}`;

/** Whole numbers with separators. */
export const formatCount = (count: number): string => count.toLocaleString('en-US');

/** `1.2 MB`, decimal units. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? value.toFixed(0) : value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** `41 ms`, `1.3 s`. */
export const formatMs = (ms: number): string =>
  ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms)} ms`;

/** The last part of a path, whatever its separators. */
export const baseName = (path: string): string => path.split(/[\\/]/).at(-1) ?? path;

/** `512×3×7×7`: a whole shape, batch included; symbols by name, unknown sizes as `?`. */
export const formatShape = (shape: readonly (number | string | null)[]): string =>
  shape.length === 0 ? 'scalar' : shape.map(size => size ?? '?').join('×');
