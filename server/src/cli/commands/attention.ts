import path from 'node:path';
import {
  HEAD_STATISTICS,
  type AttentionMapParams,
  type AttentionMapResult,
  type AttentionMethod,
  type AttentionResult,
  type HeadFusion,
} from '../../../../protocol/attention';
import { UserError } from '../../../../protocol/errors';
import type { ModelFeeds } from '../../../../protocol/methods';
import type { ModelDescription } from '../../../../protocol/model';
import { writeNpy } from '../../image/npy';
import { numberOf, oneOf } from '../attributionOptions';
import type { Command } from '../command';
import { withEngine, type EngineSession } from '../engineSession';
import { EXIT } from '../exitStatus';
import { INPUT_OPTION, openModelAndFeeds } from '../modelAndFeeds';
import { OutputFolder } from '../outputFolder';
import type { ParsedArguments } from '../parseArguments';
import { PREPROCESSING_OPTIONS } from '../preprocessingOptions';
import { jsonText, provenance } from '../resultRecord';
import { existing, targetOf } from '../targetOption';

const METHODS = ['raw', 'rollout', 'flow', 'gradient-rollout'] as const;
const FUSIONS: readonly HeadFusion[] = ['mean', 'max', 'min'];
/** Longer side of `overlay.png` at least. */
const OVERLAY_PIXELS = 448;
const OVERLAY_OPACITY = 0.6;

/** What every picture of attention says. */
const NOTE = 'Attention weight, not importance: compare it with a gradient-weighted map.';

/** `attention`: the weights of every layer and head, and what they come to over all layers. */
export const attention: Command = {
  name: 'attention',
  summary:
    'Write where each head looks (attention-N.npy) and where all layers look (rollout.npy, cls.npy, overlay.png).',
  positionals: ['MODEL'],
  options: [
    INPUT_OPTION,
    {
      name: 'method',
      value: 'M',
      help: `What rollout.npy holds: ${METHODS.join(', ')} (rollout; raw is the last layer).`,
    },
    {
      name: 'target',
      value: 'T',
      help: 'For gradients: what is differentiated, as in explain (top).',
    },
    {
      name: 'gradients',
      value: null,
      help: "Also write the target's gradients with respect to the weights (attention-gradient-N.npy).",
    },
    { name: 'out', value: 'DIR', help: 'Folder to write to.' },
    { name: 'fusion', value: 'HOW', help: `How heads are made one: ${FUSIONS.join(', ')} (mean).` },
    {
      name: 'discard',
      value: 'SHARE',
      help: 'rollout: share of the smallest weights left out (0).',
    },
    {
      name: 'token',
      value: 'N',
      help: 'Whose row cls.npy is (the class token, or the mean of all tokens).',
    },
    {
      name: 'tokenizer',
      value: 'FILE',
      help: 'tokenizer.json or vocab.txt with the texts of token ids (found beside the model).',
    },
    ...PREPROCESSING_OPTIONS,
  ],
  example: 'layer-lens attention vit.onnx --input dog.jpg --out dog',
  async run(given, context) {
    const started = performance.now();
    const folder = given.required('out');
    const { described, feeds } = await openModelAndFeeds(given);
    const { description } = described;
    if (!given.has('input'))
      throw new UserError(
        'inputNeeded',
        `Say what ${path.basename(description.path)} is fed: --input PICTURE or --input FILE.npy.`,
      );
    const request = requestOf(given, description, feeds);
    const output = new OutputFolder(folder);
    try {
      const done = await withEngine(context, engine => write(engine, request, output));
      const record = {
        ...recordOf(done, description),
        times: {
          ...done.map.times,
          gradientMs: done.map.gradientMs,
          totalMs: performance.now() - started,
        },
        ...(await provenance(described, feeds, context.signal)),
        files: done.files,
      };
      output.write('result.json', jsonText(record));
      context.signal.throwIfAborted();
      output.commit();
      for (const warning of record.warnings) context.terminal.err(`layer-lens: ${warning}\n`);
      if (given.has('json')) context.terminal.out(jsonText(record));
      return EXIT.done;
    } finally {
      output.dispose();
    }
  },
};

interface Request {
  /** Null: rollout, or what is possible instead. */
  readonly method: AttentionMethod | null;
  readonly params: Omit<AttentionMapParams, 'method' | 'want'>;
  readonly gradients: boolean;
  readonly tokenizer: string | null;
}

function requestOf(
  given: ParsedArguments,
  description: ModelDescription,
  feeds: ModelFeeds,
): Request {
  const tokenizer = given.one('tokenizer');
  const token = numberOf(given, 'token', Number.isInteger, 0);
  const fusion = oneOf(given, 'fusion', FUSIONS);
  const discard = numberOf(given, 'discard', value => value < 1, 0);
  return {
    method: oneOf(given, 'method', METHODS) ?? null,
    gradients: given.has('gradients'),
    tokenizer: tokenizer === undefined ? description.tokenizer : existing(tokenizer),
    params: {
      model: description.path,
      feeds,
      target: targetOf(given.one('target') ?? 'top', description),
      options: { ...(fusion ? { fusion } : {}), ...(discard === undefined ? {} : { discard }) },
      ...(token === undefined ? {} : { token }),
    },
  };
}

interface Written {
  readonly found: AttentionResult;
  readonly map: AttentionMapResult;
  readonly files: readonly string[];
  readonly warnings: readonly string[];
}

async function write(
  engine: EngineSession,
  request: Request,
  output: OutputFolder,
): Promise<Written> {
  const { model, feeds, target } = request.params;
  const { tokenizer } = request;
  const found = await engine.call('attention', {
    model,
    feeds,
    ...(tokenizer ? { tokenizer } : {}),
  });
  const files: string[] = [];
  const save = (name: string, content: Uint8Array): void => {
    output.write(name, content);
    files.push(name);
  };
  for (const index of found.blocks.keys()) {
    const gradientOf = request.gradients ? { gradientOf: target } : {};
    const values = await engine.call('attentionValues', { model, feeds, index, ...gradientOf });
    save(`attention-${index}.npy`, npy(values.probabilities, values.shape));
    if (values.gradient)
      save(`attention-gradient-${index}.npy`, npy(values.gradient, values.shape));
  }
  const { map, warning } = await mapOf(engine, request);
  const { matrix, matrixShape, images, rows, columns } = map;
  if (matrix.length > 0) save('rollout.npy', npy(matrix, matrixShape));
  if (map.grid) {
    save('cls.npy', npy(map.map, [images, rows, columns]));
    save('overlay.png', await overlayOf(engine, request, map));
  }
  const unplaced = map.grid ? [] : ['Without a grid there is no cls.npy and no overlay.png.'];
  return { found, map, files, warnings: [...warning, ...map.notes, ...unplaced] };
}

/** The map of the method that was asked for; unasked, of the last layer where layers do not add up. */
async function mapOf(
  engine: EngineSession,
  { method, params }: Request,
): Promise<{ readonly map: AttentionMapResult; readonly warning: readonly string[] }> {
  try {
    const asked = method ?? 'rollout';
    return {
      map: await engine.call('attentionMap', { ...params, method: asked, want: 'full' }),
      warning: [],
    };
  } catch (error) {
    const impossible =
      error instanceof UserError && (error.code === 'unsupported' || error.code === 'tooLarge');
    if (method !== null || !impossible) throw error;
    const map = await engine.call('attentionMap', { ...params, method: 'raw', want: 'map' });
    return { map, warning: [error.message, 'The map is that of the last block (raw).'] };
  }
}

async function overlayOf(
  engine: EngineSession,
  { params: { model, feeds } }: Request,
  map: AttentionMapResult,
): Promise<Uint8Array> {
  const values = map.map.slice(0, map.rows * map.columns);
  const overlay = await engine.call('renderHeatmap', {
    ...{ model, feeds, values, rows: map.rows, columns: map.columns },
    low: values.reduce((a, b) => Math.min(a, b), Infinity),
    high: values.reduce((a, b) => Math.max(a, b), -Infinity),
    ...{ colorMap: 'viridis', interpolation: 'bilinear' },
    opacity: OVERLAY_OPACITY,
    pixels: OVERLAY_PIXELS,
    texts: {
      Method: map.method,
      Token: map.token === null ? 'mean of all' : String(map.token),
      Note: NOTE,
    },
  });
  return overlay.png;
}

function recordOf({ found, map, warnings }: Written, { labels }: ModelDescription) {
  const { target } = map;
  let head = 0;
  return {
    method: map.method,
    note: NOTE,
    target: target && {
      ...target.spec,
      tensor: target.tensor,
      index: target.index,
      words: target.words,
      class: target.classIndex,
      score: target.score,
      label: target.classIndex === null ? null : (labels?.names[target.classIndex] ?? null),
    },
    attention: found.blocks.map((block, index) => ({
      index,
      ...block,
      statistics: Array.from({ length: block.heads }, () => statisticsOf(found, head++)),
    })),
    tokens: found.tokens,
    usedBlocks: map.blocks,
    token: map.token,
    grid: map.grid,
    options: map.options,
    valueRange: [
      map.map.reduce((a, b) => Math.min(a, b), Infinity),
      map.map.reduce((a, b) => Math.max(a, b), -Infinity),
    ],
    warnings: [...new Set([...found.warnings, ...found.notes, ...warnings])],
  };
}

/** By name; null for what a head does not have. */
const statisticsOf = ({ statistics }: AttentionResult, head: number) =>
  Object.fromEntries(
    HEAD_STATISTICS.map((name, at) => {
      const value = statistics[head * HEAD_STATISTICS.length + at] ?? NaN;
      return [name, Number.isNaN(value) ? null : value];
    }),
  );

const npy = (data: Float32Array, shape: readonly number[]): Uint8Array =>
  writeNpy({ dtype: 'float32', shape, data }).bytes;
