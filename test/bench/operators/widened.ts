import * as ort from 'onnxruntime-node';
import { codeOf } from '../../../server/src/onnx/dataTypes';
import type { Attribute, Model, Node, TensorRef } from '../../../server/src/onnx/graph';
import { readTensor } from '../../../server/src/onnx/readTensor';
import { floatsOf } from '../../unit/gradient/runtime';
import type { OperatorCase } from './cases';

/**
 * A case with every float32 as float64: where a float32 run is too coarse to tell a difference from its rounding, this one is not. Not every
 * operator runs in float64, so not every widened case does.
 */
export function widened({ name, model, inputs }: OperatorCase): OperatorCase {
  const { graph } = model;
  const wide: Model = {
    ...model,
    graph: {
      ...graph,
      // they are those of the narrow types
      valueSpans: new Map(),
      inputs: graph.inputs.map(wideInfo),
      outputs: graph.outputs.map(wideInfo),
      valueInfo: new Map(),
      initializers: new Map(
        [...graph.initializers].map(([key, ref]) => [key, wideTensor(model, ref)]),
      ),
      nodes: graph.nodes.map(node => wideNode(model, node)),
    },
  };
  const feeds = [...inputs].map(([key, x]) => [key, x && wideFeed(x)] as const);
  return { name, model: wide, inputs: new Map(feeds) };
}

const wideInfo = <T extends { readonly dtype: string }>(info: T): T =>
  info.dtype === 'float32' ? { ...info, dtype: 'float64' } : info;

const wideFeed = (x: ort.Tensor): ort.Tensor =>
  x.type === 'float32' ? new ort.Tensor('float64', Float64Array.from(floatsOf(x)), x.dims) : x;

/** Constants become tensors of the wider type, and casts lead to it. */
function wideNode(model: Model, node: Node): Node {
  const attributes = [...node.attributes].map(([name, attribute]): [string, Attribute] => {
    if (node.op === 'Constant' && (attribute.kind === 'float' || attribute.kind === 'floats')) {
      const values = attribute.kind === 'float' ? [attribute.value] : attribute.value;
      const shape = attribute.kind === 'float' ? [] : [values.length];
      return ['value', { kind: 'tensor', value: float64Tensor(name, shape, values) }];
    }
    if (attribute.kind === 'tensor')
      return [name, { kind: 'tensor', value: wideTensor(model, attribute.value) }];
    const leadsToFloat = name === 'to' && attribute.kind === 'int' && attribute.value === FLOAT32;
    return [name, leadsToFloat ? { kind: 'int', value: codeOf('float64') } : attribute];
  });
  return { ...node, attributes: new Map(attributes), span: null };
}

const FLOAT32 = codeOf('float32');

function wideTensor(model: Model, ref: TensorRef): TensorRef {
  if (ref.dtype !== 'float32') return ref;
  const { data } = readTensor(model, ref, location => {
    throw new Error(`${location}: cases have no external data`);
  });
  return float64Tensor(ref.name, ref.shape, Array.from(data, Number));
}

function float64Tensor(
  name: string,
  shape: readonly number[],
  values: readonly number[],
): TensorRef {
  const bytes = new Uint8Array(Float64Array.from(values).buffer);
  return { name, dtype: 'float64', shape, location: { kind: 'bytes', bytes }, span: null };
}
