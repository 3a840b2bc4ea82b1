import { realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../../protocol/errors';
import { Owner } from '../../../protocol/lifecycle';
import type { LayerInfo, Problem, ValueInfo } from '../../../protocol/model';
import { openModelFile, type ModelFile } from '../files/modelFile';
import { bitsOf } from '../onnx/dataTypes';
import { editModel, type EditedModel } from '../onnx/editModel';
import type { Graph, Model, TensorRef } from '../onnx/graph';
import { inlineFunctions } from '../onnx/inlineFunctions';
import { listLayers } from '../onnx/layers';
import { readTensor } from '../onnx/readTensor';
import { inferValues, type InferredValues } from '../onnx/shapes/inferShapes';
import { elementCount, type Tensor } from '../onnx/tensor';

/** Models that stay open. Only structures are held, so few megabytes each. */
const MOST_OPEN = 8;
/** Shapes for different inputs that are kept for one model. */
const MOST_SHAPES = 4;

type Shapes = ReadonlyMap<string, ValueInfo>;

/**
 * How much of a model a session computes: the whole model with its own outputs, so that values are those of the model with tensors declared
 * as outputs to the last bit (what else is computed decides which operators ONNX Runtime fuses), or only what the outputs need.
 */
export type Extent = 'whole' | 'needed';

/** A copy of a structure, and the folder that its weights are in. */
export type EncodedModel = EditedModel & { readonly folder: string };

/** One state of a model file: its structure, and what follows from it without a run. */
export class OpenedModel extends Owner {
  /** The structure with local functions inlined: its values are the ones that can be fetched. */
  readonly model: Model;
  /** File name, for messages. */
  readonly name: string;
  private readonly file: ModelFile;
  private readonly states: string;
  private readonly valuesByInputs = new Map<string, InferredValues>();
  private computed: ReadonlySet<string> | undefined;
  private listed: readonly LayerInfo[] | undefined;

  constructor(readonly path: string) {
    super();
    this.file = this.register(openModelFile(path));
    this.states = statesOf(this.file.files);
    this.model = inlineFunctions(this.file.model);
    this.name = baseName(path);
  }

  /** Changes with any change of the model or of the files its weights are in. */
  get fingerprint(): string {
    return this.file.fingerprint;
  }

  /** The model and the external files it names, absolute. */
  get files(): readonly string[] {
    return this.file.files;
  }

  /** False as soon as one of the files differs from what was opened. */
  isCurrent(): boolean {
    return statesOf(this.file.files) === this.states;
  }

  get layers(): readonly LayerInfo[] {
    if (this.listed === undefined) {
      const { shapes, elements } = this.infer(new Map());
      this.listed = listLayers(this.model, shapes, elements);
    }
    return this.listed;
  }

  /** Type and shape of every value when inputs of these shapes are fed; those left out keep their symbols. */
  shapes(inputs: ReadonlyMap<string, readonly number[]>): Shapes {
    return this.infer(inputs).shapes;
  }

  private infer(inputs: ReadonlyMap<string, readonly number[]>): InferredValues {
    const key = JSON.stringify([...inputs]);
    const known = this.valuesByInputs.get(key);
    if (known) return known;
    const [oldest] = this.valuesByInputs.keys();
    if (oldest !== undefined && this.valuesByInputs.size >= MOST_SHAPES) {
      this.valuesByInputs.delete(oldest);
    }
    const values = inferValues(this.model, {
      readConstant: ref => this.readTensor(ref),
      inputShapes: inputs,
    });
    this.valuesByInputs.set(key, values);
    return values;
  }

  /** True for outputs of nodes of the main graph. */
  computes(tensor: string): boolean {
    this.computed ??= new Set(this.model.graph.nodes.flatMap(node => node.outputs));
    return tensor !== '' && this.computed.has(tensor);
  }

  /** The graph input of this name. Throws `usage`. */
  input(name: string): ValueInfo {
    const input = this.model.graph.inputs.find(each => each.name === name);
    if (input) return input;
    throw new UserError('usage', `${this.name} has no input "${name}".`);
  }

  readTensor(ref: TensorRef): Tensor {
    return readTensor(this.model, ref, this.file.external);
  }

  /**
   * A copy of the structure that gives these tensors, and the folder that its weights are in. ONNX Runtime follows no link out of
   * that folder, so where the model is a link it is the folder of the file it leads to.
   */
  select(outputs: readonly string[], extent: Extent): EncodedModel {
    return this.encode(this.model, outputs, extent);
  }

  /** As `select`, for a graph that was made of this model's: its weights lie in the same files. */
  encode(model: Model, outputs: readonly string[], extent: Extent): EncodedModel {
    const real = realpathSync(this.path);
    const { source } = this.model;
    const named = {
      name: real,
      size: source.size,
      read: (offset: number, length: number) => source.read(offset, length),
    };
    const edited = editModel(
      { ...model, source: named },
      { outputs, keepOriginalOutputs: extent === 'whole', truncate: extent === 'needed' },
      this.file.external,
    );
    return { ...edited, folder: path.dirname(real) };
  }

  /** What of a graph made of this model follows without a run; see `shapes`. */
  inferIn(model: Model, inputs: ReadonlyMap<string, readonly number[]>): InferredValues {
    if (model === this.model) return this.infer(inputs);
    return inferValues(model, {
      readConstant: ref => this.readTensor(ref),
      inputShapes: inputs,
    });
  }

  /**
   * Throws unless every weight lies within its file: `missingExternalData`, or `brokenModel` for a file that is shorter than the structure
   * says. To be asked before ONNX Runtime maps the files, because a mapping beyond the end of a file is fatal.
   */
  requireWeights(): void {
    this.file.requireExternalFiles();
    for (const ref of this.model.graph.initializers.values()) this.requireWhole(ref);
  }

  /** What `requireWeights` would throw, for a person who looks at the structure. */
  weightProblems(): readonly Problem[] {
    try {
      this.requireWeights();
      return [];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return [{ severity: 'error', message: error.message }];
    }
  }

  private requireWhole({ name, location, dtype, shape }: TensorRef): void {
    if (location.kind !== 'external') return;
    const { size } = this.file.external(location.location);
    const length = location.length ?? Math.ceil((elementCount(shape) * bitsOf(dtype)) / 8);
    if (location.offset + length <= size) return;
    throw new UserError(
      'brokenModel',
      `${location.location}, which holds weights of ${this.name}, is still being written or truncated: "${name}" ends at byte ${location.offset + length} of ${size}.`,
    );
  }
}

/** The models that are open, by path. A model whose file changed is opened anew by the next request. */
export class OpenModels extends Owner {
  private readonly models = new Map<string, OpenedModel>();

  /** Throws what opening a model throws: see `openModelFile`. */
  open(modelPath: string): OpenedModel {
    const known = this.models.get(modelPath);
    this.models.delete(modelPath);
    if (known && !known.isCurrent()) known.dispose();
    const model = known?.isCurrent() ? known : new OpenedModel(modelPath);
    this.models.set(modelPath, model);
    this.evict();
    return model;
  }

  release(modelPath: string): void {
    this.models.get(modelPath)?.dispose();
    this.models.delete(modelPath);
  }

  override dispose(): void {
    for (const modelPath of [...this.models.keys()]) this.release(modelPath);
    super.dispose();
  }

  private evict(): void {
    for (const modelPath of [...this.models.keys()]) {
      if (this.models.size <= MOST_OPEN) return;
      this.release(modelPath);
    }
  }
}

/** Bytes of the weights of a graph and of the graphs inside it, as stored. */
export function weightBytes(graph: Graph): number {
  let bytes = 0;
  for (const { dtype, shape } of graph.initializers.values()) {
    bytes += (elementCount(shape) * bitsOf(dtype)) / 8;
  }
  return bytes;
}

export const baseName = (file: string): string => path.basename(file);

const statesOf = (files: readonly string[]): string =>
  files
    .map(file => statSync(file, { throwIfNoEntry: false }))
    .map(stat => (stat ? `${stat.size} ${stat.mtimeMs} ${stat.ino}` : 'missing'))
    .join('\n');
