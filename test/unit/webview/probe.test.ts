import { describe, expect, it } from 'vitest';
import type { Cell } from '../../../webview/src/lib/geometry';
import { Latest } from '../../../webview/src/lib/latest';
import { ProbeFollower } from '../../../webview/src/viewer/probe';

const settle = () => new Promise(resolve => setTimeout(resolve));

function follower() {
  const asked: { cell: Cell; answer(value: number): void }[] = [];
  let changes = 0;
  const probe = new ProbeFollower(
    cell =>
      new Promise(resolve => {
        asked.push({
          cell,
          answer: value =>
            resolve({
              ...cell,
              channels: [7],
              values: new Float32Array([value]),
              receptiveField: { left: 0, top: 0, width: 3, height: 3 },
            }),
        });
      }),
    () => changes++,
  );
  return { asked, probe, changes: () => changes };
}

describe('the probe', () => {
  it('has one question under way and skips places that were passed', async () => {
    const { asked, probe } = follower();
    for (let column = 0; column < 5; column++) probe.hover({ row: 0, column });
    expect(asked.map(({ cell }) => cell.column)).toEqual([0]);
    asked[0]?.answer(1);
    await settle();
    expect(asked.map(({ cell }) => cell.column)).toEqual([0, 4]);
    expect(probe.state?.values.size).toBe(0);
    asked[1]?.answer(2.5);
    await settle();
    expect(probe.state?.values.get(7)).toBe(2.5);
    expect(probe.state?.field?.width).toBe(3);
  });

  it('goes back to the picked place when the pointer leaves', async () => {
    const { asked, probe } = follower();
    probe.choose({ row: 2, column: 2 });
    asked[0]?.answer(1);
    await settle();
    probe.hover({ row: 0, column: 0 });
    expect(probe.cell).toEqual({ row: 0, column: 0 });
    probe.hover(null);
    expect(probe.cell).toEqual({ row: 2, column: 2 });
    expect(probe.pick).toEqual({ row: 2, column: 2 });
  });

  it('does not take an answer for a layer that is gone', async () => {
    const { asked, probe } = follower();
    probe.choose({ row: 1, column: 1 });
    probe.clear();
    asked[0]?.answer(9);
    await settle();
    expect(probe.state).toBeNull();
  });
});

describe('the latest task', () => {
  it('cancels the one before', async () => {
    const latest = new Latest();
    const signals: AbortSignal[] = [];
    const first = latest.run(signal => {
      signals.push(signal);
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('overtaken')));
      });
    });
    const second = latest.run(async signal => {
      signals.push(signal);
      return 2;
    });
    await expect(first).rejects.toThrow('overtaken');
    await expect(second).resolves.toBe(2);
    expect(signals.map(signal => signal.aborted)).toEqual([true, false]);
    expect(latest.running).toBe(false);
  });
});
