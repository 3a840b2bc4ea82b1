import type { ModelFeeds } from '../../../../protocol/methods';
import { cutAt } from '../../gradient/cut';
import { missingFacts } from '../../gradient/differentiate';
import {
  planGradient,
  questionKey,
  type GradientPlan,
  type PlannedQuestion,
} from '../../gradient/plan';
import { prepare, withElements, type Prepared } from '../../gradient/prepare';
import { toFloat32, toNumbers } from '../../onnx/numbers';
import type { InferredValues } from '../../onnx/shapes/inferShapes';
import { elementCount, type Tensor } from '../../onnx/tensor';
import type { MethodContext } from '../method';

/** The cotangent of the target: which weighted sum of its elements is differentiated. */
export type Seed =
  /** The highest element of each image. */
  | { readonly kind: 'top' }
  /** Weights of the target's shape, in C order. */
  | { readonly kind: 'weights'; readonly values: Float32Array };

export interface GradientRun {
  /** The target as the run gave it. */
  readonly target: Tensor;
  /** By tensor; null where no path leads from it to the target. */
  readonly gradients: ReadonlyMap<string, Tensor | null>;
  /** Values of the tensors in question. */
  readonly activations: ReadonlyMap<string, Tensor>;
}

/** Graphs for questions that are kept of one prepared model. */
const MOST_PLANS = 32;

/** Values and derivatives of a model for one input, from a run of the whole and runs of the part behind a layer. */
export class Derivatives {
  /** What the runs took so far. */
  readonly times = { loadMs: 0, forwardMs: 0, gradientMs: 0 };
  /** Values for the input that were fetched so far. */
  private readonly fetched = new Map<string, Tensor>();
  private types: InferredValues['shapes'] | undefined;

  private constructor(
    private readonly context: MethodContext,
    readonly feeds: ModelFeeds,
    private readonly prepared: Prepared,
    /** What the prepared graph is fed: float16 inputs as float32. */
    readonly inputs: ReadonlyMap<string, Tensor>,
    private readonly feedsKey: string,
    /** Other layers' activations come from the same run and are kept. */
    private readonly ahead: boolean,
  ) {}

  /** Throws what preparing the feeds throws. */
  static async open(
    context: MethodContext,
    feeds: ModelFeeds,
    ahead: boolean,
  ): Promise<Derivatives> {
    const fed = await context.fed(feeds);
    const shapes = new Map([...fed].map(([name, { shape }]) => [name, shape]));
    const prepared = prepare(context.model, {
      inputs: shapes,
      conditions: await conditionsOf(context, feeds, shapes),
      infer: (model, inputs) => context.infer(model, inputs),
      readTensor: ref => context.readTensor(ref),
    });
    const inputs = new Map(
      prepared.model.graph.inputs.flatMap(({ name, dtype }): [string, Tensor][] => {
        const tensor = fed.get(name);
        if (!tensor) return [];
        const widened = dtype === 'float32' && tensor.dtype !== 'float32';
        return [[name, widened ? { dtype, shape: tensor.shape, data: toFloat32(tensor) } : tensor]];
      }),
    );
    return new Derivatives(context, feeds, prepared, inputs, await context.feedsKey(feeds), ahead);
  }

  /** The graph that is differentiated. */
  get model(): Prepared['model'] {
    return this.prepared.model;
  }
  get facts(): InferredValues {
    return this.prepared.facts;
  }
  get approximate(): string | null {
    return this.prepared.approximate;
  }

  /** Sizes of a tensor; null where only a run tells them. */
  shapeOf(name: string): readonly number[] | null {
    const shape = this.facts.shapes.get(name)?.shape;
    const sizes = shape?.filter(size => typeof size === 'number');
    return sizes && sizes.length === shape?.length ? sizes : null;
  }

  /** False also for tensors that the model does not have. */
  isFloat(name: string): boolean {
    const dtype = this.facts.shapes.get(name)?.dtype;
    return dtype === 'float32' || dtype === 'float64';
  }

  /** Values of tensors for the input. */
  async values(names: readonly string[]): Promise<ReadonlyMap<string, Tensor>> {
    const found = new Map<string, Tensor>();
    const wanted: string[] = [];
    for (const name of names) {
      const known = this.inputs.get(name) ?? this.fetched.get(name);
      if (known) found.set(name, known);
      else wanted.push(name);
    }
    if (wanted.length === 0) return found;
    const original = wanted.filter(name => this.isOriginal(name));
    const written = wanted.filter(name => !original.includes(name));
    for (const [names, run] of [
      [original, (those: readonly string[]) => this.runOriginal(those)],
      [written, (those: readonly string[]) => this.runForward(those, this.inputs, this.feedsKey)],
    ] as const) {
      if (names.length === 0) continue;
      const { tensors, times } = await run(names);
      this.times.loadMs += times.loadMs;
      this.times.forwardMs += times.forwardMs;
      for (const [name, tensor] of tensors) {
        this.fetched.set(name, tensor);
        found.set(name, tensor);
      }
    }
    return found;
  }

  /**
   * Whether the model itself gives a tensor as the prepared form has it: not what was written out, nor what was widened. Of quantised models the form
   * differs in rounding, so that only the model itself tells what it predicts.
   */
  private isOriginal(name: string): boolean {
    if (!this.prepared.changed) return true;
    const dtype = this.originalTypes.get(name)?.dtype;
    return dtype !== undefined && dtype === this.facts.shapes.get(name)?.dtype;
  }

  private get originalTypes(): InferredValues['shapes'] {
    if (!this.types) {
      const shapes = new Map([...this.inputs].map(([name, { shape }]) => [name, shape]));
      this.types = this.context.infer(this.context.model, shapes).shapes;
    }
    return this.types;
  }

  /** Values of the model as it is, on the part that they need. */
  private async runOriginal(names: readonly string[]): ReturnType<MethodContext['runGraph']> {
    if (this.ahead) return this.context.values(this.feeds, names, { ahead: true });
    const outputs = [...names].sort();
    const plan = {
      key: JSON.stringify(['', 'values', outputs]),
      outputs,
      make: () => this.context.model,
    };
    return this.context.runGraph(plan, {
      tensors: await this.context.fed(this.feeds),
      key: this.feedsKey,
    });
  }

  /** Values of the graph that is differentiated, also of tensors that the model itself gives. */
  async preparedValues(names: readonly string[]): Promise<ReadonlyMap<string, Tensor>> {
    const run = await this.runForward(names, this.inputs, this.feedsKey);
    this.times.loadMs += run.times.loadMs;
    this.times.forwardMs += run.times.forwardMs;
    return run.tensors;
  }

  /** As `preparedValues`, but nothing is kept: for more than is to be held at once. */
  async passing(names: readonly string[]): Promise<ReadonlyMap<string, Tensor>> {
    const run = await this.runForward(names, this.inputs, null);
    this.times.loadMs += run.times.loadMs;
    this.times.forwardMs += run.times.forwardMs;
    return run.tensors;
  }

  /** One tensor's value for other inputs than the fed ones (by graph input; those left out stay). */
  async valueFor(name: string, changed: ReadonlyMap<string, Tensor>): Promise<Tensor> {
    const run = await this.runForward([name], new Map([...this.inputs, ...changed]), null);
    this.times.loadMs += run.times.loadMs;
    this.times.forwardMs += run.times.forwardMs;
    return required(run.tensors, name);
  }

  /**
   * The part of the model behind `at`, to be run for other values of those tensors: gives the target's value. Needs no derivative, and one
   * session serves all runs.
   */
  async behind(
    target: string,
    at: readonly string[],
  ): Promise<(changed: ReadonlyMap<string, Tensor>) => Promise<Tensor>> {
    const { model, facts, key } = this.prepared;
    const fetched = await this.values(cutAt(model, facts, at).inputs);
    const shapes = new Map(facts.shapes);
    for (const [name, { dtype, shape }] of fetched) shapes.set(name, { name, dtype, shape });
    const plan = {
      key: JSON.stringify([key, 'behind', target, [...at].sort()]),
      outputs: [target],
      make: () => cutAt(model, { ...facts, shapes }, at).model,
    };
    return async changed => {
      const tensors = new Map([...this.inputs, ...fetched, ...changed]);
      const run = await this.context.runGraph(plan, { tensors, key: null });
      this.times.loadMs += run.times.loadMs;
      this.times.forwardMs += run.times.forwardMs;
      return required(run.tensors, target);
    };
  }

  /**
   * The gradients that a question asks for. Of tensors behind the inputs only the part of the model behind them is run; their values come from
   * `values`. `changed` replaces inputs of that part: graph inputs, or the tensors in question.
   * @throws NoGradientError.
   */
  async gradients(
    question: PlannedQuestion,
    seed: Seed,
    changed: ReadonlyMap<string, Tensor> = new Map(),
    keep = false,
  ): Promise<GradientRun> {
    const { plan, key } = await this.planFor(question);
    const fetched = await this.values(plan.inputs.filter(name => !changed.has(name)));
    const tensors = new Map([...this.inputs, ...fetched, ...changed]);
    tensors.set(plan.seed.name, seedTensor(plan, seed));
    if (plan.top)
      tensors.set(plan.top.name, tensorWith(plan.top.dtype, [], [seed.kind === 'top' ? 1 : 0]));
    const run = await this.context.runGraph(
      { key, outputs: outputsOf(plan), make: () => plan.model },
      { tensors, key: keep && changed.size === 0 ? this.runKey(seed) : null },
    );
    this.times.loadMs += run.times.loadMs;
    this.times.gradientMs += run.times.forwardMs;
    return gradientRun(plan, tensors, run.tensors);
  }

  /** What a kept run of `gradients` gave; null where none is kept. */
  async keptGradients(question: PlannedQuestion, seed: Seed): Promise<GradientRun | null> {
    const inputsKey = this.runKey(seed);
    if (inputsKey === null) return null;
    const { plan, key } = await this.planFor(question);
    const kept = this.context.keptGraph(key, inputsKey);
    return kept && gradientRun(plan, this.inputs, kept);
  }

  /** What a run with this seed is fed; null where the seed is too long to be told apart by its elements. */
  private runKey(seed: Seed): string | null {
    if (seed.kind === 'top') return `${this.feedsKey}\ntop`;
    const weights = [...seed.values.entries()].filter(([, weight]) => weight !== 0);
    return weights.length <= MOST_KEYED ? `${this.feedsKey}\n${weights.join()}` : null;
  }

  private runForward(
    names: readonly string[],
    tensors: ReadonlyMap<string, Tensor>,
    inputsKey: string | null,
  ): ReturnType<MethodContext['runGraph']> {
    const outputs = [...names].sort();
    return this.context.runGraph(
      {
        key: JSON.stringify([this.formKey(), 'values', outputs]),
        outputs,
        make: () => this.prepared.model,
      },
      { tensors, key: inputsKey },
    );
  }

  /** The unchanged model is the same graph for all inputs. */
  private formKey(): string {
    return this.prepared.changed ? this.prepared.key : '';
  }

  private async planFor(question: PlannedQuestion): Promise<{ plan: GradientPlan; key: string }> {
    const { facts, told } = await this.factsFor(question);
    const key = JSON.stringify([this.prepared.key, questionKey(question), told]);
    const { plans } = this.prepared;
    const plan = plans.get(key) ?? planGradient(this.prepared.model, facts, question);
    plans.delete(key);
    plans.set(key, plan);
    for (const old of [...plans.keys()].slice(0, -MOST_PLANS)) plans.delete(old);
    return { plan, key };
  }

  /** The facts, with what only a run tells and the question needs. */
  private async factsFor(
    question: PlannedQuestion,
  ): Promise<{ readonly facts: InferredValues; readonly told: unknown }> {
    const { facts, model } = this.prepared;
    const asked = questionKey(question);
    const missing = this.prepared.missing.get(asked) ?? missingFacts(model.graph, facts, question);
    this.prepared.missing.set(asked, missing);
    const names = [...new Set([...missing.shapes, ...missing.elements])];
    if (names.length === 0) return { facts, told: null };
    const run = await this.runForward(names, this.inputs, this.feedsKey);
    const shapes = new Map(facts.shapes);
    const elements = new Map<string, readonly number[]>();
    for (const [name, tensor] of run.tensors) {
      shapes.set(name, { name, dtype: tensor.dtype, shape: tensor.shape });
      if (missing.elements.includes(name) && tensor.data.length <= MOST_ELEMENTS)
        elements.set(name, Array.from(toNumbers(tensor)));
    }
    const told = [names.map(name => shapes.get(name)?.shape ?? null), [...elements]];
    return { facts: withElements({ ...facts, shapes }, elements), told };
  }
}

const MOST_ELEMENTS = 1024;
const MOST_KEYED = 64;

/** Values of the conditions of If nodes that do not follow from constants and sizes. */
async function conditionsOf(
  context: MethodContext,
  feeds: ModelFeeds,
  shapes: ReadonlyMap<string, readonly number[]>,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const branches = context.model.graph.nodes.filter(node => node.op === 'If' && node.domain === '');
  if (branches.length === 0) return new Map();
  const facts = context.infer(context.model, shapes);
  const open = branches
    .map(node => node.inputs[0] ?? '')
    .filter(name => name !== '' && facts.elements(name) === null);
  if (open.length === 0) return new Map();
  const { tensors } = await context.values(feeds, [...new Set(open)]);
  return new Map([...tensors].map(([name, tensor]) => [name, Array.from(toNumbers(tensor))]));
}

function required(tensors: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`the run gave no ${name}`);
  return tensor;
}

const outputsOf = (plan: GradientPlan): string[] => [
  ...new Set([
    plan.target,
    ...[...plan.gradients.values()].flatMap(name => name ?? []),
    ...plan.activations,
  ]),
];

function gradientRun(
  plan: GradientPlan,
  inputs: ReadonlyMap<string, Tensor>,
  outputs: ReadonlyMap<string, Tensor>,
): GradientRun {
  const activations = new Map<string, Tensor>();
  for (const name of plan.gradients.keys()) {
    const value = inputs.get(name) ?? outputs.get(name);
    if (value) activations.set(name, value);
  }
  return {
    target: required(outputs, plan.target),
    gradients: new Map(
      [...plan.gradients].map(([name, output]) => [
        name,
        output === null ? null : required(outputs, output),
      ]),
    ),
    activations,
  };
}

function seedTensor({ seed }: GradientPlan, given: Seed): Tensor {
  const count = elementCount(seed.shape);
  const values = given.kind === 'top' ? new Float32Array(count) : given.values;
  if (values.length !== count) throw new Error(`a seed of ${values.length} for ${count} elements`);
  return tensorWith(seed.dtype, seed.shape, values);
}

/** A tensor of a type that values can be given in: floats (their own memory where they are float32), or the bytes of a picture, rounded and clamped. */
export function tensorWith(
  dtype: Tensor['dtype'],
  shape: readonly number[],
  values: Float32Array | readonly number[],
): Tensor {
  if (dtype === 'float64') return { dtype, shape, data: Float64Array.from(values) };
  if (dtype === 'uint8')
    return { dtype, shape, data: Uint8Array.from(values, value => whole(value, 0, 255)) };
  if (dtype === 'int8')
    return { dtype, shape, data: Int8Array.from(values, value => whole(value, -128, 127)) };
  const data = values instanceof Float32Array ? values : Float32Array.from(values);
  return { dtype: 'float32', shape, data };
}

const whole = (value: number, least: number, most: number): number =>
  Math.min(most, Math.max(least, Math.round(value)));
