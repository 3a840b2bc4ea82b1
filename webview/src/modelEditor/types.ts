import type { LayerInfo } from '../../../protocol/model';

/** One line of the layer table, as it is shown and searched. */
export interface LayerRow {
  readonly layer: LayerInfo;
  /** Position in the model, from 1. */
  readonly number: number;
  readonly name: string;
  readonly operator: string;
  readonly output: string;
  readonly parameters: string;
  readonly source: string;
  /** All words of the line, in lower case. */
  readonly haystack: string;
}

/** A column of the layer table. */
export interface Column {
  readonly key: 'name' | 'operator' | 'output' | 'parameters' | 'source';
  readonly label: string;
}

/** A name with its value, in the summary. */
export type Fact = readonly [name: string, value: string];
