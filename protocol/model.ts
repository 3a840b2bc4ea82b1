import type { AttentionInfo, AttentionLookalike } from './attention';
import type { PreprocessingSpec } from './preprocessing';

/** Element types of ONNX tensors, by their usual names. `undefined` is what a file leaves open. */
export type DataType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'int4'
  | 'uint4'
  | 'int2'
  | 'uint2'
  | 'bool'
  | 'string'
  | 'complex64'
  | 'complex128'
  | 'float8e4m3fn'
  | 'float8e4m3fnuz'
  | 'float8e5m2'
  | 'float8e5m2fnuz'
  | 'float8e8m0'
  | 'float4e2m1'
  | 'undefined';

/** A known size, a symbolic name, or null where nothing is known. */
export type Dimension = number | string | null;

/** A value of the graph. `shape` is null where even the rank is unknown. `container` marks values that are no tensors. */
export interface ValueInfo {
  readonly name: string;
  readonly dtype: DataType;
  readonly shape: readonly Dimension[] | null;
  readonly container?: 'sequence' | 'map' | 'optional' | 'sparse';
}

export type LayerKind =
  'conv' | 'linear' | 'norm' | 'activation' | 'pool' | 'attention' | 'recurrent' | 'other';

/** A weight of a layer. `role` is the operator's own word for it: weight, bias, scale, mean, variance … */
export interface LayerParameter {
  readonly role: string;
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DataType;
}

/** Where a layer is written in source code. `file` is relative to the workspace folder with `/`; line from 1; confidence 0…1. */
export interface LayerSource {
  readonly file: string;
  readonly line: number;
  readonly confidence: number;
  readonly from: string;
}

export type AttributeValue = number | string | readonly number[] | readonly string[];

/** One node that computes something on the data path. */
export interface LayerInfo {
  /** Unique in the model and stable over re-reads: the node's name where it is unique, else `op_N` with the node's index. */
  readonly id: string;
  /** The node's own name, empty where it has none. */
  readonly name: string;
  /** Operator, with its domain in front where it is not the ONNX one (`com.microsoft.Attention`). */
  readonly op: string;
  readonly kind: LayerKind;
  /** `layer4.1.conv2`: the module in the code that made it, where the file tells; else null. */
  readonly modulePath: string | null;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly outputShape: readonly Dimension[] | null;
  readonly parameters: readonly LayerParameter[];
  readonly parameterCount: number;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly source: LayerSource | null;
  /** Path of the subgraph that holds the node (`If_3/then_branch`), empty for the main graph. Its values can't be fetched. */
  readonly subgraph: string;
}

/** Something a reader met and went on from: one sentence, and the node, tensor or file it is about. */
export interface Problem {
  readonly severity: 'error' | 'warning' | 'information';
  readonly message: string;
  readonly subject?: string;
}

/** What is in a model file; what `inspect --json` prints. */
export interface ModelDescription {
  readonly path: string;
  readonly fileBytes: number;
  readonly irVersion: number;
  readonly opsets: Readonly<Record<string, number>>;
  readonly producer: string;
  readonly graphName: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly layers: readonly LayerInfo[];
  /** Every attention block, in order. */
  readonly attention: readonly AttentionInfo[];
  /** What is called attention and has no probabilities. */
  readonly attentionLookalikes: readonly AttentionLookalike[];
  readonly parameterCount: number;
  readonly weightBytes: number;
  /** One entry for each input that takes an image. */
  readonly preprocessing: readonly PreprocessingSpec[];
  readonly labels: LabelsInfo | null;
  /** A tokenizer file near the model (absolute path): the texts of token ids. */
  readonly tokenizer: string | null;
  readonly problems: readonly Problem[];
}

/** Class names in the order of the class axis, and where they were read. */
export interface LabelsInfo {
  readonly names: readonly string[];
  readonly from: string;
}
