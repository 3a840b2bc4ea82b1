import type { Attribute } from '../../../server/src/onnx/graph';

/** An attribute as a test writes it: whole numbers are ints, others floats; `{ float }` and `{ floats }` say that they are none. */
export type PlainAttribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] };

function attributeOf(value: PlainAttribute): Attribute {
  if (typeof value === 'string') return { kind: 'string', value };
  if (typeof value === 'number') return { kind: Number.isInteger(value) ? 'int' : 'float', value };
  if ('float' in value) return { kind: 'float', value: value.float };
  if ('floats' in value) return { kind: 'floats', value: value.floats };
  return { kind: 'ints', value };
}

export const attributesOf = (
  plain: Readonly<Record<string, PlainAttribute>>,
): Readonly<Record<string, Attribute>> =>
  Object.fromEntries(Object.entries(plain).map(([name, value]) => [name, attributeOf(value)]));
