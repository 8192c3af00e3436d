import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { LumaDecoder } from '../../../../agent/capture/luma-decoder.js';
import { seededRandom } from '../../../../common/seeded-random.js';
import type { LumaPlane } from '../../../../hal/camera.js';

const WIDTH = 640;
const HEIGHT = 360;
let raw: Buffer;

/** Soft shapes of several colours, and a little noise. */
beforeAll(() => {
  const { uniform } = seededRandom(3);
  raw = Buffer.from(
    Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => {
      const x = Math.floor(i / 3) % WIDTH;
      const y = Math.floor(i / 3 / WIDTH);
      return 90 + 60 * Math.sin(x / (25 + (i % 3))) * Math.cos(y / 17) + 10 * uniform();
    }),
  );
});

type Encode = (picture: Sharp) => Sharp;

function encoded(encode: Encode = (picture) => picture.jpeg({ quality: 85 }), width = WIDTH): Promise<Buffer> {
  const picture = sharp(raw, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });
  return encode(width === WIDTH ? picture : picture.resize({ width })).toBuffer();
}

async function bySharp(jpeg: Buffer, width: number): Promise<LumaPlane> {
  const { data, info } = await sharp(jpeg, { failOn: 'truncated' })
    .toColourspace('b-w')
    .resize({ width, withoutEnlargement: true })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
}

function planeOf(jpeg: Buffer, width: number, decoder = new LumaDecoder()): LumaPlane {
  const plane = decoder.decode(jpeg, width);
  if (plane === null || plane === 'damaged') throw new Error(`no plane: ${String(plane)}`);
  return plane;
}

function meanDifference(a: LumaPlane, b: LumaPlane): number {
  expect([a.width, a.height]).toEqual([b.width, b.height]);
  return a.data.reduce((sum, grey, i) => sum + Math.abs(grey - (b.data[i] ?? 0)), 0) / a.data.length;
}

describe('the decoder of luma', () => {
  it.each([
    ['4:2:0', (picture) => picture.jpeg({ quality: 85 }), WIDTH, 160],
    ['4:4:4', (picture) => picture.jpeg({ chromaSubsampling: '4:4:4' }), WIDTH, 160],
    ['optimised tables', (picture) => picture.jpeg({ optimiseCoding: true, quality: 98 }), WIDTH, 160],
    ['coarse', (picture) => picture.jpeg({ quality: 30 }), WIDTH, 160],
    ['grey', (picture) => picture.greyscale().jpeg(), WIDTH, 160],
    ['at an eighth and less', (picture) => picture.jpeg(), 1920, 160],
    ['at a quarter and less', (picture) => picture.jpeg(), WIDTH, 128],
    ['at half', (picture) => picture.jpeg(), WIDTH, 320],
    ['at half and less', (picture) => picture.jpeg(), 401, 160],
    ['of an odd size', (picture) => picture.jpeg(), 647, 160],
  ] satisfies readonly (readonly [string, Encode, number, number])[])(
    'agrees with libvips: %s',
    async (_name, encode, width, wanted) => {
      const jpeg = await encoded(encode, width);
      expect(meanDifference(planeOf(jpeg, wanted), await bySharp(jpeg, wanted))).toBeLessThan(4);
    },
  );

  it('notices a plane that is another one', async () => {
    const jpeg = await encoded();
    const other = await bySharp(await encoded((picture) => picture.flip().jpeg()), 160);
    expect(meanDifference(planeOf(jpeg, 160), other)).toBeGreaterThan(10);
  });

  it('uses the same memory for the next picture, also after one of another size', async () => {
    const decoder = new LumaDecoder();
    const jpeg = await encoded();
    const first = planeOf(jpeg, 160, decoder);
    const kept = first.data.slice();
    expect(planeOf(await encoded((picture) => picture.flip().jpeg()), 160, decoder).data).toBe(first.data);
    decoder.decode(await encoded(undefined, 1920), 128);
    expect(planeOf(jpeg, 160, decoder).data).toEqual(kept);
  });

  it.each([
    ['progressive', (picture) => picture.jpeg({ progressive: true })],
    ['of four components', (picture) => picture.toColourspace('cmyk').jpeg()],
    ['turned by its tag', (picture) => picture.withMetadata({ orientation: 6 }).jpeg()],
    ['with a colour profile', (picture) => picture.withIccProfile('p3').jpeg()],
    ['hardly larger than the plane', (picture) => picture.resize({ width: 200 }).jpeg()],
  ] satisfies readonly (readonly [string, Encode])[])('leaves to libvips a picture %s', async (_name, encode) => {
    expect(new LumaDecoder().decode(await encoded(encode), 160)).toBeNull();
  });

  it('starts afresh at each restart marker', async () => {
    const levels = [10, 60, -30, 100, 0, -90, 45, 20];
    const jpeg = withRestarts(levels);
    expect([...planeOf(jpeg, 8).data]).toEqual(levels.map((level) => 128 + level));
    expect((await bySharp(jpeg, 64)).data[8 * 3 + 2]).toBe(228);
    const swapped = Buffer.from(jpeg);
    swapped[swapped.indexOf(Buffer.from('ffd1', 'hex')) + 1] = 0xd2;
    expect(new LumaDecoder().decode(swapped, 8)).toBe('damaged');
  });

  it('refuses a block that is brighter than white or darker than black', () => {
    expect([...planeOf(withRestarts([0, 63, -64, 1], 16), 4).data]).toEqual([128, 254, 0, 130]);
    for (const level of [70, -70]) {
      expect(new LumaDecoder().decode(withRestarts([0, level, 0, 0], 16), 4)).toBe('damaged');
    }
  });

  it('refuses a scan that goes on after its last block', async () => {
    const jpeg = await encoded();
    const at = jpeg.indexOf(Buffer.from('ffc0', 'hex')) + 5;
    const ends = [16, 32, 48, 64, 80, 96].map((lines) => {
      const shorter = Buffer.from(jpeg);
      shorter.writeUInt16BE(HEIGHT - lines, at);
      return new LumaDecoder().decode(shorter, 160);
    });
    // Where a block happens to end with a byte, the end looks like any other.
    expect(ends.filter((end) => end === 'damaged').length).toBeGreaterThanOrEqual(4);
  });

  it('accepts no damaged picture that libvips refuses', async () => {
    const jpeg = await encoded((picture) => picture.resize({ width: 352 }).jpeg({ quality: 60 }));
    const { uniform } = seededRandom(17);
    const below = (limit: number): number => Math.floor(uniform() * limit);
    let accepted = 0;
    for (let i = 0; i < 400; i++) {
      const damaged = Buffer.from(jpeg).subarray(0, uniform() < 0.3 ? below(jpeg.length) : jpeg.length);
      for (let change = below(4); change >= 0; change--)
        if (damaged.length > 0) damaged[below(damaged.length)] = below(256);
      const plane = new LumaDecoder().decode(damaged, 160);
      if (plane === null || plane === 'damaged') continue;
      accepted++;
      await expect(bySharp(damaged, 160)).resolves.toMatchObject({ width: 160 });
    }
    // Otherwise nothing was tried.
    expect(accepted).toBeGreaterThan(10);
  });
});

/** Makes a grey picture of one row of blocks, each of one level (in steps of an eighth of `step`), with a restart marker before all but the first. */
function withRestarts(levels: readonly number[], step = 8): Buffer {
  const segment = (kind: number, ...body: readonly number[]): number[] => [0xff, kind, 0, body.length + 2, ...body];
  const quantization = [0, ...Array.from({ length: 64 }, () => step)];
  // Sizes 0 to 7 as codes of four bits; for AC only the end of the block, a code of one bit.
  const dc = [0x00, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7];
  const ac = [0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  const data = levels.flatMap((level, i) => {
    const size = level === 0 ? 0 : Math.floor(Math.log2(Math.abs(level))) + 1;
    const value = level > 0 ? level : level + 2 ** size - 1;
    const bits = `${size.toString(2).padStart(4, '0')}${size === 0 ? '' : value.toString(2).padStart(size, '0')}0`;
    const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
    const bytes = padded.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? [];
    const stuffed = bytes.flatMap((byte) => (byte === 0xff ? [0xff, 0] : [byte]));
    return i === levels.length - 1 ? stuffed : [...stuffed, 0xff, 0xd0 + (i & 7)];
  });
  return Buffer.from(
    [
      [0xff, 0xd8],
      segment(0xdb, ...quantization),
      segment(0xc0, 8, 0, 8, 0, 8 * levels.length, 1, 1, 0x11, 0),
      segment(0xc4, ...dc),
      segment(0xc4, ...ac),
      segment(0xdd, 0, 1),
      segment(0xda, 1, 1, 0, 0, 63, 0),
      data,
      [0xff, 0xd9],
    ].flat(),
  );
}
