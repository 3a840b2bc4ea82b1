import { elementCount } from '../../onnx/tensor';
import type { Target } from '../attribution/targets';
import type { AttentionRun } from './attentionRun';
import { headMatrices, type HeadMatrices } from './canonical';
import type { RunBlock } from './runBlocks';

export interface WeightedBlock {
  readonly block: RunBlock;
  readonly matrices: HeadMatrices;
  /** Of the target with respect to each weight; zero where no path leads to it. */
  readonly gradient: HeadMatrices;
}

/**
 * Weights of blocks and the target's gradients with respect to them, from one run of the whole model and its backward part; of long sequences
 * as many blocks in one run as memory is to hold. In order. @throws NoGradientError.
 */
export async function* withGradients(
  run: AttentionRun,
  blocks: readonly RunBlock[],
  target: Target,
): AsyncGenerator<WeightedBlock> {
  await run.assertMasks();
  for (const chunk of run.chunks(blocks, 2)) {
    const found = await run.derivatives.gradients(
      {
        target: target.tensor,
        withRespectTo: chunk.map(({ layout }) => layout.tensor),
        mode: 'gradient',
        top: target.seed.kind === 'top',
        whole: true,
      },
      target.seed,
      new Map(),
      chunk.length === blocks.length,
    );
    for (const block of chunk) {
      const { layout } = block;
      const weights = found.activations.get(layout.tensor);
      if (!weights) throw new Error(`the run gave no ${layout.tensor}`);
      const matrices = headMatrices(layout, weights);
      await run.assertSeen(block, matrices);
      const gradient = found.gradients.get(layout.tensor) ?? {
        ...weights,
        data: new Float32Array(elementCount(weights.shape)),
      };
      yield { block, matrices, gradient: headMatrices(layout, gradient) };
    }
  }
}
