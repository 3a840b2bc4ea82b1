import { axisOf, type Shape } from '../dimensions';
import { type NodeView, type Rule, tensor } from '../rule';

/** BatchNormalization: the first output is like the input; the others (training, old versions) like the running mean. */
export const batchNormalization: Rule = node => [
  tensor(node.dtype(0), node.shape(0)),
  ...[3, 4, 3, 4].map(index => tensor(node.dtype(index), node.shape(index))),
];

/** Statistics of a normalisation over the axes from `axis` on: these sizes become 1. */
function statistics(node: NodeView, first: number): Shape | null {
  const shape = node.shape(0);
  const axis = axisOf(first, shape?.length ?? 0);
  if (shape === null || axis === null) return null;
  return shape.map((length, index) => (index >= axis ? 1 : length));
}

/** LayerNormalization, SimplifiedLayerNormalization and RMSNormalization; statistics are float32 (`stash_type`). */
export const layerNormalization: Rule = node => {
  const shape = statistics(node, node.int('axis', -1));
  return [tensor(node.dtype(0), node.shape(0)), tensor('float32', shape), tensor('float32', shape)];
};

/** com.microsoft.SkipLayerNormalization and its simplified form: output 3 is the sum before normalisation. */
export const skipLayerNormalization: Rule = node => {
  const shape = statistics(node, -1);
  const same = tensor(node.dtype(0), node.shape(0));
  return [same, tensor('float32', shape), tensor('float32', shape), same];
};

/** com.microsoft.SkipGroupNorm: output 1 is the sum before normalisation. */
export const skipGroupNormalization: Rule = node => {
  const same = tensor(node.dtype(0), node.shape(0));
  return [same, same];
};

/** com.microsoft.EmbedLayerNormalization: [batch, sequence, hidden] from ids [batch, sequence] and a table [words, hidden]. */
export const embedLayerNormalization: Rule = node => {
  const ids = node.shape(0);
  const shape = ids === null ? null : [...ids, node.sizeAt(2, 1)];
  const type = node.dtype(2);
  return [
    tensor(type, shape),
    tensor('int32', ids === null ? null : ids.slice(0, 1)),
    tensor(type, shape),
  ];
};
