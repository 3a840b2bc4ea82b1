import { Engine } from '../../../server/src/engine/engine';
import { OpenedModel } from '../../../server/src/engine/openModels';
import { methods } from '../../../server/src/methods';
import { normalised } from '../../../server/src/methods/attribution/normalise';
import type { AttributionMethod, ExplainParams, TargetSpec } from '../../../protocol/attribution';
import type { CallContext } from '../../../protocol/rpc';
import { writeNpy } from '../../../server/src/image/npy';
import * as ort from 'onnxruntime-node';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Node } from '../../../server/src/onnx/graph';
import { median, shuffled } from '../measurement';
import { seededFloats } from '../onnxWriter';

/** Rounds that count, after the warm-up; every round runs everything once, in random order. */
const ROUNDS = 21;
const WARM_UP = 3;
/** Threads of one operator. */
const THREADS = 2;
const SIZE = 224;
const MEGABYTE = 2 ** 20;
const STEPS = 50;
/** Whole integrations. */
const INTEGRATIONS = 3;
/** One byte: only the newest values stay, so that each map of a fresh input is computed anew. */
const NOTHING_KEPT = 1;
const KEPT = 2 ** 30;

/** What one kind of run took, and what it is compared with. */
export interface SpeedResult {
  readonly model: string;
  readonly method: string;
  readonly ms: number;
  /** Of its own reference: the plain run, or one gradient for Integrated Gradients. */
  readonly ratio: number;
  readonly reference: string;
  /** Growth of the process by the first run (sessions included), MB. */
  readonly memoryMB: number;
}

/** The CAMs that are measured with a fresh input. */
const CAMS: readonly AttributionMethod[] = [
  'grad-cam',
  'grad-cam++',
  'xgrad-cam',
  'layer-cam',
  'hires-cam',
];

type Kind = 'plain' | AttributionMethod | 'another class' | 'all layers' | 'block outputs';

const call = (signal = new AbortController().signal): CallContext => ({
  signal,
  priority: 'view',
  report: () => undefined,
});

/** Measures one model of [1, 3, 224, 224] in this process. */
export async function measureSpeed(model: string): Promise<readonly SpeedResult[]> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'layer-lens-bench-'));
  try {
    return await new SpeedRun(model, folder).measure();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

class SpeedRun {
  private readonly engine = new Engine();
  private readonly handlers = this.engine.handlers(methods);
  private readonly inputs: readonly string[];
  private readonly times = new Map<Kind, number[]>();
  private readonly memory = new Map<Kind, number>();
  private turn = 0;

  constructor(
    private readonly model: string,
    folder: string,
  ) {
    this.inputs = [1, 2].map(seed => {
      const file = path.join(folder, `input${seed}.npy`);
      const data = seededFloats(1, 3 * SIZE * SIZE, seed);
      writeFileSync(file, writeNpy({ dtype: 'float32', shape: [1, 3, SIZE, SIZE], data }).bytes);
      return file;
    });
  }

  async measure(): Promise<readonly SpeedResult[]> {
    const session = await ort.InferenceSession.create(this.model, {
      graphOptimizationLevel: 'all',
      intraOpNumThreads: THREADS,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
      extra: { session: { force_spinning_stop: '1' } },
    });
    const [input = 'input'] = session.inputNames;
    const feeds = {
      [input]: new ort.Tensor('float32', seededFloats(1, 3 * SIZE * SIZE, 1), [1, 3, SIZE, SIZE]),
    };
    const blocks = blockOutputs(this.model);
    const runs: readonly (readonly [Kind, () => Promise<unknown>])[] = [
      ['plain', () => session.run(feeds)],
      ...CAMS.map(method => [method, () => this.cam(method, input)] as const),
      ['gradient', () => this.explain('gradient', { kind: 'top' }, input)],
      ['all layers', () => this.allLayers(input)],
      ['block outputs', () => this.allLayers(input, blocks)],
    ];
    await this.configure(NOTHING_KEPT);
    for (let round = 0; round < WARM_UP + ROUNDS; round++)
      for (const [kind, run] of shuffled(runs, round))
        await this.timed(kind, run, round >= WARM_UP);
    await this.anotherClass(input);
    const integrated = await this.integratedGradients(input);
    await session.release();
    this.engine.dispose();
    return [...this.results(), ...integrated];
  }

  private async timed(kind: Kind, run: () => Promise<unknown>, counts: boolean): Promise<void> {
    const before = process.memoryUsage.rss();
    const started = performance.now();
    await run();
    const took = performance.now() - started;
    if (!this.memory.has(kind)) this.memory.set(kind, process.memoryUsage.rss() - before);
    if (counts) this.times.set(kind, [...(this.times.get(kind) ?? []), took]);
  }

  private configure(activationCacheBytes: number): Promise<unknown> {
    const settings = { threads: THREADS, sessionCacheBytes: 8 * 2 ** 30, activationCacheBytes };
    return Promise.resolve(this.handlers.configure(settings, call()));
  }

  private params(method: AttributionMethod, target: TargetSpec, input: string): ExplainParams {
    // the inputs take turns: what was kept of the last one is of no use
    const array = this.inputs[this.turn++ % this.inputs.length] ?? '';
    return {
      model: this.model,
      feeds: { [input]: { kind: 'array', path: array } },
      method,
      layers: [],
      target,
      want: 'map',
    };
  }

  private async explain(
    method: AttributionMethod,
    target: TargetSpec,
    input: string,
  ): Promise<void> {
    await this.handlers.explain(this.params(method, target, input), call());
  }

  private async cam(method: AttributionMethod, input: string): Promise<void> {
    const result = await this.handlers.explain(this.params(method, { kind: 'top' }, input), call());
    normalised(result.map, result.rows * result.columns);
  }

  private async allLayers(input: string, layers?: readonly string[]): Promise<void> {
    const { model, feeds } = this.params('grad-cam', { kind: 'top' }, input);
    const chosen = layers ? { layers } : {};
    await this.handlers.layerHeatmaps({ model, feeds, target: { kind: 'top' }, ...chosen }, call());
  }

  /** The activations are kept: only the part behind the layer runs. */
  private async anotherClass(input: string): Promise<void> {
    await this.configure(KEPT);
    for (const turn of [0, 1]) {
      this.turn = turn;
      await this.cam('grad-cam', input);
    }
    for (let index = 0; index < WARM_UP + ROUNDS; index++)
      await this.timed(
        'another class',
        () => this.explain('grad-cam', { kind: 'class', index }, input),
        index >= WARM_UP,
      );
    await this.configure(NOTHING_KEPT);
  }

  /** One whole attribution beside as many gradients, and how long a stop takes. */
  private async integratedGradients(input: string): Promise<readonly SpeedResult[]> {
    const before = process.memoryUsage.rss();
    let peak = before;
    let first = NaN;
    const gradients: number[] = [];
    const integrated: number[] = [];
    const params = this.params('integrated-gradients', { kind: 'top' }, input);
    for (let round = 0; round < INTEGRATIONS; round++) {
      // gradients between them, so that a busy moment meets both
      for (let run = 0; run < 10; run++) {
        const started = performance.now();
        await this.explain('gradient', { kind: 'top' }, input);
        gradients.push(performance.now() - started);
      }
      const started = performance.now();
      await this.handlers.explain(
        { ...params, options: { steps: STEPS } },
        {
          ...call(),
          report: progress => {
            if (progress.partial && Number.isNaN(first)) first = performance.now() - started;
            peak = Math.max(peak, process.memoryUsage.rss());
          },
        },
      );
      integrated.push(performance.now() - started);
    }
    const ms = median(integrated);
    const gradient = median(gradients);
    const common = { model: this.name(), memoryMB: (peak - before) / MEGABYTE };
    return [
      {
        ...common,
        method: `integrated-gradients, ${STEPS} steps`,
        ms,
        ratio: ms / gradient,
        reference: 'gradient',
      },
      {
        ...common,
        method: 'integrated-gradients, first progress',
        ms: first,
        ratio: first / gradient,
        reference: 'gradient',
      },
      await this.stopped(params, gradient),
    ];
  }

  private async stopped(params: ExplainParams, gradient: number): Promise<SpeedResult> {
    const controller = new AbortController();
    let asked = NaN;
    const running = this.handlers.explain(
      { ...params, options: { steps: STEPS } },
      {
        ...call(controller.signal),
        report: progress => {
          if (!progress.partial || controller.signal.aborted) return;
          asked = performance.now();
          controller.abort();
        },
      },
    );
    await Promise.resolve(running).catch(() => undefined);
    const ms = performance.now() - asked;
    return {
      model: this.name(),
      method: 'integrated-gradients, stop',
      ms,
      ratio: ms / gradient,
      reference: 'gradient',
      memoryMB: 0,
    };
  }

  private name(): string {
    return path.basename(path.dirname(this.model));
  }

  private results(): readonly SpeedResult[] {
    const plain = median(this.times.get('plain') ?? []);
    return [...this.times].map(([kind, times]) => ({
      model: this.name(),
      method: kind,
      ms: median(times),
      ratio: median(times) / plain,
      reference: 'plain run',
      memoryMB: (this.memory.get(kind) ?? 0) / MEGABYTE,
    }));
  }
}

/** Ids of the layers that end a block: joins of branches, or the activation that alone follows one. */
function blockOutputs(model: string): readonly string[] {
  const opened = new OpenedModel(model);
  const { nodes } = opened.model.graph;
  const users = (name: string): readonly Node[] => nodes.filter(node => node.inputs.includes(name));
  const varying = new Set(opened.layers.flatMap(layer => layer.outputs));
  const ends = nodes
    .filter(
      ({ op, inputs }) => JOINS.has(op) && inputs.filter(name => varying.has(name)).length > 1,
    )
    .map(node => {
      const [next, ...others] = users(node.outputs[0] ?? '');
      const end = next?.op === 'Relu' && others.length === 0 ? next : node;
      return end.outputs[0] ?? '';
    });
  const ids = opened.layers.flatMap(layer =>
    ends.includes(layer.outputs[0] ?? '') ? [layer.id] : [],
  );
  opened.dispose();
  return ids;
}

const JOINS: ReadonlySet<string> = new Set(['Add', 'Concat']);
