import type { DataType, Problem, ValueInfo } from '../../../protocol/model';

/**
 * The structure of an ONNX model as this project sees it: no protobuf, no weights. Everything is read-only; edits make new graphs.
 * Follows the ONNX IR specification (onnx.proto3); field names are the specification's.
 */

/** Bytes by range. `read` gives exactly `length` bytes or throws a UserError that names the file. Not copied unless needed. */
export interface ByteSource {
  /** For messages; absolute where it is a file. */
  readonly name: string;
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}

/** Where the bytes of a tensor lie. Offsets are absolute in their source. */
export type TensorLocation =
  /** `raw_data`, little-endian, in the model file. */
  | { readonly kind: 'raw'; readonly offset: number; readonly length: number }
  /** A typed field (`float_data`, `int32_data`, …): the whole TensorProto message is decoded when asked for. */
  | { readonly kind: 'typed'; readonly offset: number; readonly length: number }
  /** Another file beside the model. `length` null: up to what the shape needs. */
  | {
      readonly kind: 'external';
      readonly location: string;
      readonly offset: number;
      readonly length: number | null;
    }
  /** A SparseTensorProto: values and indices are tensors of their own. */
  | { readonly kind: 'sparse'; readonly values: TensorRef; readonly indices: TensorRef }
  /** Made by an edit or by `value_float`-like attributes: the bytes themselves, little-endian. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** Made by an edit or by `value_string`-like attributes. */
  | { readonly kind: 'strings'; readonly values: readonly string[] };

/** A constant tensor that is not read yet. */
export interface TensorRef {
  readonly name: string;
  readonly dtype: DataType;
  readonly shape: readonly number[];
  readonly location: TensorLocation;
  /** The span of the TensorProto message in the model file, tag excluded; null for made ones. */
  readonly span: Span | null;
}

export interface Span {
  readonly offset: number;
  readonly length: number;
}

export type Attribute =
  | { readonly kind: 'float'; readonly value: number }
  /** 64-bit integers beyond ±2^53 are clamped to it: only sentinels are that large. */
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensor'; readonly value: TensorRef }
  | { readonly kind: 'tensors'; readonly value: readonly TensorRef[] }
  | { readonly kind: 'graph'; readonly value: Graph }
  | { readonly kind: 'graphs'; readonly value: readonly Graph[] }
  /** Inside a function body: the attribute of the call that it stands for. */
  | { readonly kind: 'reference'; readonly value: string }
  /** Type protos and lists of sparse tensors: the AttributeProto in the model file, tag excluded. A sparse tensor is a `tensor`. */
  | { readonly kind: 'opaque'; readonly span: Span };

export interface Node {
  /** Position in its graph. */
  readonly index: number;
  readonly name: string;
  readonly op: string;
  /** '' for ai.onnx. */
  readonly domain: string;
  readonly overload: string;
  /** An empty name is an input that was left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly docString: string;
  readonly metadata: ReadonlyMap<string, string>;
  /** The NodeProto message in the model file, tag excluded; null for nodes an edit made or changed. */
  readonly span: Span | null;
}

export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  /** Without the initializers that old models list as inputs too (of subgraphs: all, since they are told by position). */
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initializers: ReadonlyMap<string, TensorRef>;
  readonly valueInfo: ReadonlyMap<string, ValueInfo>;
  /** Metadata of values (inputs, value_info, initializers) by name, where there is any. */
  readonly valueMetadata: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Names of initializers that the file also lists as graph inputs (ir_version 3). */
  readonly overridable: ReadonlySet<string>;
  readonly docString: string;
  readonly metadata: ReadonlyMap<string, string>;
  /** The ValueInfoProto messages of inputs, outputs and value_info in the model file, tag excluded; absent in graphs that an edit made. */
  readonly valueSpans?: ReadonlyMap<string, Span>;
}

/** A model-local function (IR version 8 and later). */
export interface LocalFunction {
  readonly name: string;
  readonly domain: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributeNames: readonly string[];
  readonly attributeDefaults: ReadonlyMap<string, Attribute>;
  readonly nodes: readonly Node[];
  readonly opsets: ReadonlyMap<string, number>;
  readonly span: Span;
}

export interface Model {
  readonly source: ByteSource;
  readonly irVersion: number;
  /** Domain → version; '' for ai.onnx. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly producerName: string;
  readonly producerVersion: string;
  readonly domain: string;
  readonly docString: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly graph: Graph;
  readonly functions: readonly LocalFunction[];
  /** Top-level fields that an edit copies as they are, tags included: all but the graph, opset imports, functions and training. */
  readonly headerSpans: readonly Span[];
  readonly problems: readonly Problem[];
}

/** Opens a file that a model names as external data: only plain names beside the model. Throws `missingExternalData`. */
export type ExternalData = (location: string) => ByteSource;
