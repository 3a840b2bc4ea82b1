import { layerLabel, operatorText, shapeText } from '../../../../protocol/layerFacts';
import type { LayerInfo, ModelDescription, ValueInfo } from '../../../../protocol/model';
import type { PreprocessingSpec } from '../../../../protocol/preprocessing';
import type { Command } from '../command';
import { EXIT } from '../exitStatus';
import { openModel } from '../modelAndFeeds';
import { jsonText } from '../resultRecord';

/** `inspect`: what is in a model file. Structure only; no weight is read and nothing is run. */
export const inspect: Command = {
  name: 'inspect',
  summary: 'Show what is in the file: inputs, outputs, preprocessing, layers.',
  positionals: ['MODEL'],
  options: [],
  example: 'layer-lens inspect resnet18.onnx --json',
  async run(given, { terminal }) {
    const { description } = await openModel(given.word(0));
    terminal.out(
      given.has('json') ? jsonText(description) : describe(description, terminal.columns),
    );
    return EXIT.done;
  },
};

/** The readable form: a summary, then one line for each layer, at most `width` characters wide. */
export function describe(model: ModelDescription, width: number): string {
  const opsets = Object.entries(model.opsets).map(
    ([domain, version]) => `${domain || 'ai.onnx'} ${version}`,
  );
  const facts: readonly (readonly [string, string])[] = [
    ['Model', model.path],
    ['Producer', model.producer || 'not stated'],
    ['Format', `IR version ${model.irVersion}, opsets ${opsets.join(', ')}`],
    ['Parameters', `${model.parameterCount.toLocaleString('en')} (${sizeText(model.weightBytes)})`],
    ...model.inputs.map(value => ['Input', valueText(value)] as const),
    ...model.outputs.map(value => ['Output', valueText(value)] as const),
    ...model.preprocessing.map(spec => ['Preprocessing', preprocessingText(spec)] as const),
    ...(model.labels
      ? [['Labels', `${model.labels.names.length} (${model.labels.from})`] as const]
      : []),
    ...model.problems.map(({ severity, message }) => [sentenceCase(severity), message] as const),
  ];
  const names = Math.max(...facts.map(([name]) => name.length));
  const lines = facts.map(([name, text]) => `${name.padEnd(names)}  ${printable(text)}`);
  return `${[...lines, '', ...layerTable(model.layers, width)].join('\n')}\n`;
}

/** Aligned columns; the name is cut in its middle where a line would be too long. */
function layerTable(layers: readonly LayerInfo[], width: number): readonly string[] {
  const counts = new Map<string, number>();
  for (const layer of layers)
    counts.set(layerLabel(layer), (counts.get(layerLabel(layer)) ?? 0) + 1);
  const rows = layers.map(layer => [
    // A module path that several layers share would not find this one again.
    printable(counts.get(layerLabel(layer)) === 1 ? layerLabel(layer) : layer.id),
    printable(operatorText(layer)),
    printable(shapeText(layer.outputShape)),
    layer.parameterCount > 0 ? layer.parameterCount.toLocaleString('en') : '',
  ]);
  const head = ['Layer', 'Operator', 'Output', 'Parameters'];
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map(row => row[column]?.length ?? 0)));
  const rest = widths.slice(1).reduce((sum, each) => sum + each + 2, 0);
  const first = Math.max(12, Math.min(widths[0] ?? 0, width - rest));
  return all.map(([name = '', operator = '', output = '', parameters = '']) =>
    [
      shortened(name, first).padEnd(first),
      operator.padEnd(widths[1] ?? 0),
      output.padEnd(widths[2] ?? 0),
      parameters.padStart(widths[3] ?? 0),
    ]
      .join('  ')
      .trimEnd(),
  );
}

function shortened(text: string, length: number): string {
  if (text.length <= length) return text;
  const head = Math.floor((length - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (length - 1 - head))}`;
}

/** Names come from the file: control characters must not reach the terminal. */
const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '�');

const valueText = ({ name, dtype, shape, container }: ValueInfo): string =>
  `${name}: ${container ? `${container} of ` : ''}${dtype}${shape ? `[${shape.map(size => size ?? '?').join(', ')}]` : ''}`;

function preprocessingText(spec: PreprocessingSpec): string {
  const guessed = (traced: { readonly guessed: boolean }): string =>
    traced.guessed ? ' (guessed)' : '';
  const list = (values: readonly number[]): string =>
    values.map(value => Number(value.toPrecision(4))).join(', ');
  const { width, height } = spec.size.value;
  return [
    `${spec.input}: ${width}×${height}${guessed(spec.size)}`,
    `${spec.resize.value} ${spec.interpolation.value}${guessed(spec.resize)}`,
    `${spec.channels.value} ${spec.layout.value}${guessed(spec.channels)}`,
    `scale ${Number(spec.scale.value.toPrecision(4))}${guessed(spec.scale)}`,
    `mean ${list(spec.mean.value)}${guessed(spec.mean)}`,
    `std ${list(spec.std.value)}${guessed(spec.std)}`,
  ].join(' · ');
}

function sizeText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, bytes > 0 ? Math.floor(Math.log10(bytes) / 3) : 0);
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${units[power] ?? 'B'}`;
}

const sentenceCase = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
