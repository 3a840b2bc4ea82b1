import type { FeatureMapsParams, ModelFeeds } from '../../../protocol/methods';
import { UserError } from '../../../protocol/errors';
import type { LayerInfo } from '../../../protocol/model';
import type { Tensor } from '../onnx/tensor';
import { elementReader } from './elements';
import type { ReadElement } from './filterBank';
import { mapHints, precedingMaps, type KnownShape } from './mapHints';
import { mapView, type MapView } from './mapView';
import type { MethodContext, RunValues } from './method';

/** A tensor of a layer as a run gave it, and how it is read as maps. */
export interface LayerMaps {
  readonly layer: LayerInfo;
  readonly name: string;
  readonly tensor: Tensor;
  readonly view: MapView;
  readonly read: ReadElement;
  readonly times: RunValues['times'];
  readonly warnings: readonly string[];
}

/** The layer with this id. @throws UserError `layerNotFound`. */
export function layerById(context: MethodContext, id: string): LayerInfo {
  const layer = context.layers.find(candidate => candidate.id === id);
  if (!layer)
    throw new UserError(
      'layerNotFound',
      `The model has no layer "${id}" any more; open the layer again from its list.`,
    );
  return layer;
}

/**
 * The tensor that stands for a layer: its first output, unless another one of it is asked for.
 * @throws UserError `unsupported` for layers inside a subgraph, `tensorNotFound` for tensors of other layers.
 */
export function tensorOf(layer: LayerInfo, tensor: string | undefined): string {
  if (layer.subgraph !== '')
    throw new UserError(
      'unsupported',
      `The layer "${layer.id}" lies inside ${layer.subgraph}, whose values cannot be read from outside; choose a layer of the main graph.`,
    );
  if (tensor !== undefined && !layer.outputs.includes(tensor) && !layer.inputs.includes(tensor))
    throw new UserError('tensorNotFound', `"${tensor}" is no tensor of the layer "${layer.id}".`);
  const name = tensor ?? layer.outputs.find(output => output !== '');
  if (name === undefined)
    throw new UserError('unsupported', `The layer "${layer.id}" has no output that could be read.`);
  return name;
}

/**
 * Runs the model (or finds the run that was made) and reads a layer's tensor as maps: the values of a run with that tensor declared as an
 * output, to the last bit. With `ahead`, other layers' outputs come from the same run and are kept while they fit, so that the next layer is
 * a look-up; values then can differ in their last bits, because what is declared decides what ONNX Runtime fuses.
 */
export async function layerMaps(
  params: FeatureMapsParams,
  context: MethodContext,
  options: { readonly ahead: boolean } = { ahead: false },
): Promise<LayerMaps> {
  const layer = layerById(context, params.layer);
  const name = tensorOf(layer, params.tensor);
  const run = await context.values(params.feeds, [name], options);
  const tensor = valueOf(run, name);
  const view = await viewOf(context, params.feeds, name, tensor);
  return {
    layer,
    name,
    tensor,
    view,
    read: elementReader(tensor, name),
    times: run.times,
    warnings: run.warnings,
  };
}

/** A value that was asked for. @throws UserError `unsupported` where it is no tensor. */
export function valueOf(run: RunValues, name: string): Tensor {
  const tensor = run.tensors.get(name);
  if (!tensor)
    throw new UserError('unsupported', `The value "${name}" is no tensor that could be read.`);
  return tensor;
}

/** Sizes that the file tells, from the outputs of its layers. */
export function knownShapes(context: MethodContext): KnownShape {
  const shapes = new Map<string, readonly number[]>();
  for (const layer of context.layers) {
    const shape = layer.outputShape?.filter(size => typeof size === 'number');
    const output = layer.outputs[0];
    if (output !== undefined && shape?.length === layer.outputShape?.length && shape)
      shapes.set(output, shape);
  }
  return name => shapes.get(name) ?? null;
}

/** Reads a tensor as maps; where the grid of tokens depends on a size that only a run tells, that map is fetched too. */
async function viewOf(
  context: MethodContext,
  feeds: ModelFeeds,
  name: string,
  tensor: Tensor,
): Promise<MapView> {
  const { graph } = context.model;
  const fromFile = knownShapes(context);
  const fetched = new Map([[name, tensor.shape]]);
  const known: KnownShape = other => fetched.get(other) ?? fromFile(other);
  if (tensor.shape.length === 3) {
    const nearest = precedingMaps(graph, name, known)[0];
    if (nearest !== undefined && known(nearest) === null) {
      const run = await context.values(feeds, [nearest], { ahead: true });
      fetched.set(nearest, valueOf(run, nearest).shape);
    }
  }
  return mapView(name, tensor.shape, mapHints(graph, name, known));
}

/** Refuses a channel that the tensor does not have. @throws UserError `outOfRange`. */
export function checkChannel(maps: LayerMaps, channel: number): void {
  if (!Number.isInteger(channel) || channel < 0 || channel >= maps.view.channels)
    throw new UserError(
      'outOfRange',
      `"${maps.name}" has the channels 0 to ${maps.view.channels - 1}; ${channel} is none of them.`,
    );
}

/** Refuses a position outside the maps. @throws UserError `outOfRange`. */
export function checkPosition(maps: LayerMaps, row: number, column: number): void {
  const { rows, columns } = maps.view;
  const inside = (index: number, size: number): boolean =>
    Number.isInteger(index) && index >= 0 && index < size;
  if (!inside(row, rows) || !inside(column, columns))
    throw new UserError(
      'outOfRange',
      `The maps of "${maps.name}" have ${rows} rows and ${columns} columns; (${row}, ${column}) is outside.`,
    );
}
