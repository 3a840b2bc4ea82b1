import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DataType } from '../../../protocol/model';
import type { TensorRef } from '../../../server/src/onnx/graph';
import { inferShapes } from '../../../server/src/onnx/shapes/inferShapes';
import {
  attributeOf,
  constantOf,
  graphOf,
  modelOf,
  nodeOf,
  type PlainAttribute,
  readSmall,
  valueOf,
} from './smallGraphs';

interface Case {
  readonly op: string;
  readonly domain: string;
  readonly version: number;
  readonly attributes: Readonly<Record<string, PlainAttribute>>;
  readonly inputs: readonly ({
    readonly dtype: DataType;
    readonly shape: readonly number[];
    readonly values?: readonly number[];
  } | null)[];
  readonly outputs: readonly { readonly dtype: DataType; readonly shape: readonly number[] }[];
}

const cases: readonly Case[] = JSON.parse(
  readFileSync(path.resolve(import.meta.dirname, '../../fixtures/shapes/cases.json'), 'utf8'),
);

function inferredOf({ op, domain, version, attributes, inputs, outputs }: Case) {
  const initializers = new Map<string, TensorRef>();
  inputs.forEach((input, index) => {
    if (input?.values !== undefined)
      initializers.set(
        `x${index}`,
        constantOf(`x${index}`, input.dtype, input.shape, input.values),
      );
  });
  const fed = inputs.flatMap((input, index) =>
    input !== null && input.values === undefined
      ? [valueOf(`x${index}`, input.dtype, input.shape)]
      : [],
  );
  const names = inputs.map((input, index) => (input === null ? '' : `x${index}`));
  const node = nodeOf(
    0,
    op,
    names,
    outputs.map((_, index) => `y${index}`),
    new Map(Object.entries(attributes).map(([name, value]) => [name, attributeOf(name, value)])),
    { domain },
  );
  const model = modelOf(graphOf({ nodes: [node], inputs: fed, initializers }), version);
  const shapes = inferShapes(model, { readConstant: readSmall });
  return outputs.map((_, index) => shapes.get(`y${index}`));
}

/** Outputs whose size only a run can tell. */
const OPEN = new Set(['NonZero', 'Unique', 'Compress', 'NonMaxSuppression']);

describe('shape rules against ONNX Runtime, operator by operator', () => {
  const operators = [...new Set(cases.map(each => `${each.domain}:${each.op}`))];
  it.each(operators)('%s', operator => {
    for (const each of cases.filter(
      candidate => `${candidate.domain}:${candidate.op}` === operator,
    )) {
      const inferred = inferredOf(each);
      for (const [index, output] of each.outputs.entries()) {
        const found = inferred[index];
        const about = JSON.stringify(each);
        expect(found?.dtype, about).toBe(output.dtype);
        if (!OPEN.has(each.op)) expect(found?.shape, about).toEqual(output.shape);
        else
          found?.shape?.forEach((length, axis) =>
            expect([null, output.shape[axis]], about).toContain(length),
          );
      }
    }
  });
});
