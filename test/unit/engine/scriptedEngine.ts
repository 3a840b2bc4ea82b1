import type { PictureParams, PictureResult } from '../../../protocol/methods';
import { UserError } from '../../../protocol/errors';
import type { CallContext } from '../../../protocol/rpc';
import { JobQueue, type JobTurn } from '../../../server/src/engine/queue';
import { queued, serve } from '../../../server/src/engine/serve';

/**
 * An engine whose `picture` does what the path says, for tests of everything around the methods: `echo`, `block:MS` (the thread stands still, as
 * in a native run), `steps:N` (progress, giving way between steps), `grow:MIB` (holds memory while blocked), `crash`, `refuse`.
 */
const queue = new JobQueue();
const order: string[] = [];

async function act(
  { path }: PictureParams,
  context: CallContext,
  turn: JobTurn,
): Promise<PictureResult> {
  const [verb = '', argument = '0'] = path.split(':');
  order.push(path);
  if (verb === 'block') block(Number(argument));
  if (verb === 'crash') process.kill(process.pid, 'SIGSEGV');
  if (verb === 'refuse') throw new UserError('badImage', 'picture.png is no picture.');
  if (verb === 'grow') block(3000, Buffer.alloc(Number(argument) * 2 ** 20, 1));
  if (verb === 'steps') {
    for (let step = 1; step <= Number(argument); step++) {
      block(20);
      context.report({ fraction: step / Number(argument) });
      await turn.giveWay();
    }
  }
  return {
    png: Uint8Array.of(1, 2, 3),
    width: process.pid,
    height: 1,
    geometry: null,
    notes: [...order],
  };
}

function block(ms: number, held = Buffer.alloc(4)): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  held.fill(0, 0, 4);
}

const refuse = (): never => {
  throw new UserError('unsupported', 'The scripted engine only draws pictures.');
};

serve({
  configure: () => null,
  release: () => null,
  status: () => ({
    pid: process.pid,
    residentBytes: process.memoryUsage.rss(),
    sessions: 0,
    sessionBytes: 0,
    activationBytes: 0,
  }),
  picture: queued(queue, act),
  filters: refuse,
  weights: refuse,
  featureMaps: refuse,
  featureMapTiles: refuse,
  channel: refuse,
  probe: refuse,
  recompute: refuse,
  activationHeatmap: refuse,
  layerStrengths: refuse,
  preprocess: refuse,
  tensors: refuse,
  predict: refuse,
  hoverPictures: refuse,
  renderGrid: refuse,
  explain: refuse,
  layerHeatmaps: refuse,
  renderHeatmap: refuse,
  attributionTargets: refuse,
  attention: refuse,
  attentionMatrices: refuse,
  attentionToken: refuse,
  attentionValues: refuse,
  attentionMap: refuse,
  headAblation: refuse,
});
