import path from 'node:path';
import type { Hover, MarkupContent } from 'vscode-languageserver/node';
import { layerFacts, layerLabel, operatorText, shapeText } from '../../../protocol/layerFacts';
import type { HoverPicturesResult, ModelFeeds } from '../../../protocol/methods';
import type { LabelsInfo, LayerInfo } from '../../../protocol/model';
import type { LayerTarget } from '../../../protocol/server';
import type { ServerContext } from '../serverContext';
import { feedsFor } from '../workspace/feeds';
import type { DescribedModel } from '../workspace/describeModel';
import { bytesText, commandLink, escapeMarkdown, imageMarkdown } from './markdown';
import type { Feature } from './feature';
import { fileOf, nameAt, targetOf } from './sourceLayers';
import { signalOf } from './request';

/** VS Code cuts a hover at 100,000 characters of markdown; pictures keep well below it. */
const MAXIMUM_PICTURE_BYTES = 65_000;
/** A hover that waits longer than this comes without its pictures; they are there the next time. */
const PATIENCE_MS = 4_000;
const KEPT_PICTURES = 64;
/** A new line of the same paragraph: a hover is 250 pixels high, and a margin less is a row of maps more. */
const LINE_BREAK = '  \n';

/** What a layer or model is, where its name stands in code, with a picture of its filters and strongest maps. */
export const hover = (context: ServerContext): Feature => {
  const pictures = new Map<string, Promise<HoverPicturesResult | null>>();
  context.models.onChanged(() => pictures.clear());
  context.active.onChanged(() => pictures.clear());

  const picturesOf = (
    described: DescribedModel,
    target: LayerTarget,
    picture: string | null,
  ): Promise<HoverPicturesResult | null> => {
    const mayRun = context.active.mayRun && runsByItself(context, described);
    const input = mayRun && described.description.preprocessing.length > 0 ? picture : null;
    const key = JSON.stringify([described.fingerprint, target.layer.id, input]);
    const kept = pictures.get(key);
    if (kept) return kept;
    const wanted = hoverPictures(context, described, target, input);
    pictures.set(key, wanted);
    for (const oldest of pictures.keys()) {
      if (pictures.size <= KEPT_PICTURES) break;
      pictures.delete(oldest);
    }
    void wanted.then(result => result === null && pictures.delete(key));
    return wanted;
  };

  return {
    capabilities: { hoverProvider: true },
    register: connection =>
      connection.onHover(async ({ textDocument, position }, token): Promise<Hover | null> => {
        const document = context.documents.get(textDocument.uri);
        const settings = context.settings().hover;
        if (!document || !settings.enabled) return null;
        const source = nameAt(document, document.offsetAt(position));
        if (!source) return null;
        const range = {
          start: document.positionAt(source.from),
          end: document.positionAt(source.to),
        };
        const reference = source.names[0] ?? '';
        if (source.form === 'string' && reference.endsWith('.onnx')) {
          const contents = await modelHover(context, fileOf(document.uri), reference);
          return contents && { contents, range };
        }
        const target = await targetOf(context, document, source);
        if (!target || token.isCancellationRequested) return null;
        const described = await context.models.describe(target.model);
        const { picture } = await context.active.current();
        const shown = settings.pictures
          ? await patient(picturesOf(described, target, picture), signalOf(token))
          : null;
        return {
          contents: layerHover(described, target, shown, picture, runsByItself(context, described)),
          range,
        };
      }),
  };
};

/** What nobody asked for by name runs a model only below the size setting, or after a person wanted it. */
const runsByItself = (context: ServerContext, { description }: DescribedModel): boolean =>
  description.weightBytes <= context.settings().engine.automaticRunLimitMB * 1e6 ||
  context.active.wanted.has(description.path);

/**
 * Filters and maps; filters alone where the model does not run; null where neither could be made. Of a module, the filters are those of its
 * layer with the most weights and the maps its output.
 */
async function hoverPictures(
  context: ServerContext,
  described: DescribedModel,
  target: LayerTarget,
  input: string | null,
): Promise<HoverPicturesResult | null> {
  const feeds = input === null ? null : feedsFor(described.description, input);
  const maximumBytes = target.weightLayer ? MAXIMUM_PICTURE_BYTES / 2 : MAXIMUM_PICTURE_BYTES;
  const pictures = async (
    layer: string,
    fed: ModelFeeds | null,
  ): Promise<HoverPicturesResult | null> => {
    try {
      return await context.compute(
        'hoverPictures',
        { model: target.model, layer, feeds: fed, maximumBytes },
        { priority: 'interactive' },
      );
    } catch (error) {
      context.connection.console.warn(
        `hover: ${error instanceof Error ? error.message : String(error)}`,
      );
      return null;
    }
  };
  const own =
    (await pictures(target.layer.id, feeds)) ??
    (feeds ? await pictures(target.layer.id, null) : null);
  if (!target.weightLayer) return own;
  const weights = await pictures(target.weightLayer.id, null);
  return {
    filters: weights?.filters ?? null,
    maps: own?.maps ?? null,
    heatmap: own?.heatmap ?? null,
  };
}

/** The result, or null once patience ends or the hover is gone; the work goes on so that the next hover has it. */
function patient<T>(work: Promise<T>, signal: AbortSignal): Promise<T | null> {
  return new Promise(resolve => {
    const timer = setTimeout(() => resolve(null), PATIENCE_MS);
    signal.addEventListener('abort', () => resolve(null), { once: true });
    void work.then(value => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}

function layerHover(
  { description }: DescribedModel,
  target: LayerTarget,
  shown: HoverPicturesResult | null,
  picture: string | null,
  isLoaded: boolean,
): MarkupContent {
  const { layer, weightLayer, model } = target;
  const facts = [
    weightLayer
      ? `${operatorText(weightLayer)} … out ${shapeText(layer.outputShape)}`
      : layerFacts(layer),
    layer.parameterCount > 0 ? `${layer.parameterCount.toLocaleString('en')} parameters` : '',
    ...dtypes(target),
  ].filter(Boolean);
  const links = [
    commandLink('Visualize Layer', 'layerLens.visualizeLayer', [model, (weightLayer ?? layer).id]),
    commandLink('Pin', 'layerLens.pinLayer', [model, layer.id]),
    ...(isLoaded ? [] : [commandLink('Load Model', 'layerLens.loadModel', [model])]),
  ];
  const title = weightLayer ? `${target.name} (to ${layerLabel(layer)})` : layerLabel(layer);
  const lines = [
    `**${escapeMarkdown(title)}** — ${escapeMarkdown(path.basename(model))} · ${links.join(' · ')}`,
    escapeMarkdown(facts.join(' · ')),
  ];
  if (target.from.startsWith('attribute,')) lines.push(`*${escapeMarkdown(target.from)}*`);
  if (shown?.filters) {
    const { png, width, height, shown: count } = shown.filters;
    const which = `${count} filter${count === 1 ? '' : 's'}${weightLayer ? ` of ${layerLabel(weightLayer)}` : ''}`;
    const image = imageMarkdown(
      `filters of ${layerLabel(weightLayer ?? layer)}`,
      png,
      width,
      height,
    );
    lines.push(`*${escapeMarkdown(which)}*${LINE_BREAK}${image}`);
  }
  if (shown && picture) lines.push(...onPicture(shown, layer, picture, description.labels));
  for (const problem of description.problems.filter(item => item.severity === 'error').slice(0, 1))
    lines.push(escapeMarkdown(problem.message));
  return { kind: 'markdown', value: lines.join('\n\n') };
}

/** Heatmap and strongest maps, side by side under one line that says what they are. */
function onPicture(
  { heatmap, maps }: HoverPicturesResult,
  layer: LayerInfo,
  picture: string,
  labels: LabelsInfo | null,
): readonly string[] {
  const explained = heatmap
    ? heatmap.classIndex === null
      ? heatmap.words
      : `“${labels?.names[heatmap.classIndex] ?? `class ${heatmap.classIndex}`}”`
    : '';
  const words = [
    ...(heatmap ? [`Grad-CAM of ${explained}`] : []),
    ...(maps ? [`strongest maps ${maps.channels.join(', ')}`] : []),
  ];
  const images = [
    ...(heatmap ? [{ ...heatmap, name: `Grad-CAM of ${explained} at ${layerLabel(layer)}` }] : []),
    ...(maps ? [{ ...maps, name: `strongest maps of ${layerLabel(layer)}` }] : []),
  ].map(({ name, png, width, height }) => imageMarkdown(name, png, width, height));
  if (images.length === 0) return [];
  const line = `${words.join(' · ')} on ${path.basename(picture)}`;
  return [`*${escapeMarkdown(line)}*${LINE_BREAK}${images.join(' ')}`];
}

const dtypes = ({ layer }: LayerTarget): readonly string[] => {
  const kinds = [...new Set(layer.parameters.map(parameter => parameter.dtype))].filter(
    kind => kind !== 'float32',
  );
  return kinds.length > 0 ? [`stored as ${kinds.join(', ')}`] : [];
};

async function modelHover(
  context: ServerContext,
  file: string,
  reference: string,
): Promise<MarkupContent | null> {
  await context.active.current();
  const model = context.active.resolveReference(file, reference);
  if (model === null) return null;
  try {
    const { description } = await context.models.describe(model);
    const values = (list: typeof description.inputs): string =>
      list
        .slice(0, 4)
        .map(
          value =>
            `${value.name} ${value.dtype}[${value.shape?.map(size => size ?? '?').join(', ') ?? '?'}]`,
        )
        .join(', ');
    const opset = description.opsets[''] ?? description.opsets['ai.onnx'];
    const lines = [
      `**${escapeMarkdown(path.basename(model))}** — ${escapeMarkdown(description.producer || 'unknown exporter')}, opset ${opset ?? '?'}, ${bytesText(description.fileBytes)}`,
      `${description.layers.length.toLocaleString('en')} layers · ${description.parameterCount.toLocaleString('en')} parameters`,
      `in: ${escapeMarkdown(values(description.inputs))}`,
      `out: ${escapeMarkdown(values(description.outputs))}`,
      commandLink('Open Model', 'layerLens.openModel', [model]),
    ];
    return { kind: 'markdown', value: lines.join('\n\n') };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const inFolder = message.replaceAll(`${path.dirname(model)}${path.sep}`, '');
    return { kind: 'markdown', value: escapeMarkdown(inFolder) };
  }
}
