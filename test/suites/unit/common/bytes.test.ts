import { describe, expect, it } from 'vitest';
import { copyOf, fromBase64, toBase64 } from '../../../../common/bytes.js';

describe('bytes', () => {
  it('have one base64 encoding', () => {
    for (const length of [0, 1, 2, 3, 4, 31, 32]) {
      const bytes = Uint8Array.from({ length }, (_, i) => 255 - i);
      expect(fromBase64(toBase64(bytes))).toEqual(bytes);
    }
    // Unused bits in the last letter that are not zero (RFC 4648 §3.5), wrong padding, other alphabets, white space.
    for (const other of [
      'AB==',
      'AAB=',
      'QUE5PQ=',
      'A',
      'AA',
      'AA=',
      'AAA',
      'A===',
      'AA==AAAA',
      'AA-_',
      ' AAAA',
      'AAAA\n',
    ]) {
      expect(fromBase64(other)).toBeUndefined();
    }
  });

  it('are copied, even from a Buffer', () => {
    const buffer = Buffer.from([1, 2, 3]);
    const copy = copyOf(buffer);
    buffer.fill(0);
    expect(copy).toEqual(Uint8Array.of(1, 2, 3));
  });
});
