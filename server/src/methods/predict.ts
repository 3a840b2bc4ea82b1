import type { ValueInfo } from '../../../protocol/model';
import { classCount, topClasses } from './classScores';
import { elementReader } from './elements';
import type { Method } from './method';

const FLOATS: readonly string[] = ['float32', 'float16', 'float64', 'bfloat16', 'undefined'];

/** An output that may be class scores, as far as the file tells: one tensor of rank 2 or 4 and a float type. */
function mayBeScores(output: ValueInfo): boolean {
  if (output.container || !FLOATS.includes(output.dtype)) return false;
  return output.shape === null || output.shape.length === 2 || output.shape.length === 4;
}

/**
 * The highest classes of the model's class scores, an output of [B, C] or [B, C, 1, 1] with C ≥ 2 (batch 0). Where several outputs
 * could be scores none is taken: they are start and end positions, boxes or the like.
 */
export const predict: Method<'predict'> = {
  name: 'predict',
  runs: true,
  async compute(params, context) {
    const started = performance.now();
    const names = context.model.graph.outputs.filter(mayBeScores).map(output => output.name);
    const run = names.length > 0 ? await context.values(params.feeds, names) : null;
    const fitting = names.flatMap(name => {
      const tensor = run?.tensors.get(name);
      const classes = tensor ? classCount(tensor.shape) : null;
      return tensor && classes !== null ? [{ name, tensor, classes }] : [];
    });
    const [found] = fitting;
    const scores =
      found && fitting.length === 1
        ? Float64Array.from({ length: found.classes }, (_, index) =>
            elementReader(found.tensor, found.name)(index),
          )
        : null;
    return {
      output: found?.name ?? names[0] ?? context.model.graph.outputs[0]?.name ?? '',
      classes: scores ? topClasses(scores, params.top) : null,
      times: {
        loadMs: run?.times.loadMs ?? 0,
        forwardMs: run?.times.forwardMs ?? 0,
        totalMs: performance.now() - started,
      },
      warnings: run?.warnings ?? [],
    };
  },
};
