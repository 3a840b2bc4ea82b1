import { availableParallelism } from 'node:os';
import type * as ort from 'onnxruntime-node';
import { UserError } from '../../../protocol/errors';
import type { Disposable } from '../../../protocol/lifecycle';
import type { DataType } from '../../../protocol/model';
import type { Tensor, TensorData } from '../onnx/tensor';
import { runtimeError } from './runtimeErrors';

/**
 * The only file that meets ONNX Runtime. It is loaded with the first session, so that an engine that only reads weights never pays for it.
 */

/** What a session is made from: the encoded structure, and the folder that its external data locations are relative to. */
export interface SessionSource {
  readonly bytes: Uint8Array;
  readonly folder: string;
  /** File name for messages. */
  readonly label: string;
  /** Threads of one operator; 0 takes half the cores, -1 what ONNX Runtime takes by itself. */
  readonly threads: number;
}

/** A loaded model that can be run. Runs block the thread of the process. */
export interface RuntimeSession extends Disposable {
  /**
   * Feeds in C order by graph input; gives the asked outputs as copies that outlive the session. Throws UserErrors: `wrongShape`,
   * `badArray`, `outOfMemory`, `runtimeRefused`.
   */
  run(feeds: ReadonlyMap<string, Tensor>, outputs: readonly string[]): Promise<Map<string, Tensor>>;
}

type OrtType = ort.Tensor.Type;

/** Element types that the Node binding can give and take, by our names; the others make even the creation of a session fail. */
const ORT_TYPES: ReadonlyMap<DataType, OrtType> = new Map<DataType, OrtType>([
  ['float32', 'float32'],
  ['float64', 'float64'],
  ['float16', 'float16'],
  ['int8', 'int8'],
  ['int16', 'int16'],
  ['int32', 'int32'],
  ['int64', 'int64'],
  ['uint8', 'uint8'],
  ['uint16', 'uint16'],
  ['uint32', 'uint32'],
  ['uint64', 'uint64'],
  ['bool', 'bool'],
  ['string', 'string'],
]);

/** True where a tensor of this type can be fed and fetched. */
export const isFetchable = (dtype: DataType): boolean => ORT_TYPES.has(dtype);

/** Threads of one operator for the setting `threads`; 0 leaves it to ONNX Runtime. */
const threadCount = (threads: number): number => {
  if (threads < 0) return 0;
  return threads > 0 ? threads : Math.max(1, Math.floor(availableParallelism() / 2));
};

let loading: Promise<typeof ort> | undefined;

function loadRuntime(): Promise<typeof ort> {
  loading ??= (async () => {
    // The binding takes float16 as Uint16Array bits only; where the platform has Float16Array (Node 24 and later) it asks for that and
    // then finds no data in it.
    Reflect.deleteProperty(globalThis, 'Float16Array');
    const runtime = await import('onnxruntime-node');
    runtime.env.logLevel = 'error';
    return runtime;
  })();
  return loading;
}

/**
 * Creates a session on the CPU. Weights that the structure names by range are mapped from their file by the runtime. Throws UserErrors:
 * `runtimeRefused` naming the file and the operator or node, `outOfMemory`.
 */
export async function openSession(source: SessionSource): Promise<RuntimeSession> {
  const runtime = await loadRuntime();
  try {
    const session = await runtime.InferenceSession.create(source.bytes, {
      executionProviders: ['cpu'],
      graphOptimizationLevel: 'all',
      intraOpNumThreads: threadCount(source.threads),
      interOpNumThreads: 1,
      logSeverityLevel: 3,
      extra: {
        session: {
          model_external_initializers_file_folder_path: source.folder,
          // Idle threads of one session would take the cores from the run of the next.
          force_spinning_stop: '1',
        },
      },
    });
    return new OrtSession(runtime, session, source.label);
  } catch (error) {
    throw runtimeError(error, source.label);
  }
}

class OrtSession implements RuntimeSession {
  constructor(
    private readonly runtime: typeof ort,
    private readonly session: ort.InferenceSession,
    private readonly label: string,
  ) {}

  async run(
    feeds: ReadonlyMap<string, Tensor>,
    outputs: readonly string[],
  ): Promise<Map<string, Tensor>> {
    const wanted = new Set(this.session.inputNames);
    const given: Record<string, ort.Tensor> = {};
    for (const [name, tensor] of feeds) {
      if (wanted.has(name)) given[name] = this.toOrt(name, tensor);
    }
    try {
      const results = await this.session.run(given, [...outputs]);
      return new Map(Object.entries(results).map(([name, value]) => [name, fromOrt(value)]));
    } catch (error) {
      throw runtimeError(error, this.label);
    }
  }

  dispose(): void {
    void this.session.release();
  }

  private toOrt(name: string, tensor: Tensor): ort.Tensor {
    const type = ORT_TYPES.get(tensor.dtype);
    if (type === undefined) {
      throw new UserError(
        'unsupported',
        `The input "${name}" of ${this.label} has type ${tensor.dtype}, which ONNX Runtime cannot take here.`,
      );
    }
    return new this.runtime.Tensor(type, ortData(tensor.data), tensor.shape);
  }
}

/** The binding's constructor wants a mutable array type for strings; it copies them. */
const ortData = (data: TensorData): ort.Tensor.DataType =>
  ArrayBuffer.isView(data) ? data : [...data];

/** By the names of the runtime's types, which are ours. */
function fromOrt(value: ort.Tensor): Tensor {
  const { type, dims } = value;
  const data: unknown = value.data;
  if (!isTensorData(data)) throw new Error(`the runtime gave no data for a ${type} tensor`);
  return { dtype: dataTypeOf(type), shape: [...dims], data };
}

function dataTypeOf(type: OrtType): DataType {
  for (const [ours, theirs] of ORT_TYPES) if (theirs === type) return ours;
  throw new Error(`the runtime gave a tensor of type ${type}`);
}

const isTensorData = (data: unknown): data is TensorData =>
  (ArrayBuffer.isView(data) && !(data instanceof DataView)) || Array.isArray(data);
