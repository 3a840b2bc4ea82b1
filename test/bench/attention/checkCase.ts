import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { AttentionInfo, AttentionKind } from '../../../protocol/attention';
import type { ModelFeeds } from '../../../protocol/methods';
import type { CallContext } from '../../../protocol/rpc';
import type { Engine } from '../../../server/src/engine/engine';
import { readNpy } from '../../../server/src/image/npy';
import { methods } from '../../../server/src/methods';
import { toFloat32 } from '../../../server/src/onnx/numbers';
import { describeModel } from '../../../server/src/workspace/describeModel';

/** What makeModels.py says of the models in a folder. */
export interface AttentionCase {
  readonly name: string;
  readonly models: readonly string[];
  readonly inputs: Readonly<Record<string, string>>;
  readonly blocks: readonly {
    readonly heads: number;
    readonly keyHeads: number;
    readonly kind: AttentionKind;
    readonly causal: boolean;
    /** Null where the numbers of the model are not those of PyTorch (quantised), or nothing runs it. */
    readonly probabilities: string | null;
    /** Largest difference of PyTorch's float32 from its float64 (of half precision, what that is worth). */
    readonly noise: number;
  }[];
  readonly lookalikes: readonly string[];
  /** False for operators that ONNX Runtime has no CPU kernel for. */
  readonly runs?: boolean;
}

/** What was found wrong, and the largest difference of weights from PyTorch's. */
export interface Outcome {
  readonly problems: readonly string[];
  readonly difference: number;
  /** Largest difference of rebuilt blocks from their operator's own output, relative. */
  readonly rebuilt: number;
  readonly blocks: number;
  readonly half: boolean;
}

/** Weights are those of PyTorch in float64 within this, or within ten times what float32 is worth for the model, as the goldens have it. */
const LARGEST_DIFFERENCE = 1e-5;
const NOISE_FACTOR = 10;
const LARGEST_REBUILT = 1e-4;
const LARGEST_HALF_REBUILT = 5e-3;
/** More noise than float32 ever makes. */
const HALF_NOISE = 1e-3;
const LARGEST_ROW_ERROR = 1e-4;

const CALL: CallContext = {
  signal: new AbortController().signal,
  priority: 'view',
  report: () => undefined,
};

const isHalf = ({ blocks }: AttentionCase): boolean =>
  blocks.some(({ noise }) => noise >= HALF_NOISE);

/** Lists and computes the attention of one model and compares both with what PyTorch says. */
export async function checkModel(
  engine: Engine,
  folder: string,
  given: AttentionCase,
  file: string,
): Promise<Outcome> {
  const model = path.join(folder, file);
  const { description } = await describeModel(model, []);
  const problems = listed(description.attention, given);
  const counted = { blocks: given.blocks.length, half: isHalf(given) };
  const lookalikes = description.attentionLookalikes.map(({ kind }) => kind);
  if (lookalikes.join() !== given.lookalikes.join())
    problems.push(`lookalikes are ${lookalikes.join() || 'none'}`);
  if (given.blocks.length === 0 || given.runs === false || problems.length > 0)
    return { problems, difference: 0, rebuilt: 0, ...counted };
  const names = description.inputs.map(({ name }) => name);
  const feeds: ModelFeeds = Object.fromEntries(
    Object.entries(given.inputs)
      .filter(([name]) => names.includes(name))
      .map(([name, array]) => [name, { kind: 'array', path: path.join(folder, array) }]),
  );
  return { ...(await computed(engine, folder, given, model, feeds)), ...counted };
}

/** The facts of a block that the listing has to have. */
const FACTS = ['heads', 'keyHeads', 'kind', 'causal'] as const;

/** What the listing says that is not so. */
function listed(attention: readonly AttentionInfo[], { blocks }: AttentionCase): string[] {
  if (attention.length !== blocks.length)
    return [`${attention.length} blocks are listed, there are ${blocks.length}`];
  return blocks.flatMap((block, at) => {
    const wanted = FACTS.map(key => block[key]).join(' ');
    const same = blocks.filter(each => FACTS.map(key => each[key]).join(' ') === wanted).length;
    const found = attention.filter(each => FACTS.map(key => each[key]).join(' ') === wanted).length;
    if (same === found) return [];
    const own = attention[at];
    return [`block ${at} (${wanted}) is listed as ${own && FACTS.map(key => own[key]).join(' ')}`];
  });
}

async function computed(
  engine: Engine,
  folder: string,
  given: AttentionCase,
  model: string,
  feeds: ModelFeeds,
): Promise<Pick<Outcome, 'problems' | 'difference' | 'rebuilt'>> {
  const handlers = engine.handlers(methods);
  const problems: string[] = [];
  let [difference, rebuilt] = [0, 0];
  try {
    const found = await handlers.attention({ model, feeds }, CALL);
    if (found.blocks.length !== given.blocks.length)
      problems.push(`${found.blocks.length} of ${given.blocks.length} blocks have weights`);
    rebuilt = Math.max(0, ...found.blocks.map(block => block.difference ?? 0));
    if (!(rebuilt <= (isHalf(given) ? LARGEST_HALF_REBUILT : LARGEST_REBUILT)))
      problems.push(`rebuilt output differs by ${rebuilt}`);
    const left = new Set(given.blocks);
    for (const index of found.blocks.keys()) {
      const { shape, probabilities } = await handlers.attentionValues(
        { model, feeds, index },
        CALL,
      );
      const rows = rowError(probabilities, shape.at(-1) ?? 1);
      if (!(rows <= LARGEST_ROW_ERROR)) problems.push(`block ${index}: a row sums to 1 ± ${rows}`);
      if (given.blocks.some(block => block.probabilities === null)) continue;
      // tools sort the nodes of a graph anew: a block is that one of the blocks left whose weights it has
      const [best] = [...left]
        .map(block => ({ block, off: distance(folder, block, shape, probabilities) }))
        .sort((a, b) => a.off - b.off);
      if (!best) continue;
      left.delete(best.block);
      difference = Math.max(difference, best.off);
      const most = Math.max(LARGEST_DIFFERENCE, NOISE_FACTOR * best.block.noise);
      if (!(best.off <= most)) problems.push(`block ${index}: weights differ by ${best.off}`);
    }
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
  return { problems, difference, rebuilt };
}

/** Largest difference of weights from those of a block; infinite where the shapes differ. */
function distance(
  folder: string,
  { probabilities }: AttentionCase['blocks'][number],
  shape: readonly number[],
  values: Float32Array,
): number {
  if (probabilities === null) return Infinity;
  const wanted = readNpy(readFileSync(path.join(folder, probabilities)), probabilities);
  return shape.join() === wanted.shape.join()
    ? largestDifference(values, toFloat32(wanted))
    : Infinity;
}

function rowError(values: Float32Array, keys: number): number {
  let worst = 0;
  for (let from = 0; from < values.length; from += keys) {
    let sum = 0;
    for (let key = 0; key < keys; key++) sum += values[from + key] ?? NaN;
    worst = Math.max(worst, Math.abs(sum - 1));
  }
  return worst;
}

const largestDifference = (a: Float32Array, b: Float32Array): number =>
  a.reduce((worst, value, at) => Math.max(worst, Math.abs(value - (b[at] ?? NaN))), 0);
