import path from 'node:path';
import { isCapabilityError, UserError } from '../../../../protocol/errors';
import type { ModelFeeds, PredictResult } from '../../../../protocol/methods';
import type { ModelDescription } from '../../../../protocol/model';
import { isReadable, outputParts } from '../../methods/outputParts';
import { arrayFile } from '../arrayFile';
import type { Command } from '../command';
import { withEngine, type EngineSession } from '../engineSession';
import { EXIT } from '../exitStatus';
import { safeFileNames } from '../fileNames';
import { findLayer } from '../findLayer';
import { INPUT_OPTION, openModelAndFeeds } from '../modelAndFeeds';
import { OutputFolder } from '../outputFolder';
import type { ParsedArguments } from '../parseArguments';
import { PREPROCESSING_OPTIONS } from '../preprocessingOptions';
import { jsonText, provenance } from '../resultRecord';

/** Bytes of tensors that are asked for in one run. */
const PART_BYTES = 128 * 2 ** 20;
const TOP = 5;

/** One written tensor, for `result.json`. */
interface WrittenTensor {
  readonly name: string;
  readonly file: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly valueRange: readonly [number, number] | null;
}

/** What the runs of one command gave. */
class TensorWriter {
  readonly written: WrittenTensor[] = [];
  readonly warnings = new Set<string>();
  readonly times = { loadMs: 0, forwardMs: 0 };

  constructor(
    private readonly engine: EngineSession,
    private readonly model: string,
    private readonly feeds: ModelFeeds,
    private readonly files: ReadonlyMap<string, string>,
    private readonly output: OutputFolder,
  ) {}

  /** Runs the model for these tensors and writes each one. */
  async write(names: readonly string[]): Promise<void> {
    const params = { model: this.model, feeds: this.feeds, tensors: names };
    const result = await this.engine.call('tensors', params);
    this.times.loadMs += result.times.loadMs;
    this.times.forwardMs += result.times.forwardMs;
    for (const warning of result.warnings) this.warnings.add(warning);
    for (const tensor of result.tensors) {
      const file = this.files.get(tensor.name) ?? '';
      const array = arrayFile(tensor);
      this.output.write(file, array.bytes);
      if (array.note !== '') this.warnings.add(`${tensor.name}: ${array.note}`);
      const { name, dtype, shape } = tensor;
      this.written.push({ name, file, dtype, shape, valueRange: array.range });
    }
  }

  /** As `write`, but leaves out single tensors that cannot be read (types the runtime does not give), with a warning. */
  async writeReadable(names: readonly string[]): Promise<void> {
    try {
      await this.write(names);
    } catch (error) {
      const unreadable = error instanceof UserError && isCapabilityError(error.code);
      if (!unreadable || error.code === 'engineCrashed' || error.code === 'outOfMemory')
        throw error;
      if (names.length === 1) {
        this.warnings.add(`${names.join()} is left out: ${error.message}`);
        return;
      }
      const middle = Math.ceil(names.length / 2);
      await this.writeReadable(names.slice(0, middle));
      await this.writeReadable(names.slice(middle));
    }
  }
}

/** `tensors`: values of any intermediate tensor. */
export const tensors: Command = {
  name: 'tensors',
  summary: 'Write values of intermediate tensors (one .npy each, index.json, result.json).',
  positionals: ['MODEL'],
  options: [
    INPUT_OPTION,
    { name: 'tensor', value: 'NAME', help: 'A tensor of the main graph.', repeatable: true },
    { name: 'layer', value: 'L', help: "A layer's output, by any of its names.", repeatable: true },
    { name: 'all-layers', value: null, help: 'The output of every layer.' },
    { name: 'out', value: 'DIR', help: 'Folder to write to.' },
    ...PREPROCESSING_OPTIONS,
  ],
  example: 'layer-lens tensors resnet18.onnx --input dog.jpg --layer layer4 --out dog-layer4',
  async run(given, context) {
    const started = performance.now();
    const folder = given.required('out');
    const { described, feeds } = await openModelAndFeeds(given);
    const { description } = described;
    const named = namedTensors(given, description);
    requireInput(given, description);
    const parts = given.has('all-layers') ? layerTensors(description) : [];
    const files = safeFileNames([...named, ...parts.flat()], '.npy');
    const output = new OutputFolder(folder);
    try {
      const { writer, predicted } = await withEngine(context, async engine => {
        const writer = new TensorWriter(engine, description.path, feeds, files, output);
        if (named.length > 0) await writer.write(named);
        const predicted = await predictedTop(engine, description, feeds);
        for (const part of parts)
          await writer.writeReadable(part.filter(name => !named.includes(name)));
        return { writer, predicted };
      });
      if (writer.written.length === 0)
        throw new UserError(
          'unsupported',
          `No layer of ${description.path} has an output that could be read.`,
        );
      const record = {
        method: 'tensors',
        layers: given.all('layer').map(name => findLayer(description, name).id),
        tensors: writer.written,
        options: { allLayers: given.has('all-layers') },
        predicted,
        times: { ...writer.times, totalMs: performance.now() - started },
        ...(await provenance(described, feeds, context.signal)),
        warnings: [...writer.warnings],
      };
      output.write(
        'index.json',
        jsonText(Object.fromEntries(writer.written.map(({ name, file }) => [name, file]))),
      );
      output.write('result.json', jsonText(record));
      context.signal.throwIfAborted();
      output.commit();
      for (const warning of writer.warnings) context.terminal.err(`layer-lens: ${warning}\n`);
      if (given.has('json')) context.terminal.out(jsonText(record));
      return EXIT.done;
    } finally {
      output.dispose();
    }
  },
};

/** The tensors of `--tensor` and `--layer`, each once. */
function namedTensors(given: ParsedArguments, description: ModelDescription): readonly string[] {
  const ofLayers = given.all('layer').map(name => {
    const layer = findLayer(description, name);
    const [output] = layer.outputs;
    if (output === undefined || !isReadable(layer))
      throw new UserError(
        'unsupported',
        `The output of "${layer.id}" lies inside ${layer.subgraph} and cannot be read from outside.`,
      );
    return output;
  });
  const names = [...new Set([...given.all('tensor'), ...ofLayers])];
  if (names.length === 0 && !given.has('all-layers'))
    throw new UserError('usage', 'Say which values: --tensor NAME, --layer L or --all-layers.');
  return names;
}

/** Maps of a picture that nobody gave would tell nothing; other inputs keep their stated default. */
function requireInput(given: ParsedArguments, description: ModelDescription): void {
  const [picture] = description.preprocessing;
  if (picture && !given.has('input'))
    throw new UserError(
      'inputNeeded',
      `${path.basename(description.path)} takes a picture as "${picture.input}": give one, or a .npy file, with --input.`,
    );
}

const layerTensors = (description: ModelDescription): readonly (readonly string[])[] =>
  outputParts(description.layers.filter(isReadable), PART_BYTES).map(part =>
    part.flatMap(layer => layer.outputs.slice(0, 1)),
  );

/** The five highest classes with their labels; null where the model does not classify. */
async function predictedTop(
  engine: EngineSession,
  description: ModelDescription,
  feeds: ModelFeeds,
): Promise<readonly unknown[] | null> {
  const params = { model: description.path, feeds, top: TOP };
  const { classes }: PredictResult = await engine.call('predict', params);
  const labels = description.labels?.names;
  return classes?.map(each => ({ ...each, label: labels?.[each.index] ?? null })) ?? null;
}
