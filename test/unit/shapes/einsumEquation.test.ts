import { describe, expect, test } from 'vitest';
import { readEinsum } from '../../../server/src/onnx/shapes/einsumEquation';

describe('an Einsum equation', () => {
  test.each([
    ['ij,jk->ik', [2, 2], ['ij', 'jk'], 'ik'],
    ['ba', [2], ['ba'], 'ab'],
    ['ii', [2], ['ii'], ''],
    [' i j , j k ', [2, 2], ['ij', 'jk'], 'ik'],
    [',i->i', [0, 1], ['', 'i'], 'i'],
    ['...ij->...ji', [4], ['ABij'], 'ABji'],
    ['...ij,...jk', [4, 3], ['ABij', 'Bjk'], 'ABik'],
    ['A...,...->A...', [2, 1], ['AB', 'B'], 'AB'],
    ['i...->i...', [1], ['i'], 'i'],
    ['ij,jk->ik', [null, 2], ['ij', 'jk'], 'ik'],
  ])('%s for ranks %j', (equation, ranks, terms, output) => {
    expect(readEinsum(equation, ranks)).toEqual({ terms, output });
  });

  test.each([
    ['ij,jk->ik', [2]],
    ['ij->i', [3]],
    ['...ij->...', [1]],
    ['...ij->...', [null]],
    ['i1->i', [2]],
    ['i..->i', [3]],
  ])('%s does not fit ranks %j', (equation, ranks) => {
    expect(readEinsum(equation, ranks)).toBeNull();
  });
});
