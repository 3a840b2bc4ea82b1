import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { DataType } from '../../../../protocol/model';
import { openModelFile } from '../../../../server/src/files/modelFile';
import { normalize } from '../../../../server/src/gradient/normalize';
import { qualifiedOp } from '../../../../server/src/onnx/layerKinds';
import type { TensorRef } from '../../../../server/src/onnx/graph';
import { inlineFunctions } from '../../../../server/src/onnx/inlineFunctions';
import { halfFromFloat, toFloat32 } from '../../../../server/src/onnx/numbers';
import { readTensor } from '../../../../server/src/onnx/readTensor';
import { inferValues } from '../../../../server/src/onnx/shapes/inferShapes';
import type { Tensor } from '../../../../server/src/onnx/tensor';
import { describeShared } from '../../../shared';
import { arrayOf, difference, numeric, run } from './written';

/** What models.json says of a model that runs. */
interface KnownModel {
  readonly file: string;
  readonly onnxruntime_node_1_30?: {
    readonly loads_and_runs: boolean;
    readonly fed: Readonly<Record<string, string>> | null;
  };
}

/** Values that all models can be fed: small indices, a sampling rate, numbers that are not all alike. */
function valueFor(name: string, dtype: DataType, index: number): number {
  if (dtype === 'float32' || dtype === 'float16') return Math.sin(0.37 * index + 1);
  if (name === 'sr') return 16000;
  return name === 'cache_indir' ? 0 : 1;
}

function fedTensor(name: string, type: string): Tensor {
  const [, dtype = '', sizes = ''] = /^(\w+)\[(.*)\]$/.exec(type) ?? [];
  const shape = sizes === '' ? [] : sizes.split(',').map(Number);
  const count = shape.reduce((a, b) => a * b, 1);
  const kind = KINDS.find(each => each === dtype) ?? 'bool';
  const values = Array.from({ length: count }, (_, i) => valueFor(name, kind, i));
  if (kind === 'float16')
    return { dtype: kind, shape, data: Uint16Array.from(values, halfFromFloat) };
  return { dtype: kind, shape, data: arrayOf(kind, values) };
}
const KINDS = ['float32', 'float16', 'int32', 'int64', 'bool'] as const;

describeShared('normal forms of real models', dir => {
  const folder = path.join(dir, 'models');
  const known: readonly KnownModel[] = JSON.parse(
    readFileSync(path.join(folder, 'models.json'), 'utf8'),
  );
  const runnable = known.filter(
    ({ file, onnxruntime_node_1_30: facts }) =>
      facts?.loads_and_runs && facts.fed && file.endsWith('.onnx'),
  );

  test.each(runnable)('$file', async ({ file, onnxruntime_node_1_30: facts }) => {
    const opened = openModelFile(path.join(folder, file));
    const model = inlineFunctions(opened.model);
    const feeds = Object.fromEntries(
      Object.entries(facts?.fed ?? {}).map(([name, type]) => [name, fedTensor(name, type)]),
    );
    const read = (ref: TensorRef): Tensor => readTensor(model, ref, opened.external);
    const inputShapes = new Map(Object.entries(feeds).map(([name, { shape }]) => [name, shape]));
    const started = Date.now();
    const normal = normalize(model, inferValues(model, { readConstant: read, inputShapes }), read);
    const took = Date.now() - started;
    const left = [
      ...new Set(
        normal.model.graph.nodes
          .filter(node => node.domain !== '' || node.op === 'If')
          .map(qualifiedOp),
      ),
    ];
    const outputs = model.graph.outputs
      .filter(({ container }) => !container)
      .map(({ name }) => name);
    const wide = Object.fromEntries(
      Object.entries(feeds).map(([name, tensor]): [string, Tensor] => [
        name,
        tensor.dtype === 'float16'
          ? { ...tensor, dtype: 'float32', data: toFloat32(tensor) }
          : tensor,
      ]),
    );
    console.log(file, normal.changed, normal.approximate, left.join(), took);
    if (!normal.changed) return;
    const expected = await run(model, feeds, outputs, folder);
    const got = await run(normal.model, wide, outputs, folder);
    outputs.forEach((name, i) => {
      const [a, b] = [expected[i], got[i]];
      expect(b?.dims).toEqual(a?.dims);
      console.log(
        '   ',
        name,
        a?.type,
        b?.type,
        a?.type === b?.type ? difference(numeric(a), numeric(b)) : '',
      );
    });
    opened.dispose();
  });
});
