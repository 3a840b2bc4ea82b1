import path from 'node:path';
import type { ExplainResult } from '../../../../protocol/attribution';
import {
  ATTRIBUTION_FACTS,
  ATTRIBUTION_METHODS,
  isAttributionMethod,
} from '../../../../protocol/attributionFacts';
import { UserError } from '../../../../protocol/errors';
import type { ModelDescription } from '../../../../protocol/model';
import { writeNpy } from '../../image/npy';
import { attributionOptions, ATTRIBUTION_OPTIONS } from '../attributionOptions';
import type { Command } from '../command';
import { withEngine, type EngineSession } from '../engineSession';
import { EXIT } from '../exitStatus';
import { findLayer } from '../findLayer';
import { INPUT_OPTION, openModelAndFeeds } from '../modelAndFeeds';
import { suggestion } from '../nearest';
import { OutputFolder } from '../outputFolder';
import { PREPROCESSING_OPTIONS } from '../preprocessingOptions';
import { jsonText, provenance } from '../resultRecord';
import { targetOf } from '../targetOption';

/** Longer side of `overlay.png` at least; small inputs are enlarged. */
const OVERLAY_PIXELS = 448;
const OVERLAY_OPACITY = 0.5;

/** `explain`: one attribution. */
export const explain: Command = {
  name: 'explain',
  summary:
    'Write where a target comes from (attribution.npy, heatmap.npy, overlay.png, result.json).',
  positionals: ['MODEL'],
  options: [
    INPUT_OPTION,
    { name: 'method', value: 'M', help: `One of ${ATTRIBUTION_METHODS.join(', ')}.` },
    {
      name: 'layer',
      value: 'L',
      help: 'The layer, by any of its names; the suggested one where left out. Several are fused.',
      repeatable: true,
    },
    {
      name: 'target',
      value: 'T',
      help: 'top (the default), class=N, class=LABEL, class=A-B, output=NAME,index=I,J, output=NAME,weights=FILE.npy, channel=TENSOR,C[,Y,X], box=N, mask=FILE.png,class=N or sum.',
    },
    { name: 'out', value: 'DIR', help: 'Folder to write to.' },
    ...ATTRIBUTION_OPTIONS,
    ...PREPROCESSING_OPTIONS,
  ],
  example:
    'layer-lens explain resnet18.onnx --input dog.jpg --method grad-cam --layer layer4 --out dog',
  async run(given, context) {
    const started = performance.now();
    const folder = given.required('out');
    const method = methodOf(given.required('method'));
    const options = attributionOptions(given);
    const { described, feeds } = await openModelAndFeeds(given);
    const { description } = described;
    if (!given.has('input'))
      throw new UserError(
        'inputNeeded',
        `Say what ${path.basename(description.path)} is fed: --input PICTURE or --input FILE.npy.`,
      );
    const target = targetOf(given.one('target') ?? 'top', description);
    const layers = layersOf(given.all('layer'), description);
    const output = new OutputFolder(folder);
    try {
      const { result, overlay } = await withEngine(context, async engine => {
        const params = { model: description.path, feeds };
        const result = await explained(engine, layers, {
          ...params,
          method,
          layers: layers.map(({ name }) => name),
          target,
          options,
          want: 'full',
        });
        const overlay = await engine.call('renderHeatmap', {
          ...params,
          ...firstImage(result),
          ...{ low: 0, high: 1, colorMap: 'viridis', interpolation: 'bilinear' },
          opacity: OVERLAY_OPACITY,
          pixels: Math.max(OVERLAY_PIXELS, ...result.heatmapShape.slice(1)),
          texts: textsOf(result, description),
        });
        return { result, overlay };
      });
      const record = {
        ...recordOf(result, description),
        times: {
          loadMs: result.times.loadMs,
          forwardMs: result.times.forwardMs,
          gradientMs: result.gradientMs,
          totalMs: performance.now() - started,
        },
        ...(await provenance(described, feeds, context.signal)),
        files: ['attribution.npy', 'heatmap.npy', 'overlay.png'],
      };
      output.write('attribution.npy', npy(result.attribution, result.attributionShape));
      output.write('heatmap.npy', npy(result.heatmap, result.heatmapShape));
      output.write('overlay.png', overlay.png);
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

function methodOf(name: string): ExplainResult['method'] {
  if (isAttributionMethod(name)) return name;
  const close = suggestion(name, ATTRIBUTION_METHODS, '');
  throw new UserError(
    'usage',
    `There is no method "${name}"${close || `; it is one of ${ATTRIBUTION_METHODS.join(', ')}.`}`,
  );
}

/** What is asked of the engine for a name, and why the name is no layer where it is none. */
interface NamedLayer {
  readonly name: string;
  readonly problem: UserError | null;
}

/** A tensor stands for itself, any other name for its layer; what is neither may still be a tensor that no layer gives. */
function layersOf(names: readonly string[], description: ModelDescription): readonly NamedLayer[] {
  return names.map(name => {
    if (description.layers.some(layer => layer.outputs.includes(name)))
      return { name, problem: null };
    try {
      return { name: findLayer(description, name).id, problem: null };
    } catch (error) {
      if (error instanceof UserError && error.code === 'layerNotFound')
        return { name, problem: error };
      throw error;
    }
  });
}

/** The engine knows every tensor; where it does not know a name either, the first answer has the nearest names. */
async function explained(
  engine: EngineSession,
  layers: readonly NamedLayer[],
  params: Parameters<typeof engine.call<'explain'>>[1],
): Promise<ExplainResult> {
  try {
    return await engine.call('explain', params);
  } catch (error) {
    const problem = layers.find(layer => layer.problem)?.problem;
    if (problem && error instanceof UserError && error.code === 'layerNotFound') throw problem;
    throw error;
  }
}

/** The heatmap of the first image. */
function firstImage({ heatmap, heatmapShape }: ExplainResult): {
  readonly values: Float32Array;
  readonly rows: number;
  readonly columns: number;
} {
  const [, rows = 1, columns = 1] = heatmapShape;
  return { values: heatmap.slice(0, rows * columns), rows, columns };
}

function recordOf(result: ExplainResult, { labels }: ModelDescription) {
  const labelOf = (index: number | null): string | null =>
    index === null ? null : (labels?.names[index] ?? null);
  const { target, approximate } = result;
  const facts = ATTRIBUTION_FACTS[result.method];
  return {
    method: result.method,
    source: facts.source,
    limit: facts.limit,
    layers: result.layers,
    layerReason: result.layerReason,
    tensors: [...result.layers.map(({ tensor }) => tensor), target.tensor],
    target: {
      ...target.spec,
      tensor: target.tensor,
      index: target.index,
      words: target.words,
      class: target.classIndex,
      score: target.score,
      label: labelOf(target.classIndex),
    },
    predicted: result.predicted?.map(each => ({ ...each, label: labelOf(each.index) })) ?? null,
    options: result.options,
    seed: result.options['seed'] ?? null,
    grid: { rows: result.rows, columns: result.columns },
    valueRange: [result.minimum, result.maximum],
    completeness: result.completeness,
    approximate,
    findings: result.findings.map(({ kind, severity, message }) => ({ kind, severity, message })),
    warnings: [
      ...result.warnings,
      ...result.findings.filter(each => each.severity === 'warning').map(each => each.message),
    ],
  };
}

function textsOf(
  result: ExplainResult,
  { path: file }: ModelDescription,
): Readonly<Record<string, string>> {
  const facts = ATTRIBUTION_FACTS[result.method];
  return {
    Method: `${facts.label} (${facts.source})`,
    Limit: facts.limit,
    Model: path.basename(file),
    Layer: result.layers.map(({ tensor }) => tensor).join(', '),
    Target: result.target.words,
    Grid: `${result.rows}×${result.columns}`,
    Note: 'One method is not enough: compare it with one of another family.',
  };
}

const npy = (data: Float32Array, shape: readonly number[]): Uint8Array =>
  writeNpy({ dtype: 'float32', shape, data }).bytes;
