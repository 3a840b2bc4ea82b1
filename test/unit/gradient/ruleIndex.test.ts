import { expect, test } from 'vitest';
import { rules } from '../../../server/src/gradient/rules';

test('each operator is in one rule only', () => {
  const ops = rules.flatMap(rule => rule.ops);
  expect(ops.filter((op, i) => ops.indexOf(op) !== i)).toEqual([]);
});
