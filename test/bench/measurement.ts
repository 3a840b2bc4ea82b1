import { seededNumbers } from './onnxWriter';

/** One line of the benchmark's table. */
export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: 'ms' | 'MB' | '×';
  /** The value should not be above this; null where nothing is aimed at. */
  readonly aim: number | null;
}

/** The middle value; the mean of the two in the middle for an even count. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** A seeded shuffle (Fisher–Yates). */
export function shuffled<T>(items: readonly T[], seed: number): readonly T[] {
  const next = seededNumbers(seed);
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.min(i, Math.floor(((next() + 1) / 2) * (i + 1)));
    const [a, b] = [result[i], result[j]];
    if (a !== undefined && b !== undefined) [result[i], result[j]] = [b, a];
  }
  return result;
}

/** The table as text, aligned; a line whose aim is missed ends with a cross. */
export function tableOf(measurements: readonly Measurement[]): string {
  const number = (value: number): string => (value < 10 ? value.toFixed(2) : value.toFixed(0));
  const rows = measurements.map(({ name, value, unit, aim }) => [
    name,
    `${number(value)} ${unit}`,
    aim === null ? '' : `aim ${aim} ${unit}`,
    aim === null ? '' : value <= aim ? 'ok' : '✗',
  ]);
  const widths = [0, 1, 2].map(column => Math.max(...rows.map(row => row[column]?.length ?? 0)));
  return rows
    .map(([name = '', value = '', aim = '', met = '']) =>
      [name.padEnd(widths[0] ?? 0), value.padStart(widths[1] ?? 0), aim.padEnd(widths[2] ?? 0), met]
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
