import { UserError } from '../../../../protocol/errors';
import type { ModelFeeds } from '../../../../protocol/methods';
import { findAttention } from '../../onnx/attention';
import { dataPathOf, isVarying } from '../../onnx/dataPath';
import { elementCount, type Tensor } from '../../onnx/tensor';
import { Derivatives } from '../attribution/derivatives';
import type { MethodContext } from '../method';
import { evenImages, hiddenByMask, hides, noAttention } from './checks';
import { headMatrices, type HeadMatrices } from './canonical';
import { runBlocks, type RunBlock } from './runBlocks';

/** Bytes of probabilities that one run gives at most; longer sequences take several. */
const MOST_BYTES = 2 ** 28;
/** A block with its weights. */
export interface BlockValues {
  readonly block: RunBlock;
  readonly matrices: HeadMatrices;
  /** What the operator that was written out gives now; null for blocks that stand in the graph. */
  readonly output: Tensor | null;
}

/** Larger masks are not looked at. */
const MOST_MASK_BYTES = 2 ** 24;

/** True for a block whose masks no block before it has. */
const sharesNoMask = ({ block }: RunBlock, at: number, all: readonly RunBlock[]): boolean =>
  block.masks.length > 0 &&
  !all.slice(0, at).some(each => block.masks.every(name => each.block.masks.includes(name)));

/** The attention of a model for one input. */
export class AttentionRun {
  /** Blocks whose masks were looked at. */
  private checked = false;

  private constructor(
    private readonly context: MethodContext,
    readonly derivatives: Derivatives,
    /** In the order of the graph. */
    readonly blocks: readonly RunBlock[],
    /** Sentences on blocks that are left out. */
    readonly notes: readonly string[],
  ) {}

  /** @throws UserError `unsupported` for models without attention whose probabilities can be had, and what preparing the feeds throws. */
  static async open(context: MethodContext, feeds: ModelFeeds): Promise<AttentionRun> {
    const derivatives = await Derivatives.open(context, feeds, false);
    const { model, facts } = derivatives;
    const found = findAttention(model, facts, ref => context.readTensor(ref));
    const { blocks, notes } = runBlocks(context, model.graph, found);
    if (blocks.length === 0) throw noAttention(context, found, notes);
    return new AttentionRun(context, derivatives, blocks, notes);
  }

  /** The block of this id. @throws UserError `layerNotFound`. */
  block(id: string): RunBlock {
    const found = this.blocks.find(block => block.id === id);
    if (found) return found;
    throw new UserError(
      'layerNotFound',
      `The model has no attention block "${id}"; "inspect --json" lists them under "attention".`,
    );
  }

  /**
   * The probabilities of some blocks, in order, as many in one run as memory is to hold. What written out operators give comes from the same run: of its own
   * it might be computed by an operator that ONNX Runtime fused anew.
   */
  async *each(blocks: readonly RunBlock[]): AsyncGenerator<BlockValues> {
    await this.assertMasks();
    // the run of all blocks serves every question, where there is room for it
    const together = this.chunks(this.blocks).length === 1;
    for (const chunk of this.chunks(blocks)) {
      const names = (together ? this.blocks : chunk).flatMap(({ layout, output }) =>
        output === null ? [layout.tensor] : [layout.tensor, output],
      );
      const tensors = together
        ? await this.derivatives.preparedValues(names)
        : await this.derivatives.passing(names);
      for (const block of chunk) {
        const tensor = required(tensors, block.layout.tensor);
        const matrices = headMatrices(block.layout, tensor);
        await this.assertSeen(block, matrices);
        yield { block, matrices, output: tensors.get(block.output ?? '') ?? null };
      }
      this.context.signal.throwIfAborted();
    }
  }

  /**
   * Looks at the masks that are added to scores, once: softmax takes no notice of a number that is added to all of them. Only what the masks are made of is
   * run. @throws UserError `badArray` where one of them lowers every score of an image.
   */
  async assertMasks(): Promise<void> {
    if (this.checked) return;
    this.checked = true;
    const { derivatives } = this;
    for (const block of this.blocks.filter(sharesNoMask)) {
      const names = this.varyingMasks(block).filter(name => derivatives.isFloat(name));
      if (names.length === 0) continue;
      for (const mask of (await derivatives.passing(names)).values()) {
        const batch = mask.shape[0] ?? 1;
        for (let image = 0; image < batch; image++)
          if (hides(mask, image, batch)) throw hiddenByMask(block.id);
      }
    }
  }

  /** The masks of a block that depend on what is fed, if they are small. */
  private varyingMasks({ block }: RunBlock): readonly string[] {
    const { model } = this.derivatives;
    const { varying } = dataPathOf(model.graph, null);
    const size = (name: string): number =>
      4 * elementCount(this.derivatives.shapeOf(name) ?? [MOST_BYTES]);
    return block.masks.filter(name => isVarying(varying, name) && size(name) <= MOST_MASK_BYTES);
  }

  /** @throws UserError `badArray` where a mask hides every key of an image: the softmax has nothing to share out. */
  async assertSeen(block: RunBlock, matrices: HeadMatrices): Promise<void> {
    const even = evenImages(block, matrices);
    if (even.length === 0) return;
    if (Number.isNaN(matrices.values[0])) throw hiddenByMask(block.id);
    const masks = this.varyingMasks(block);
    const values = await this.derivatives.values(masks);
    for (const image of even)
      if (masks.some(name => hides(required(values, name), image, matrices.batch)))
        throw hiddenByMask(block.id);
  }

  /** Blocks for one run each, `tensors` of the size of the weights being given of each. */
  chunks(blocks: readonly RunBlock[], tensors = 1): readonly (readonly RunBlock[])[] {
    const chunks: RunBlock[][] = [];
    let bytes = Infinity;
    for (const block of blocks) {
      const shape = this.derivatives.shapeOf(block.layout.tensor);
      const size = 4 * tensors * elementCount(shape ?? []);
      if (bytes + size > MOST_BYTES) {
        chunks.push([]);
        bytes = 0;
      }
      chunks.at(-1)?.push(block);
      bytes += size;
    }
    return chunks;
  }

  /** What the operators that were written out give in the model as it is, by tensor. */
  async ownOutputs(): Promise<ReadonlyMap<string, Tensor>> {
    const names = this.blocks.flatMap(({ output }) => output ?? []);
    if (names.length === 0) return new Map();
    return (await this.context.values(this.derivatives.feeds, names)).tensors;
  }
}

function required(tensors: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`the run gave no ${name}`);
  return tensor;
}
