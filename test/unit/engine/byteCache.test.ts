import { describe, expect, it } from 'vitest';
import { ByteCache } from '../../../server/src/engine/byteCache';

describe('ByteCache', () => {
  it('forgets the least recently used first', () => {
    const forgotten: string[] = [];
    const cache = new ByteCache<string>(30, value => forgotten.push(value));
    cache.set('a', 'A', 10);
    cache.set('b', 'B', 10);
    cache.set('c', 'C', 10);
    cache.get('a');
    cache.set('d', 'D', 10);
    expect(forgotten).toEqual(['B']);
    expect(cache.bytes).toBe(30);
  });

  it('keeps the newest even where it is too large alone', () => {
    const cache = new ByteCache<string>(10);
    cache.set('a', 'A', 5);
    cache.set('b', 'B', 50);
    expect(cache.get('b')).toBe('B');
    expect(cache.get('a')).toBeUndefined();
  });

  it('follows values that grow', () => {
    const cache = new ByteCache<string>(30);
    cache.set('a', 'A', 10);
    cache.set('b', 'B', 10);
    cache.resize('a', 25);
    expect(cache.get('b')).toBeUndefined();
    expect(cache.bytes).toBe(25);
  });

  it('tells of each value once, also of replaced ones and at the end', () => {
    const forgotten: string[] = [];
    const cache = new ByteCache<string>(100, value => forgotten.push(value));
    cache.set('a', 'A1', 1);
    cache.set('a', 'A2', 1);
    cache.set('b', 'B', 1);
    cache.deleteWhere(key => key === 'b');
    cache.dispose();
    expect(forgotten).toEqual(['A1', 'B', 'A2']);
    expect(cache.bytes).toBe(0);
  });

  it('shrinks with its budget', () => {
    const cache = new ByteCache<string>(100);
    cache.set('a', 'A', 40);
    cache.set('b', 'B', 40);
    cache.setBudget(50);
    expect(cache.size).toBe(1);
  });
});
