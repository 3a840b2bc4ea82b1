import { describe, test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp } from './checkVjp';

/** Shapes as `2x3 4`; `-` is a scalar. */
const shapesOf = (text: string): readonly (readonly number[])[] =>
  text.split(' ').map(shape => (shape === '-' ? [] : shape.split('x').map(Number)));

describe('Einsum', () => {
  test.each([
    ['ij->ji', '2x3'],
    ['ij->', '2x3'],
    ['ij->i', '2x3'],
    ['ijk->kj', '2x3x4'],
    ['ba', '2x3'],
    ['ii->i', '3x3'],
    ['ii', '3x3'],
    ['iij->ji', '3x3x2'],
    ['ijij->', '2x3x2x3'],
    ['...ii->...i', '2x3x3'],
    ['b...->...b', '2x3x4'],
    ['ij,jk->ik', '2x3 3x4'],
    ['ij,jk', '2x3 3x4'],
    ['bhid,bhjd->bhij', '2x2x3x4 2x2x5x4'],
    ['bhwc,hkc->bhwk', '2x3x2x4 3x5x4'],
    ['i,j->ij', '2 3'],
    ['i,i->', '4 4'],
    [',ij->ij', '- 2x3'],
    ['ij,k->k', '2x3 4'],
    ['ij,jk->i', '2x3 3x4'],
    ['ii,ij->j', '3x3 3x2'],
    ['bij,bjk->bik', '1x2x3 4x3x2'],
    ['...ij,...jk->...ik', '2x2x3 1x3x4'],
    ['...i,...i', '3x1x4 1x2x4'],
    ['...i,ij->...j', '2x3x4 4x5'],
    ['i ... , ...j -> i j ...', '2x3 3x4'],
    ['ij,jk,kl->il', '2x3 3x4 4x2'],
    ['bn,anm,bm->ba', '2x3 4x3x2 2x2'],
  ])('%s of %s', (equation, shapes) =>
    checkVjp('Einsum', {
      opset: 12,
      inputs: shapesOf(shapes).map(shape => ({ shape })),
      attributes: attributesOf({ equation }),
    }),
  );
  test('in float64', () => {
    const wide = { shape: [2, 3, 3], dtype: 'float64' } as const;
    return checkVjp('Einsum', {
      opset: 18,
      inputs: [wide, wide],
      attributes: attributesOf({ equation: 'bij,bkj->bik' }),
    });
  });
});
