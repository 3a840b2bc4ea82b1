import type { Detection, FractionBox } from '../../../../protocol/attribution';
import { toFloat64 } from '../../onnx/numbers';
import { detectionForms } from './detectionForms';
import type { Candidate, FedSize } from './detectionForms/form';
import type { Derivatives } from './derivatives';
import { beforeFinalNormalisation } from './elementTrace';
import { gridOf } from './layerGrid';

/** A detection, and the element of the model whose value its score is (before a final Sigmoid or Softmax where there is one). */
export interface FoundDetection extends Detection {
  readonly tensor: string;
  /** C-order index in the tensor. */
  readonly element: number;
}

const THRESHOLD = 0.25;
/** Boxes of one class that share more of their union are one detection. */
const OVERLAP = 0.45;
const MOST = 50;

/**
 * What a model found in the first image, from the highest score, overlapping boxes removed; null where its outputs are not read as detections.
 * Throws what a run throws.
 */
export async function detectionsOf(
  derivatives: Derivatives,
): Promise<{ readonly detections: readonly FoundDetection[] } | null> {
  const fed = fedSize(derivatives);
  if (!fed) return null;
  const { graph } = derivatives.model;
  const outputs = graph.outputs.flatMap(({ name }) => {
    const shape = derivatives.shapeOf(name);
    return shape && derivatives.isFloat(name) ? [{ name, shape }] : [];
  });
  for (const form of detectionForms) {
    const reader = form.recognise(outputs, fed);
    if (!reader) continue;
    const tensors = await derivatives.values(reader.tensors);
    const values = new Map([...tensors].map(([name, tensor]) => [name, toFloat64(tensor)]));
    const candidates = reader.read(name => values.get(name) ?? new Float64Array(0), THRESHOLD);
    if (!candidates) continue;
    const detections = withoutOverlaps(candidates).map(candidate => ({
      ...candidate,
      ...beforeFinalNormalisation(graph, name => derivatives.shapeOf(name), candidate),
    }));
    return { detections };
  }
  return null;
}

/** Size of the first input that is a picture. */
function fedSize(derivatives: Derivatives): FedSize | null {
  const input = derivatives.model.graph.inputs.find(
    ({ name }) => derivatives.shapeOf(name)?.length === 4,
  );
  if (!input) return null;
  const { rows, columns } = gridOf(derivatives, input.name);
  return { width: columns, height: rows };
}

/** Greedy non-maximum suppression within each class. */
function withoutOverlaps(candidates: readonly Candidate[]): readonly Candidate[] {
  const kept: Candidate[] = [];
  for (const candidate of [...candidates].sort((a, b) => b.score - a.score)) {
    if (kept.length === MOST) break;
    const isCovered = kept.some(
      other =>
        other.classIndex === candidate.classIndex && shared(other.box, candidate.box) > OVERLAP,
    );
    if (!isCovered) kept.push(candidate);
  }
  return kept;
}

/** Intersection over union. */
function shared(a: FractionBox, b: FractionBox): number {
  const width = Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left));
  const height = Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
  const both = width * height;
  const area = ({ left, top, right, bottom }: FractionBox): number =>
    (right - left) * (bottom - top);
  return both === 0 ? 0 : both / (area(a) + area(b) - both);
}
