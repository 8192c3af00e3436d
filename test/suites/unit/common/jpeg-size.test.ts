import { describe, expect, it } from 'vitest';
import { readJpegSize } from '../../../../common/jpeg-size.js';
import { jpegSize } from '../../../../hal/image.js';
import { codeOf } from '../../../support/codes.js';

/** A baseline frame header of 640×360, after a comment. */
const HEADER = [0xff, 0xd8, 0xff, 0xfe, 0, 4, 1, 2, 0xff, 0xc0, 0, 11, 8, 0x01, 0x68, 0x02, 0x80, 1, 1, 0x11, 0];

describe('the size of a JPEG', () => {
  it('is read from its header alone', () => {
    expect(readJpegSize(Uint8Array.from(HEADER))).toEqual({ width: 640, height: 360, isProgressive: false });
    expect(jpegSize(Uint8Array.from(HEADER))).toEqual({ width: 640, height: 360 });
  });

  it('is refused where it is missing: other files, cut headers, a scan before any frame header', () => {
    const scanFirst = [0xff, 0xd8, 0xff, 0xda, 0, 4, 1, 2, ...HEADER.slice(8)];
    for (const bytes of [[], [0x89, 0x50, 0x4e, 0x47, 0xd, 0xa], HEADER.slice(0, 14), scanFirst]) {
      expect(readJpegSize(Uint8Array.from(bytes))).toBeNull();
      expect(codeOf(() => jpegSize(Uint8Array.from(bytes)))).toBe('frame-corrupt');
    }
  });
});
