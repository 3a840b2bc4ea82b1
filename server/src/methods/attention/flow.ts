/**
 * Attention flow (Abnar and Zuidema 2020, arXiv 2005.00928, section 3): layers of tokens are the nodes of a network, the weights (with those of the
 * residual connection) the capacities of its edges, and what an input token is worth for an output token is the maximum flow between them.
 */
export class FlowNetwork {
  private readonly capacities: readonly Float64Array[];
  private readonly left: Float64Array[];
  private readonly level: Int32Array;
  private readonly next: Int32Array;

  /** `layers` from first to last, each [tokens, tokens]: how much of a token of the layer (row) comes from one of the layer before (column). */
  constructor(
    layers: readonly Float64Array[],
    private readonly tokens: number,
  ) {
    this.capacities = layers.toReversed();
    this.left = this.capacities.map(layer => Float64Array.from(layer));
    const nodes = (layers.length + 1) * tokens;
    this.level = new Int32Array(nodes);
    this.next = new Int32Array(nodes);
  }

  /** The maximum flow from a token behind the last layer to one in front of the first (Dinitz's algorithm). */
  between(output: number, input: number): number {
    this.capacities.forEach((layer, at) => this.left[at]?.set(layer));
    const sink = this.capacities.length * this.tokens + input;
    let total = 0;
    while (this.reaches(output, sink)) {
      this.next.fill(0);
      for (
        let pushed = this.push(output, sink, Infinity);
        pushed > 0;
        pushed = this.push(output, sink, Infinity)
      )
        total += pushed;
    }
    return total;
  }

  /** Numbers the nodes by their distance from the source over edges with room left, in either direction. */
  private reaches(source: number, sink: number): boolean {
    const { level, tokens } = this;
    level.fill(-1);
    level[source] = 0;
    const queue = [source];
    for (const node of queue) {
      if (node === sink) return true;
      for (let edge = 0; edge < 2 * tokens; edge++) {
        const other = this.other(node, edge);
        if (other < 0 || (level[other] ?? 0) >= 0 || this.room(node, edge) <= SMALLEST) continue;
        level[other] = (level[node] ?? 0) + 1;
        queue.push(other);
      }
    }
    return false;
  }

  private push(node: number, sink: number, most: number): number {
    if (node === sink) return most;
    const { next, level, tokens } = this;
    for (let edge = next[node] ?? 0; edge < 2 * tokens; edge++) {
      next[node] = edge;
      const other = this.other(node, edge);
      const room = other < 0 ? 0 : this.room(node, edge);
      if (room <= SMALLEST || level[other] !== (level[node] ?? 0) + 1) continue;
      const pushed = this.push(other, sink, Math.min(most, room));
      if (pushed <= 0) continue;
      this.use(node, edge, pushed);
      return pushed;
    }
    next[node] = 2 * tokens;
    return 0;
  }

  /** The node at the other end: edges from 0 lead down to the layer before, those behind them back up. −1 where there is none. */
  private other(node: number, edge: number): number {
    const { tokens, capacities } = this;
    const layer = Math.floor(node / tokens);
    if (edge < tokens) return layer < capacities.length ? (layer + 1) * tokens + edge : -1;
    return layer > 0 ? (layer - 1) * tokens + (edge - tokens) : -1;
  }

  /** Room downwards is what is left of the capacity; upwards, what flows already. */
  private room(node: number, edge: number): number {
    const { tokens } = this;
    const layer = Math.floor(node / tokens);
    const token = node % tokens;
    if (edge < tokens) return this.left[layer]?.[token * tokens + edge] ?? 0;
    const at = (edge - tokens) * tokens + token;
    return (this.capacities[layer - 1]?.[at] ?? 0) - (this.left[layer - 1]?.[at] ?? 0);
  }

  private use(node: number, edge: number, amount: number): void {
    const { tokens } = this;
    const layer = Math.floor(node / tokens);
    const token = node % tokens;
    const down = edge < tokens;
    const left = this.left[down ? layer : layer - 1];
    const at = down ? token * tokens + edge : (edge - tokens) * tokens + token;
    if (left) left[at] = (left[at] ?? 0) + (down ? -amount : amount);
  }
}

/** Less room than this is rounding. */
const SMALLEST = 1e-12;
