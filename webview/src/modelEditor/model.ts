import { layerLabel, operatorText } from '../../../protocol/layerFacts';
import type { ModelDescription, ValueInfo } from '../../../protocol/model';
import { formatBytes, formatCount, formatShape } from '../lib/format';
import type { Column, Fact, LayerRow } from './types';

/** Height of a line of the layer table, CSS pixels. */
export const ROW_HEIGHT = 24;

export const COLUMNS: readonly Column[] = [
  { key: 'name', label: 'Layer' },
  { key: 'operator', label: 'Operator' },
  { key: 'output', label: 'Output' },
  { key: 'parameters', label: 'Parameters' },
  { key: 'source', label: 'Source' },
];

/** What the model is, in a few pairs. */
export function summaryFacts(model: ModelDescription): readonly Fact[] {
  const opsets = Object.entries(model.opsets).map(
    ([domain, version]) => `${domain === '' ? 'ai.onnx' : domain} ${version}`,
  );
  const facts: readonly Fact[] = [
    ['Graph', model.graphName],
    ['Producer', model.producer],
    ['Opset', opsets.join(', ')],
    ['IR version', String(model.irVersion)],
    ['Layers', formatCount(model.layers.length)],
    ['Parameters', formatCount(model.parameterCount)],
    ['Weights', formatBytes(model.weightBytes)],
    ['File', formatBytes(model.fileBytes)],
    [
      'Labels',
      model.labels ? `${formatCount(model.labels.names.length)} from ${model.labels.from}` : '',
    ],
  ];
  return facts.filter(([, value]) => value !== '');
}

/** `float32 1×3×224×224`, or what the value is instead of a tensor. */
export const valueType = (value: ValueInfo): string =>
  value.container
    ? `${value.container} of ${value.dtype}`
    : `${value.dtype} ${value.shape ? formatShape(value.shape) : 'of unknown rank'}`;

export function layerRows(model: ModelDescription): readonly LayerRow[] {
  return model.layers.map((layer, index) => {
    const name = layerLabel(layer);
    const operator = operatorText(layer);
    const output = layer.outputShape ? formatShape(layer.outputShape) : '?';
    const parameters = layer.parameterCount > 0 ? formatCount(layer.parameterCount) : '';
    const source = layer.source ? `${layer.source.file}:${layer.source.line}` : '';
    const haystack = [
      name,
      layer.id,
      layer.name,
      layer.op,
      operator,
      output,
      source,
      layer.subgraph,
    ]
      .join('\n')
      .toLowerCase();
    return { layer, number: index + 1, name, operator, output, parameters, source, haystack };
  });
}

/** Lines that hold every word of the search, in any order, whatever the case. */
export function searchRows(rows: readonly LayerRow[], search: string): readonly LayerRow[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter(row => words.every(word => row.haystack.includes(word)));
}

/** Lines to put into the page: the visible ones and some more on both sides. */
export function rowWindow(
  count: number,
  scrollTop: number,
  height: number,
  more = 8,
): { readonly first: number; readonly end: number } {
  const first = Math.max(0, Math.floor(scrollTop / ROW_HEIGHT) - more);
  const end = Math.min(count, Math.ceil((scrollTop + height) / ROW_HEIGHT) + more);
  return { first: Math.min(first, end), end };
}

/** The line that a key leads to; null for other keys and without lines. */
export function moveRow(count: number, row: number, key: string, page: number): number | null {
  const targets: Readonly<Record<string, number>> = {
    ArrowUp: row - 1,
    ArrowDown: row + 1,
    PageUp: row - page,
    PageDown: row + page,
    Home: 0,
    End: count - 1,
  };
  const target = Object.hasOwn(targets, key) ? targets[key] : undefined;
  return target === undefined || count === 0 ? null : Math.min(Math.max(target, 0), count - 1);
}
