import { flatLayout, linearBank, type UnitLayout } from './filterBank';
import { knownShapes } from './layerMaps';
import { intAttribute, type LayerNode } from './layerNode';
import type { DescribedBank } from './layerWeight';
import { producersOf } from '../onnx/constantPlan';
import { channelsOf } from './mapHints';
import type { MethodContext } from './method';

/** Operators between a map and the layer that flattens it which leave its size alone. */
const PASS_THROUGH = ['Dropout', 'Identity', 'Cast', 'QuantizeLinear', 'DequantizeLinear'];
const FLATTENING = ['Flatten', 'Reshape'];
/** Steps backwards from the layer to the map. */
const MOST_STEPS = 8;

/**
 * A linear layer's matrix as one filter for each output unit. The inputs of a unit stand as the map that was flattened in front of the
 * layer where the graph tells, else as a rectangle or a row, which is said.
 * `input` is the operand that is the weight: 0 for W · x.
 */
export function linearWeightBank(
  context: MethodContext,
  found: LayerNode,
  shape: readonly number[],
  input: number,
): DescribedBank {
  const [first = 1, second = 1] = shape;
  const transposed = intAttribute(found.node, 'transB', 0) === 1;
  const unitsLast = input !== 0 && !transposed;
  const units = unitsLast ? second : first;
  const inputs = unitsLast ? first : second;
  const data = found.node.inputs[input === 0 ? 1 : 0] ?? '';
  const map = flattenedMap(context, data, inputs);
  const layout = map ?? flatLayout(inputs);
  return {
    bank: linearBank(inputs, units, unitsLast, layout),
    geometry: null,
    notes: [layoutNote(inputs, layout, map !== null)],
  };
}

function layoutNote(inputs: number, layout: UnitLayout, isMap: boolean): string {
  const { slices, rows, columns } = layout;
  if (isMap)
    return `The ${inputs} inputs of each unit are the ${slices} maps of ${rows}×${columns} in front of the layer.`;
  return rows === 1
    ? `Each unit is a row of its ${inputs} inputs.`
    : `The ${inputs} inputs of each unit stand in ${rows} rows of ${columns} only to fit: neighbours mean nothing.`;
}

/** The map [B,C,h,w] (or [B,h,w,C]) whose flattened values are the layer's inputs; null where there is none or it has one position. */
function flattenedMap(context: MethodContext, data: string, inputs: number): UnitLayout | null {
  const { graph } = context.model;
  const byOutput = producersOf(graph);
  const known = knownShapes(context);
  let name = data;
  let flattened = false;
  for (let step = 0; step < MOST_STEPS; step++) {
    const shape = known(name);
    if (flattened && shape?.length === 4) {
      const last = channelsOf(graph, name) === 'last';
      const [slices = 1, rows = 1, columns = 1] = last
        ? [shape[3], shape[1], shape[2]]
        : shape.slice(1);
      const fits = slices * rows * columns === inputs && rows * columns > 1;
      return fits ? { slices, rows, columns, channelsLast: last } : null;
    }
    const node = byOutput.get(name);
    const flattens = node !== undefined && FLATTENING.includes(node.op);
    if (!node || (!flattens && !PASS_THROUGH.includes(node.op))) return null;
    flattened ||= flattens;
    name = node.inputs[0] ?? '';
  }
  return null;
}
