import { UserError } from '../../../protocol/errors';
import { Owner } from '../../../protocol/lifecycle';
import type { DataType, ValueInfo } from '../../../protocol/model';
import type { RunValues } from '../methods/method';
import { elementCount, type Tensor } from '../onnx/tensor';
import { ByteCache } from './byteCache';
import type { FedInputs } from './feeds';
import type { Extent, OpenedModel } from './openModels';
import type { MadeGraph, SessionRun, Sessions } from './sessions';
import { totalBytes } from './tensorBytes';

type Values = ReadonlyMap<string, Tensor>;

/**
 * Values of runs, kept while they fit the budget, so that asking again, or for the next layer, is a look-up.
 *
 * What else a session gives decides which operators ONNX Runtime fuses, and with that the last bits of a value. So a run is kept by the
 * model's state, the feeds and the whole set of its outputs: what a request gives does not depend on what was asked before.
 */
export class Activations extends Owner {
  private readonly kept: ByteCache<Values>;
  /** Model states whose layers the runtime does not give all at once. */
  private readonly refused = new Set<string>();

  constructor(
    private budget: number,
    private readonly sessions: Sessions,
  ) {
    super();
    this.kept = this.register(new ByteCache<Values>(budget));
  }

  get bytes(): number {
    return this.kept.bytes;
  }

  configure(budget: number): void {
    this.budget = budget;
    this.kept.setBudget(budget);
  }

  release(modelPath: string): void {
    const isOfModel = (key: string): boolean => key.startsWith(prefixOf(modelPath));
    this.kept.deleteWhere(isOfModel);
    for (const state of [...this.refused]) if (isOfModel(state)) this.refused.delete(state);
  }

  /**
   * Values of tensors of the main graph: graph inputs, constants, and what a run gives. Sequences, maps and optionals are left out. With
   * `ahead` they are taken from a run that gives the outputs of all layers that are numbers, where those are known to fit the budget and
   * the asked ones are among them; else from a run of the whole model that gives the asked ones too, or of the part that they need where the whole
   * does not run. Throws `tensorNotFound`, and what `Sessions.run` throws.
   */
  async values(
    opened: OpenedModel,
    fed: FedInputs,
    names: readonly string[],
    ahead: boolean,
  ): Promise<RunValues> {
    const shapes = opened.shapes(fed.shapes);
    const tensors = new Map<string, Tensor>();
    const computed: string[] = [];
    for (const name of names) {
      const known = fed.tensors.get(name) ?? constant(opened, name);
      if (known) tensors.set(name, known);
      else if (isTensor(opened, shapes, name)) computed.push(name);
    }
    const run = computed.length > 0 ? await this.run(opened, fed, computed, ahead) : NO_RUN;
    for (const name of computed) tensors.set(name, tensorOf(run.tensors, name));
    const { loadMs, forwardMs } = run;
    return { tensors, times: { loadMs, forwardMs }, warnings: fed.warnings };
  }

  /**
   * Values of a graph that was made of a model's; kept where `inputsKey` says what it is fed.
   * Throws what `Sessions.run` throws.
   */
  async ofGraph(
    opened: OpenedModel,
    made: MadeGraph,
    tensors: ReadonlyMap<string, Tensor>,
    inputsKey: string | null,
  ): Promise<SessionRun> {
    const known = inputsKey === null ? null : this.keptGraph(opened, made.key, inputsKey);
    if (known) return { ...NO_RUN, tensors: known };
    const run = await this.sessions.runMade(opened, made, tensors);
    if (inputsKey !== null)
      this.kept.set(graphKey(opened, made.key, inputsKey), run.tensors, totalBytes(run.tensors));
    return run;
  }

  /** Values that `ofGraph` kept. */
  keptGraph(opened: OpenedModel, key: string, inputsKey: string): Values | null {
    return this.kept.get(graphKey(opened, key, inputsKey)) ?? null;
  }

  private async run(
    opened: OpenedModel,
    fed: FedInputs,
    names: readonly string[],
    ahead: boolean,
  ): Promise<SessionRun> {
    const state = `${prefixOf(opened.path)}${opened.fingerprint}`;
    const layers = ahead && !this.refused.has(state) ? this.layerOutputs(opened, fed) : [];
    if (layers.length > 0 && names.every(name => layers.includes(name))) {
      const together = await this.unlessRefused(
        opened,
        fed,
        layers,
        'needed',
        `${state}\n${fed.key}\nlayers`,
      );
      if (together) return together;
      this.refused.add(state);
    }
    const outputs = [...new Set(names)].sort();
    const key = `${state}\n${fed.key}\n${JSON.stringify(outputs)}`;
    const whole = await this.unlessRefused(opened, fed, outputs, 'whole', key);
    return whole ?? this.runOnce(opened, fed, outputs, 'needed', key);
  }

  /** Null where ONNX Runtime refuses: that the whole model or all layers together do not run is no reason to refuse what was asked for. */
  private async unlessRefused(
    opened: OpenedModel,
    fed: FedInputs,
    outputs: readonly string[],
    extent: Extent,
    key: string,
  ): Promise<SessionRun | null> {
    try {
      return await this.runOnce(opened, fed, outputs, extent, key);
    } catch (error) {
      if (error instanceof UserError && RETRIED.has(error.code)) return null;
      throw error;
    }
  }

  private async runOnce(
    opened: OpenedModel,
    fed: FedInputs,
    outputs: readonly string[],
    extent: Extent,
    key: string,
  ): Promise<SessionRun> {
    const known = this.kept.get(key);
    if (known) return { ...NO_RUN, tensors: known };
    const run = await this.sessions.run(opened, outputs, fed.tensors, extent);
    this.kept.set(key, run.tensors, totalBytes(run.tensors));
    return run;
  }

  /** What an `ahead` run gives: every output of a layer that is a map of known size, or nothing where they would not fit together. */
  private layerOutputs(opened: OpenedModel, fed: FedInputs): readonly string[] {
    const shapes = opened.shapes(fed.shapes);
    const outputs = opened.layers
      .filter(layer => layer.subgraph === '')
      .flatMap(layer => layer.outputs)
      .map(name => shapes.get(name))
      .filter(info => info !== undefined)
      .filter(isMap);
    const bytes = outputs.reduce((sum, info) => sum + (estimatedBytes(info) ?? 0), 0);
    return bytes <= this.budget ? [...new Set(outputs.map(info => info.name))] : [];
  }
}

const NO_RUN: SessionRun = { tensors: new Map(), loadMs: 0, forwardMs: 0 };

const graphKey = ({ path, fingerprint }: OpenedModel, key: string, inputsKey: string): string =>
  `${prefixOf(path)}${fingerprint}\n${inputsKey}\n${key}`;

const RETRIED: ReadonlySet<string> = new Set(['runtimeRefused', 'unsupported']);

const prefixOf = (modelPath: string): string => `${JSON.stringify(modelPath)}\n`;

/** Maps are made of floats, and of 8-bit integers in quantised networks. */
const isMap = (info: ValueInfo): boolean =>
  info.container === undefined && MAP_TYPES.has(info.dtype) && estimatedBytes(info) !== null;

const MAP_TYPES: ReadonlySet<DataType> = new Set<DataType>([
  'float32',
  'float64',
  'float16',
  'int8',
  'uint8',
]);

/** In memory; null where a size is not known. */
function estimatedBytes({ shape, dtype }: ValueInfo): number | null {
  const sizes = shape?.filter(size => typeof size === 'number');
  if (!sizes || sizes.length !== shape?.length) return null;
  return elementCount(sizes) * (dtype === 'float64' ? 8 : 4);
}

/** False for values that are no tensors. Throws `tensorNotFound` for names that the main graph does not compute. */
function isTensor(
  opened: OpenedModel,
  shapes: ReadonlyMap<string, ValueInfo>,
  name: string,
): boolean {
  if (!opened.computes(name)) {
    throw new UserError(
      'tensorNotFound',
      `${opened.name} computes no tensor "${name}" in its main graph; the layer list has the names.`,
    );
  }
  return shapes.get(name)?.container === undefined;
}

function constant(opened: OpenedModel, name: string): Tensor | undefined {
  const ref = opened.model.graph.initializers.get(name);
  return ref && opened.readTensor(ref);
}

function tensorOf(tensors: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`the runtime did not give ${name}`);
  return tensor;
}
