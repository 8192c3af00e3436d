import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import sharp from 'sharp';
import { JpegSplitter } from '../../../../hal/jpeg-splitter.js';

async function pictures(): Promise<Buffer[]> {
  const sizes = [8, 33, 120];
  return Promise.all(
    sizes.map((size) =>
      sharp({ create: { width: size, height: size, channels: 3, background: { r: size, g: 9, b: 200 } } })
        // An end marker inside a segment must not end the file.
        .withExif({ IFD0: { Copyright: '\u00ff\u00d9 end' } })
        .jpeg({ quality: 90 })
        .toBuffer(),
    ),
  );
}

describe('JPEG splitter', () => {
  it('finds the files in chunks of any size', async () => {
    const files = await pictures();
    const stream = Buffer.concat(files);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 30 }), (sizes) => {
        const splitter = new JpegSplitter();
        const found: Uint8Array[] = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          found.push(...splitter.push(new Uint8Array(stream.subarray(at, at + size))));
          at += size;
        }
        expect(found.map((file) => Buffer.from(file).equals(files[found.indexOf(file)] ?? Buffer.alloc(0)))).toEqual([
          true,
          true,
          true,
        ]);
        expect(splitter.pendingBytes).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('skips and counts bytes between the files', async () => {
    const [a, b] = await pictures();
    const splitter = new JpegSplitter();
    const noise = Buffer.from('garbage \u00ff\u0000 between');
    const found = splitter.push(new Uint8Array(Buffer.concat([noise, a ?? noise, noise, b ?? noise])));
    expect(found).toHaveLength(2);
    expect(splitter.skippedBytes).toBe(2 * noise.length);
  });

  it('drops a file without an end, and starts again', () => {
    const splitter = new JpegSplitter();
    const scan = new Uint8Array(1024 * 1024).fill(0x55);
    splitter.push(Uint8Array.of(0xff, 0xd8, 0xff, 0xda, 0, 2));
    expect(() => {
      for (let i = 0; i < 20; i++) splitter.push(scan);
    }).toThrow(/a frame of more than/);
    expect(splitter.pendingBytes).toBe(0);
  });
});
