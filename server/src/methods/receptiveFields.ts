import type { ModelFeeds } from '../../../protocol/methods';
import type { Layout } from '../../../protocol/preprocessing';
import { resolveConstant } from '../onnx/constants';
import type { Model } from '../onnx/graph';
import { toNumbers } from '../onnx/numbers';
import { receptiveField, type PictureInput, type TensorField } from '../onnx/receptiveField';
import { inferValues } from '../onnx/shapes/inferShapes';
import { channelsOf } from './mapHints';
import type { MethodContext } from './method';

/** Fields that are kept for one model: a probe asks for the same ones at every move of the mouse. */
const MOST_KEPT = 64;
const kept = new WeakMap<Model, Map<string, TensorField | null>>();

/** Axes of rows and columns of a fed picture. */
const PICTURE_AXES: Readonly<Record<Layout, readonly [rows: number, columns: number]>> = {
  NCHW: [2, 3],
  NHWC: [1, 2],
  CHW: [1, 2],
  HWC: [0, 1],
  NHW: [1, 2],
  HW: [0, 1],
};

/** What the positions of a tensor see of the picture that is fed; null where that is everything, unknown, or no picture is fed. */
export async function fieldOfTensor(
  context: MethodContext,
  feeds: ModelFeeds,
  tensor: string,
): Promise<TensorField | null> {
  const input = pictureInput(context, feeds);
  if (!input) return null;
  const fed = await context.fed(feeds);
  const inputShapes = new Map([...fed].map(([name, { shape }]) => [name, shape]));
  const fields = kept.get(context.model) ?? new Map<string, TensorField | null>();
  kept.set(context.model, fields);
  const key = JSON.stringify([tensor, input, [...inputShapes]]);
  const known = fields.get(key);
  if (known !== undefined) return known;
  const field = computeField(context, inputShapes, tensor, input);
  if (fields.size >= MOST_KEPT) fields.clear();
  fields.set(key, field);
  return field;
}

function computeField(
  context: MethodContext,
  inputShapes: ReadonlyMap<string, readonly number[]>,
  tensor: string,
  input: PictureInput,
): TensorField | null {
  const { model } = context;
  const { shapes, elements } = inferValues(model, {
    readConstant: ref => context.readTensor(ref),
    inputShapes,
  });
  return receptiveField(model.graph, shapes, tensor, input, {
    version: model.opsets.get('') ?? 1,
    constant: name => elements(name) ?? storedNumbers(context, name),
  });
}

/** The input that takes the picture: the first fed with an image, else the first that is shaped like one. */
function pictureInput(context: MethodContext, feeds: ModelFeeds): PictureInput | null {
  for (const [name, feed] of Object.entries(feeds)) {
    if (feed.kind !== 'image') continue;
    const [rows, columns] = PICTURE_AXES[feed.preprocessing.layout.value];
    return { name, rows, columns };
  }
  const { graph } = context.model;
  const shaped = graph.inputs.find(input => input.shape?.length === 4);
  if (!shaped) return null;
  const [rows, columns] = PICTURE_AXES[channelsOf(graph, shaped.name) === 'last' ? 'NHWC' : 'NCHW'];
  return { name: shaped.name, rows, columns };
}

function storedNumbers(context: MethodContext, name: string): readonly number[] | null {
  const { model } = context;
  const constant = resolveConstant(model, model.graph, name, ref => context.readTensor(ref));
  return constant ? toNumbers(constant.tensor) : null;
}
