import { type Rule, tensor } from '../rule';

/** ai.onnx.ml.LinearClassifier, SVMClassifier, TreeEnsembleClassifier: a label and scores for each row. */
export const classifier: Rule = node => {
  const labels = node.ints('classlabels_ints') ?? node.ints('classlabels_int64s');
  const names = node.node.attributes.get('classlabels_strings');
  const named = names?.kind === 'strings' ? names.value.length : 0;
  const rows = node.shape(0)?.length === 2 ? node.sizeAt(0, 0) : null;
  const classes = labels?.length ?? named;
  return [
    tensor(named > 0 ? 'string' : 'int64', [rows]),
    tensor('float32', [rows, classes > 2 ? classes : null]),
  ];
};

/** ai.onnx.ml.Scaler and Normalizer: float32 of the input's shape. */
export const floatOfSameShape: Rule = node => [tensor('float32', node.shape(0))];
