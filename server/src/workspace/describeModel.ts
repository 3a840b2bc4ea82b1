import { statSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../../protocol/errors';
import type { DataType, LabelsInfo, ModelDescription, Problem } from '../../../protocol/model';
import type { PreprocessingSpec } from '../../../protocol/preprocessing';
import { OpenedModel, weightBytes } from '../engine/openModels';
import { listAttention } from '../methods/attention/listing';
import { bitsOf } from '../onnx/dataTypes';
import { findLabels, readLabels } from './labels';
import { modelFacts } from './modelFacts';
import { parseChoices } from './preprocessing/choicesFile';
import { detectPreprocessing } from './preprocessing/detect';
import { warning, type Choice, type ModelFacts } from './preprocessing/facts';
import { choicesFileName, readSidecars, type Sidecars } from './preprocessing/sidecars';
import { findTokenizer } from './tokenizer';

/** One state of a model on disk: what is in it, and by which files that state is known. */
export interface DescribedModel {
  readonly description: ModelDescription;
  readonly fingerprint: string;
  /** The model and the external files it names. */
  readonly files: readonly {
    readonly path: string;
    readonly size: number;
    readonly modifiedMs: number;
  }[];
}

/**
 * Everything that can be known of a model without running it, for the editor, hovers and `inspect`. `choices` are a person's overrides of the
 * preprocessing, the first that says something wins. Throws the UserErrors of opening: `fileNotFound`, `notOnnx`, `brokenModel` …
 */
export async function describeModel(
  modelPath: string,
  choices: readonly Choice[],
): Promise<DescribedModel> {
  const opened = new OpenedModel(modelPath);
  try {
    const { model, layers } = opened;
    const shapes = opened.shapes(new Map());
    const facts = modelFacts(model, shapes, ref => opened.readTensor(ref));
    const sidecars = await readSidecars(modelPath);
    const preprocessing = detectPreprocessing(facts, sidecars, choices);
    const { labels, problems } = await labelsOf(modelPath, facts, sidecars);
    const plausible = opened.inferIn(model, plausibleSizes(facts.inputs, preprocessing.specs));
    const listing = listAttention(model, layers, plausible, ref => opened.readTensor(ref));
    const description: ModelDescription = {
      path: modelPath,
      fileBytes: model.source.size,
      irVersion: model.irVersion,
      opsets: Object.fromEntries(
        [...model.opsets].map(([domain, version]) => [domain || 'ai.onnx', version]),
      ),
      producer: [model.producerName, model.producerVersion].filter(Boolean).join(' '),
      graphName: model.graph.name,
      metadata: Object.fromEntries(model.metadata),
      inputs: facts.inputs,
      outputs: facts.outputs,
      layers,
      attention: listing.attention,
      attentionLookalikes: listing.lookalikes,
      parameterCount: parameterCount(layers),
      weightBytes: Math.max(weightBytes(model.graph), parameterBytes(layers)),
      preprocessing: preprocessing.specs,
      labels,
      tokenizer: await findTokenizer(modelPath),
      problems: [
        ...model.problems,
        ...opened.weightProblems(),
        ...preprocessing.problems,
        ...problems,
      ],
    };
    return { description, fingerprint: opened.fingerprint, files: opened.files.map(stateOf) };
  } finally {
    opened.dispose();
  }
}

/** Sizes of the inputs that leave only their batch and the size of the picture open: one picture, of the size that is fed. */
function plausibleSizes(
  inputs: ModelFacts['inputs'],
  specs: readonly PreprocessingSpec[],
): ReadonlyMap<string, readonly number[]> {
  const sizes = new Map<string, readonly number[]>();
  for (const { name, shape } of inputs) {
    if (shape?.every(size => typeof size === 'number')) continue;
    const spec = specs.find(({ input }) => input === name);
    const known = shape?.map((size, axis) => {
      if (typeof size === 'number') return size;
      const letter = spec?.layout.value[axis];
      if (letter === 'H') return spec?.size.value.height ?? null;
      if (letter === 'W') return spec?.size.value.width ?? null;
      return axis === 0 ? 1 : null;
    });
    if (known?.every(size => size !== null)) sizes.set(name, known);
  }
  return sizes;
}

/** The labels that a person chose, else those that lie with the model. A choice that does not fit is a problem. */
async function labelsOf(
  modelPath: string,
  facts: ModelFacts,
  sidecars: Sidecars,
): Promise<{ readonly labels: LabelsInfo | null; readonly problems: readonly Problem[] }> {
  const own = sidecars.files.find(file => file.name === choicesFileName(modelPath));
  const chosen = own && parseChoices(own.text, own.name).choices.labels;
  if (chosen === undefined) return findLabels(facts.metadata, facts.outputs, sidecars);
  try {
    return {
      labels: await readLabels(path.resolve(path.dirname(modelPath), chosen), facts.outputs),
      problems: [],
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { labels: null, problems: [warning(error.message, chosen)] };
  }
}

/** Bytes of the parameters of all layers, which some exporters keep in Constant nodes or in graphs inside graphs. */
const parameterBytes = (layers: ModelDescription['layers']): number =>
  parameterSizes(layers).reduce((sum, { count, dtype }) => sum + (count * bitsOf(dtype)) / 8, 0);

/** Parameters that several layers share count once. */
const parameterCount = (layers: ModelDescription['layers']): number =>
  parameterSizes(layers).reduce((sum, { count }) => sum + count, 0);

function parameterSizes(
  layers: ModelDescription['layers'],
): readonly { readonly count: number; readonly dtype: DataType }[] {
  const sizes = new Map<string, { readonly count: number; readonly dtype: DataType }>();
  for (const { parameters } of layers)
    for (const { name, shape, dtype } of parameters)
      sizes.set(name, { count: shape.reduce((product, size) => product * size, 1), dtype });
  return [...sizes.values()];
}

function stateOf(file: string): DescribedModel['files'][number] {
  const stat = statSync(file, { throwIfNoEntry: false });
  return { path: file, size: stat?.size ?? -1, modifiedMs: stat?.mtimeMs ?? 0 };
}
