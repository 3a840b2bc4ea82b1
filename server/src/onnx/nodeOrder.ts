import { captured } from './dataPath';
import type { Node } from './graph';

/**
 * The nodes of a graph with every maker in front of its users. ONNX asks files to be in such an order, ONNX Runtime does not, and tools that
 * edit graphs leave others behind. Nodes that are in order stay as they are; of a circle the order of the file is kept.
 */
export function inOrder(nodes: readonly Node[]): readonly Node[] {
  const makers = new Map<string, Node>();
  for (const node of nodes)
    for (const output of node.outputs) if (output !== '') makers.set(output, node);
  const needs = (node: Node): readonly Node[] =>
    [...node.inputs, ...captured(node)].flatMap(name => makers.get(name) ?? []);
  if (isSorted(nodes, needs)) return nodes;
  const sorted = new Set<Node>();
  const begun = new Set<Node>();
  for (const start of nodes) {
    const stack = [start];
    for (let node = stack.at(-1); node; node = stack.at(-1)) {
      const waiting = begun.has(node) ? [] : needs(node).filter(each => !begun.has(each));
      begun.add(node);
      if (waiting.length > 0) stack.push(...waiting.toReversed());
      else {
        sorted.add(node);
        stack.pop();
      }
    }
  }
  return [...sorted];
}

function isSorted(nodes: readonly Node[], needs: (node: Node) => readonly Node[]): boolean {
  const passed = new Set<Node>();
  return nodes.every(node => {
    const ready = needs(node).every(each => passed.has(each));
    passed.add(node);
    return ready;
  });
}
