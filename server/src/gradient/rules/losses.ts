import type { Operators } from '../operators';
import type { InputGradient, Rule, RuleNode } from '../rule';
import type { Value } from '../value';

/** −weight · log-probability of each label, their sum, or their weighted mean. Log-probabilities [N, C, d…], labels [N, d…], weights [C]. */
export const negativeLogLikelihoodLoss: Rule = {
  ops: ['NegativeLogLikelihoodLoss'],
  vjp: (n, e) => {
    const loss = new LabelLoss(n, e, n.x(0));
    return [() => loss.ofLogProbabilities(), null, loss.ofWeights];
  },
};

/** The same of the log-softmax of scores, which is the second output. */
export const softmaxCrossEntropyLoss: Rule = {
  ops: ['SoftmaxCrossEntropyLoss'],
  vjp: (n, e) => {
    const logProbabilities = n.gives(1) ? n.y(1) : logSoftmax(e, n.x(0));
    const loss = new LabelLoss(n, e, logProbabilities);
    return [
      () => {
        const parts = [
          ...(n.dyOf(0) ? [loss.ofLogProbabilities()] : []),
          ...[n.dyOf(1)].flatMap(given => given ?? []),
        ];
        const g = e.sum(parts);
        return e.sub(g, e.mul(e.exp(logProbabilities), e.reduceSum(g, [1])));
      },
      null,
      n.dyOf(0) ? loss.ofWeights : null,
    ];
  },
};

/** Over axis 1 alone; before version 13 the operator of that name takes all further axes in. */
function logSoftmax(e: Operators, scores: Value): Value {
  const low = e.sub(scores, e.reduceMax(scores, [1]));
  return e.sub(low, e.log(e.reduceSum(e.exp(low), [1])));
}

/** The gradients of both losses; all tensors have an axis of classes at 1, of size 1 where they have none. */
class LabelLoss {
  /** 1 where the class is the label, unless that is to be ignored: [N, C, d…]. */
  private readonly mask: Value;
  private readonly classes: number;

  constructor(
    private readonly n: RuleNode,
    private readonly e: Operators,
    private readonly logProbabilities: Value,
  ) {
    const { dtype, shape } = logProbabilities;
    this.classes = shape[1] ?? 1;
    const labels = e.reshape(e.cast(n.x(1), 'int64'), shape.with(1, 1));
    const all = Array.from({ length: this.classes }, (_, c) => c);
    const ignored = n.hasAttribute('ignore_index') ? n.int('ignore_index', -1) : null;
    // a class that no label is
    const numbers = all.map(c => (c === ignored ? -1 - Math.abs(ignored) : c));
    const rows = e.ints(numbers, this.alongClasses);
    this.mask = e.asNumber(e.node('Equal', [labels, rows]), dtype);
  }

  ofLogProbabilities(): Value {
    const { e } = this;
    return e.neg(e.mul(this.weighted, this.given));
  }

  /** Null where the weights were left out. */
  get ofWeights(): InputGradient | null {
    return this.n.has(2) ? () => this.weightGradient() : null;
  }

  private weightGradient(): Value {
    const { e, n, mask } = this;
    const losses = e.neg(this.logProbabilities);
    const about = this.isMean ? e.sub(losses, n.y(0)) : losses;
    const all = e.mul(e.mul(mask, about), this.given);
    const others = all.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
    return e.reshape(e.reduceSum(all, others), [this.classes]);
  }

  private get isMean(): boolean {
    return this.n.string('reduction', 'mean') === 'mean';
  }

  private get alongClasses(): number[] {
    return this.logProbabilities.shape.map((_, axis) => (axis === 1 ? this.classes : 1));
  }

  /** The mask times the weight of each class. */
  private get weighted(): Value {
    const { e, n, mask } = this;
    return n.has(2) ? e.mul(mask, e.reshape(n.x(2), this.alongClasses)) : mask;
  }

  /** The gradient of each label's weighted loss, in a shape that broadcasts to [N, C, d…]. */
  private get given(): Value {
    const { e, n } = this;
    const dy = n.dyOf(0) ?? n.dy;
    if (n.string('reduction', 'mean') === 'none')
      return e.reshape(dy, this.logProbabilities.shape.with(1, 1));
    if (!this.isMean) return dy;
    const all = this.mask.shape.map((_, axis) => axis);
    return e.div(dy, e.reshape(e.reduceSum(this.weighted, all), []));
  }
}
