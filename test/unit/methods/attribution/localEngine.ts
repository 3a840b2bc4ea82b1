import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type {
  AttentionMapParams,
  AttentionMapResult,
  AttentionMatricesParams,
  AttentionMatricesResult,
  AttentionParams,
  AttentionResult,
  AttentionTokenParams,
  AttentionTokenResult,
  AttentionValuesParams,
  AttentionValuesResult,
  HeadAblationParams,
  HeadAblationResult,
} from '../../../../protocol/attention';
import type {
  AttributionTargetsResult,
  ExplainParams,
  ExplainResult,
} from '../../../../protocol/attribution';
import type { InputFeed } from '../../../../protocol/methods';
import type { Progress } from '../../../../protocol/rpc';
import { Engine } from '../../../../server/src/engine/engine';
import { writeNpy } from '../../../../server/src/image/npy';
import { methods } from '../../../../server/src/methods';
import type { Tensor } from '../../../../server/src/onnx/tensor';

/** The engine inside the test's own process, with a folder for what it reads. */
export class LocalEngine {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'layer-lens-'));
  private readonly engine = new Engine();
  private readonly handlers = this.engine.handlers(methods);
  private files = 0;

  async explain(
    params: Pick<ExplainParams, 'model' | 'feeds' | 'method'> & Partial<ExplainParams>,
    call: {
      readonly signal?: AbortSignal;
      readonly onProgress?: (progress: Progress) => void;
    } = {},
  ): Promise<ExplainResult> {
    return this.handlers.explain(
      { layers: [], target: { kind: 'top' }, want: 'full', ...params },
      contextOf(call),
    );
  }

  async targets(params: Pick<ExplainParams, 'model' | 'feeds'>): Promise<AttributionTargetsResult> {
    return this.handlers.attributionTargets(params, contextOf({}));
  }

  async attention(params: AttentionParams): Promise<AttentionResult> {
    return this.handlers.attention(params, contextOf({}));
  }

  async attentionMatrices(params: AttentionMatricesParams): Promise<AttentionMatricesResult> {
    return this.handlers.attentionMatrices(params, contextOf({}));
  }

  async attentionToken(params: AttentionTokenParams): Promise<AttentionTokenResult> {
    return this.handlers.attentionToken(params, contextOf({}));
  }

  async attentionValues(params: AttentionValuesParams): Promise<AttentionValuesResult> {
    return this.handlers.attentionValues(params, contextOf({}));
  }

  async attentionMap(params: AttentionMapParams): Promise<AttentionMapResult> {
    return this.handlers.attentionMap(params, contextOf({}));
  }

  async headAblation(params: HeadAblationParams): Promise<HeadAblationResult> {
    return this.handlers.headAblation(params, contextOf({}));
  }

  /** Writes a model file; gives its path. */
  model(bytes: Uint8Array): string {
    const file = path.join(this.folder, `model${this.files++}.onnx`);
    writeFileSync(file, bytes);
    return file;
  }

  /** Writes an array file; gives its path. */
  array(tensor: Tensor): string {
    const file = path.join(this.folder, `array${this.files++}.npy`);
    writeFileSync(file, writeNpy(tensor).bytes);
    return file;
  }

  feed(tensor: Tensor): InputFeed {
    return { kind: 'array', path: this.array(tensor) };
  }

  dispose(): void {
    this.engine.dispose();
    rmSync(this.folder, { recursive: true });
  }
}

const contextOf = (call: {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}) =>
  ({
    signal: call.signal ?? new AbortController().signal,
    priority: 'view',
    report: (progress: Progress) => call.onProgress?.(progress),
  }) as const;

export const floatTensor = (shape: readonly number[], data: Float32Array): Tensor => ({
  dtype: 'float32',
  shape,
  data,
});
