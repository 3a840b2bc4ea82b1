import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Model } from '../../../server/src/onnx/graph';
import { ProtoWriter } from '../../../server/src/onnx/protoWriter';
import { readModel, readModelBytes } from '../../../server/src/onnx/readModel';
import { int64ToNumber } from '../../../server/src/onnx/wire';
import { fixturePath, MemorySource } from './fixtures';

const message = (build: (writer: ProtoWriter) => void): Uint8Array => {
  const writer = new ProtoWriter();
  build(writer);
  return writer.finish().slice();
};
const read = (bytes: Uint8Array): Model => readModel(new MemorySource(bytes));

describe('readModel', () => {
  test('reads no weights', () => {
    const bytes = fs.readFileSync(fixturePath('subgraphs.onnx'));
    // a megabyte of weight where 1600 bytes were, in a field of its own
    const weight = message(model =>
      model.message(7, graph =>
        graph.message(5, tensor => {
          tensor.int(1, 2 ** 22);
          tensor.int(2, 1);
          tensor.bytes(9, new Uint8Array(2 ** 24));
          tensor.text(8, 'late');
        }),
      ),
    );
    const source = new MemorySource(Buffer.concat([bytes, weight]));
    const model = readModel(source);
    expect(model.graph.initializers.get('late')).toMatchObject({
      shape: [2 ** 22],
      location: { kind: 'raw', length: 2 ** 24 },
    });
    expect(source.bytesRead).toBeLessThan(64 * 1024);
    // the second GraphProto adds to the first
    expect(model.graph.nodes).toHaveLength(8);
    expect(model.problems).toEqual([]);
  });

  test('attributes without a type are what they hold', () => {
    const model = read(
      message(writer =>
        writer.message(7, graph =>
          graph.message(1, node => {
            node.text(4, 'Op');
            node.message(5, attribute => {
              attribute.text(1, 'ints');
              attribute.int(8, -1);
              attribute.int(8, 2n ** 62n);
            });
            node.message(5, attribute => {
              attribute.text(1, 'float');
              attribute.float(2, 0.5);
            });
          }),
        ),
      ),
    );
    expect(Object.fromEntries(model.graph.nodes[0]?.attributes ?? [])).toEqual({
      ints: { kind: 'ints', value: [-1, 2 ** 53] },
      float: { kind: 'float', value: 0.5 },
    });
  });

  test('groups and unknown fields are skipped', () => {
    const group = Uint8Array.of(0xc3, 0x0c, 0x08, 0x01, 0xc4, 0x0c);
    const model = read(Buffer.concat([group, Uint8Array.of(8, 7), group]));
    expect(model.irVersion).toBe(7);
    expect(model.problems).toEqual([]);
  });

  test('a length beyond its message is cut, and noted', () => {
    const name = message(graph => graph.text(2, 'graph'));
    name[1] = 100;
    const bytes = Buffer.concat([
      message(model => model.bytes(7, name)),
      message(model => model.int(1, 8)),
    ]);
    const { model, truncation, faults } = readModelBytes(new MemorySource(bytes));
    expect(model.graph.name).toBe('graph');
    expect(model.irVersion).toBe(8);
    expect([truncation, faults]).toEqual([null, 1]);
    expect(model.problems[0]?.message).toContain('damaged at byte 2, in a graph');
  });

  test('graphs in graphs end at a depth', () => {
    let graph: Uint8Array = new Uint8Array(0);
    for (let depth = 0; depth < 500; depth++) {
      const inner = graph;
      graph = message(writer =>
        writer.message(1, node =>
          node.message(5, attribute => {
            attribute.text(1, 'body');
            attribute.bytes(6, inner);
            attribute.int(20, 5);
          }),
        ),
      );
    }
    const deepest = graph;
    const model = read(message(writer => writer.bytes(7, deepest)));
    expect(model.problems.map(({ message: text }) => text)).toContain(
      'Graphs are nested too deep; the innermost were left out.',
    );
  });

  test('types in types and groups in groups end too', () => {
    let type: Uint8Array = new Uint8Array(0);
    for (let depth = 0; depth < 500; depth++) {
      const inner = type;
      type = message(writer => writer.message(4, sequence => sequence.bytes(1, inner)));
    }
    const deepest = type;
    const value = message(writer => {
      writer.text(1, 'v');
      writer.bytes(2, deepest);
    });
    const model = read(message(writer => writer.message(7, graph => graph.bytes(11, value))));
    expect(model.graph.inputs).toEqual([
      { name: 'v', dtype: 'undefined', shape: null, container: 'sequence' },
    ]);
    expect(model.problems.length).toBeGreaterThan(0);
    expect(read(new Uint8Array(100_000).fill(0x0b)).problems).toHaveLength(1);
  });

  test('a file of empty messages is held within bounds', () => {
    // 4 million nodes of two bytes each
    const nodes = new Uint8Array(2 ** 23);
    for (let at = 0; at < nodes.length; at += 2) nodes[at] = 0x0a;
    const started = process.cpuUsage();
    const model = read(message(writer => writer.bytes(7, nodes)));
    expect(model.problems[0]?.message).toContain('too large to be held');
    expect(model.graph.nodes.length).toBeLessThan(2_000_000);
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(10_000);
  });
});

test('64-bit integers are clamped to what a number holds', () => {
  expect(int64ToNumber(0xffffffff, 0xffffffff)).toBe(-1);
  expect(int64ToNumber(0, 0x80000000)).toBe(-(2 ** 53));
  expect(int64ToNumber(0xffffffff, 0x7fffffff)).toBe(2 ** 53);
  expect(int64ToNumber(5, 1)).toBe(2 ** 32 + 5);
});
