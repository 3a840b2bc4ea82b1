import { describe, expect, it } from 'vitest';
import type { Problem } from '../../../protocol/model';
import type { Graph } from '../../../server/src/onnx/graph';
import { inferShapes, inferValues } from '../../../server/src/onnx/shapes/inferShapes';
import {
  attributeOf,
  constantOf,
  graphOf,
  modelOf,
  nodeOf,
  readSmall,
  valueOf,
} from './smallGraphs';

const infer = (
  graph: Graph,
  inputShapes?: ReadonlyMap<string, readonly number[]>,
  report?: (problem: Problem) => void,
) =>
  inferShapes(modelOf(graph, 17), {
    readConstant: readSmall,
    ...(inputShapes ? { inputShapes } : {}),
    ...(report ? { report } : {}),
  });

const int = (name: string, value: number) => new Map([[name, attributeOf(name, value)]]);

/** What PyTorch exports for `x.view(x.size(0), -1)`. */
const flattening = graphOf({
  inputs: [valueOf('x', 'float32', ['batch', 512, 7, 7])],
  initializers: new Map([
    ['zero', constantOf('zero', 'int64', [], [0])],
    ['axis', constantOf('axis', 'int64', [1], [0])],
    ['rest', constantOf('rest', 'int64', [1], [-1])],
  ]),
  nodes: [
    nodeOf(0, 'Shape', ['x'], ['shape']),
    nodeOf(1, 'Gather', ['shape', 'zero'], ['size'], int('axis', 0)),
    nodeOf(2, 'Unsqueeze', ['size', 'axis'], ['sizes']),
    nodeOf(3, 'Concat', ['sizes', 'rest'], ['target'], int('axis', 0)),
    nodeOf(4, 'Reshape', ['x', 'target'], ['flat']),
  ],
});

describe('shape inference', () => {
  it('carries symbolic sizes through shape arithmetic', () => {
    const shapes = infer(flattening);
    expect(shapes.get('flat')).toEqual({ name: 'flat', dtype: 'float32', shape: ['batch', 25088] });
    expect(shapes.get('target')?.shape).toEqual([2]);
  });

  it('turns symbols into the sizes that are fed', () => {
    const shapes = infer(flattening, new Map([['x', [4, 512, 7, 7]]]));
    expect(shapes.get('flat')?.shape).toEqual([4, 25088]);
  });

  it('gives the elements of shape arithmetic', () => {
    const fed = new Map([['x', [4, 512, 7, 7]]]);
    const { elements } = inferValues(modelOf(flattening, 17), {
      readConstant: readSmall,
      inputShapes: fed,
    });
    expect(elements('target')).toEqual([4, -1]);
    expect(elements('flat')).toBeNull();
  });

  const relu = (declared: readonly (number | string)[]) =>
    graphOf({
      inputs: [valueOf('x', 'float32', [1, 'n'])],
      nodes: [nodeOf(0, 'Relu', ['x'], ['y']), nodeOf(1, 'NoSuchOperator', ['y'], ['z'])],
      valueInfo: new Map([
        ['y', valueOf('y', 'float32', declared)],
        ['z', valueOf('z', 'float16', ['n', 3])],
      ]),
    });

  it('takes what the file declares where inference does not know', () => {
    const shapes = infer(relu([1, 5]));
    expect(shapes.get('y')?.shape).toEqual([1, 5]);
    expect(shapes.get('z')).toEqual({ name: 'z', dtype: 'float16', shape: ['n', 3] });
    expect(infer(relu([1, 5]), new Map([['x', [1, 7]]])).get('z')?.shape).toEqual([7, 3]);
  });

  it('reports contradictions and trusts its own inference', () => {
    const problems: Problem[] = [];
    const shapes = infer(relu([2, 5]), undefined, problem => problems.push(problem));
    expect(shapes.get('y')?.shape).toEqual([1, 5]);
    expect(problems).toEqual([
      {
        severity: 'warning',
        message: 'The file declares the shape [2, 5] for y, but its operator gives [1, n].',
        subject: 'y',
      },
    ]);
  });

  it('does not trust declared shapes once other sizes are fed', () => {
    expect(infer(relu([1, 5]), new Map([['x', [3, 7]]])).get('z')?.shape).toBeNull();
  });

  it('agrees on what both branches of If give', () => {
    const branch = (axis: number) =>
      graphOf({
        nodes: [
          nodeOf(
            0,
            'ReduceMean',
            ['x'],
            ['mean'],
            new Map([['axes', attributeOf('axes', [axis])]]),
          ),
        ],
        outputs: [valueOf('mean', 'float32', null)],
      });
    const graph = graphOf({
      inputs: [valueOf('x', 'float32', [2, 3, 4]), valueOf('c', 'bool', [])],
      nodes: [
        nodeOf(
          0,
          'If',
          ['c'],
          ['y'],
          new Map([
            ['then_branch', { kind: 'graph', value: branch(1) }],
            ['else_branch', { kind: 'graph', value: branch(2) }],
          ]),
        ),
      ],
    });
    expect(infer(graph).get('y')?.shape).toEqual([2, null, null]);
  });

  it('gives a Loop only what holds for any number of turns', () => {
    const body = graphOf({
      inputs: [valueOf('i', 'int64', []), valueOf('c', 'bool', []), valueOf('s', 'float32', null)],
      nodes: [
        nodeOf(0, 'Identity', ['c'], ['c2']),
        nodeOf(1, 'Concat', ['s', 'x'], ['s2'], int('axis', 0)),
        nodeOf(2, 'Relu', ['x'], ['scan']),
      ],
      outputs: [
        valueOf('c2', 'bool', []),
        valueOf('s2', 'float32', null),
        valueOf('scan', 'float32', null),
      ],
    });
    const graph = graphOf({
      inputs: [valueOf('n', 'int64', []), valueOf('x', 'float32', [2, 3])],
      nodes: [
        nodeOf(
          0,
          'Loop',
          ['n', '', 'x'],
          ['final', 'scans'],
          new Map([['body', { kind: 'graph', value: body }]]),
        ),
      ],
    });
    const shapes = infer(graph);
    expect(shapes.get('final')?.shape?.[0] ?? null).toBeNull();
    expect(shapes.get('scans')).toEqual({ name: 'scans', dtype: 'float32', shape: [null, 2, 3] });
  });
});

describe('shape inference of hostile graphs', () => {
  const huge = 2 ** 52;

  it('does not count up to sizes', () => {
    const graph = graphOf({
      inputs: [valueOf('x', 'float32', [huge, huge, huge])],
      initializers: new Map([['big', constantOf('big', 'int64', [2], [huge, huge])]]),
      nodes: [
        nodeOf(0, 'ConstantOfShape', ['big'], ['filled']),
        nodeOf(1, 'Expand', ['x', 'big'], ['expanded']),
        nodeOf(2, 'Flatten', ['x'], ['flat']),
        nodeOf(3, 'Shape', ['x'], ['shape']),
        nodeOf(4, 'ReduceProd', ['shape'], ['count']),
        nodeOf(5, 'Range', ['count', 'count', 'count'], ['range']),
        nodeOf(6, 'Tile', ['x', 'big'], ['tiled']),
        nodeOf(7, 'Split', ['x'], ['a', 'b', 'c']),
      ],
    });
    const shapes = infer(graph);
    expect(shapes.get('filled')?.shape).toEqual([huge, huge]);
    expect(shapes.get('flat')?.shape).toEqual([huge, null]);
  });

  it('bounds ranks', () => {
    const graph = graphOf({
      inputs: [valueOf('x', 'float32', new Array<number>(100_000).fill(1))],
      nodes: [nodeOf(0, 'Relu', ['x'], ['y'])],
    });
    expect(infer(graph).get('y')?.shape).toBeNull();
  });

  it('survives readers that throw', () => {
    const shapes = inferShapes(modelOf(flattening, 17), {
      readConstant: () => {
        throw new Error('no bytes');
      },
    });
    expect(shapes.get('flat')).toEqual({ name: 'flat', dtype: 'float32', shape: null });
  });

  it('never throws on random nodes, and stays quick', () => {
    let state = 1;
    const next = (bound: number) => {
      state = (Math.imul(state, 48271) >>> 0) % 2147483647;
      return state % bound;
    };
    const operators = (
      'Conv ConvTranspose MaxPool Gemm MatMul Reshape Flatten Squeeze Unsqueeze Transpose Concat Split Slice Gather GatherND ' +
      'Pad TopK OneHot ReduceMean Resize Upsample Expand Tile Where Einsum LSTM Attention Range ConstantOfShape Shape Size Cast Add Mul Div Mod ' +
      'DepthToSpace BatchNormalization LayerNormalization QLinearConv Col2Im AffineGrid CenterCropPad ArgMax Loop If Scan MaxUnpool RoiAlign'
    ).split(' ');
    const attributes = (
      'axis axes perm kernel_shape strides pads dilations starts ends split to group output_shape output_padding ceil_mode ' +
      'blocksize k shape equation auto_pad keepdims num_outputs hidden_size num_heads body then_branch num_scan_inputs batch_dims scales'
    ).split(' ');
    const number = () => [-1, 0, 1, 2, 3, 7, -5, 2 ** 31, -(2 ** 53), 0.5][next(10)] ?? 0;
    const list = () => Array.from({ length: next(6) }, number);
    const started = performance.now();
    for (let round = 0; round < 3000; round++) {
      const names = [
        'x',
        'y',
        'c',
        'd',
        '',
        ...Array.from({ length: 6 }, (_, index) => `v${index}`),
      ];
      const name = () => names[next(names.length)] ?? '';
      const values = list().map(value => Math.trunc(value));
      const graph = graphOf({
        inputs: [
          valueOf('x', 'float32', [next(5), 'n', null, next(9)].slice(0, next(5))),
          valueOf('y', 'int64', next(2) ? null : [next(4)]),
        ],
        initializers: new Map([
          ['c', constantOf('c', 'int64', [values.length], values)],
          ['d', constantOf('d', 'float32', [2], [number(), number()])],
        ]),
        nodes: Array.from({ length: 6 }, (_, index) =>
          nodeOf(
            index,
            operators[next(operators.length)] ?? '',
            Array.from({ length: next(5) }, name),
            [`v${index}`, `w${index}`].slice(0, 1 + next(2)),
            new Map(
              Array.from({ length: next(4) }, () => {
                const key = attributes[next(attributes.length)] ?? '';
                return [
                  key,
                  attributeOf(key, [number(), list(), 'SAME_UPPER', 'ij,jk->ik'][next(4)] ?? 0),
                ] as const;
              }),
            ),
          ),
        ),
      });
      expect(() => infer(graph)).not.toThrow();
      for (const { shape } of infer(graph).values())
        for (const length of shape ?? [])
          expect(typeof length !== 'number' || (Number.isSafeInteger(length) && length >= 0)).toBe(
            true,
          );
    }
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});
