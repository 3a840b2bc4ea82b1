import type { Dimension } from '../../../../../protocol/model';
import { type NodeView, type Rule, tensor } from '../rule';

/** Y, Y_h and Y_c of RNN, GRU and LSTM; `layout` 1 puts the batch first (since version 14). */
function recurrent(node: NodeView, outputs: number) {
  const stored = node.sizeAt(2, 2);
  const hidden: Dimension = node.hasAttribute('hidden_size') ? node.int('hidden_size', 0) : stored;
  const directions: Dimension = node.string('direction', 'forward') === 'bidirectional' ? 2 : 1;
  const batchFirst = node.int('layout', 0) === 1;
  const [length, batch] = [node.sizeAt(0, batchFirst ? 1 : 0), node.sizeAt(0, batchFirst ? 0 : 1)];
  const all = batchFirst
    ? [batch, length, directions, hidden]
    : [length, directions, batch, hidden];
  const last = batchFirst ? [batch, directions, hidden] : [directions, batch, hidden];
  return [all, last, last].slice(0, outputs).map(shape => tensor(node.dtype(0), shape));
}

export const lstm: Rule = node => recurrent(node, 3);
export const gru: Rule = node => recurrent(node, 2);
