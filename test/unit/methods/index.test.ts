import { expect, it } from 'vitest';
import { RUNS_WITHOUT_SESSION } from '../../../protocol/methods';
import { methods } from '../../../server/src/methods';

it('lists every method once, sorted by name', () => {
  const names = methods.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)].sort((a, b) => a.localeCompare(b)));
});

it('makes no session in the methods that say so', () => {
  for (const { name, runs } of methods) if (!runs) expect(RUNS_WITHOUT_SESSION).toContain(name);
});
