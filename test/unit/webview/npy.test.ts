import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodeNpy, hasNpyType } from '../../../webview/src/lib/npy';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

// Digests of what numpy.save writes for the same arrays.
describe('.npy files', () => {
  it('are byte for byte what numpy.save writes', () => {
    const floats = Float32Array.from({ length: 6 }, (_, i) => i);
    expect(sha256(encodeNpy('float32', [1, 2, 3], new Uint8Array(floats.buffer)))).toBe(
      'b2b40b3ca92ca1cb635673801cb15b26ccf60c8b78d252adf494690d8acfef78',
    );
    const longs = BigInt64Array.from([0n, 1n, 2n]);
    expect(sha256(encodeNpy('int64', [3], new Uint8Array(longs.buffer)))).toBe(
      'eed7c944a674e7e9a3f4baf8393c37b9f169123e13a884a08b151a39da2adef5',
    );
    expect(sha256(encodeNpy('float16', [2, 2], new Uint8Array(8)))).toBe(
      'e2e8b1c635853eb5348751d9d69ee2aee98bdd1b3e183edae447010df2b908d1',
    );
  });

  it('are refused for types that NumPy does not have', () => {
    expect(hasNpyType('bfloat16')).toBe(false);
    expect(hasNpyType('toString')).toBe(false);
    expect(() => encodeNpy('bfloat16', [1], new Uint8Array(2))).toThrow(/bfloat16/);
  });
});
