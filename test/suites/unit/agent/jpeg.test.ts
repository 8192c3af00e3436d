import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { Capture } from '../../../../agent/capture/capture.js';
import { decodeLuma, fitThumbnail, makeThumbnail } from '../../../../agent/capture/jpeg.js';
import { captureSettings } from '../../../../agent/main/settings.js';
import { loadAgentConfig } from '../../../../agent/config/keys.js';
import { Counters } from '../../../../common/counters.js';
import { isSealcamError } from '../../../../common/errors.js';
import { silentLog } from '../../../../common/log.js';
import { seededRandom } from '../../../../common/seeded-random.js';

const WIDTH = 640;
const HEIGHT = 360;
let raw: Buffer;
let baseline: Buffer;

/** Soft shapes and a little noise: a picture of about 40 kB. */
beforeAll(async () => {
  const { uniform } = seededRandom(3);
  raw = Buffer.from(
    Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => {
      const x = Math.floor(i / 3) % WIDTH;
      const y = Math.floor(i / 3 / WIDTH);
      return 90 + 60 * Math.sin(x / 25) * Math.cos(y / 17) + 10 * uniform();
    }),
  );
  baseline = await image().jpeg({ quality: 85 }).toBuffer();
});

function image(): Sharp {
  return sharp(raw, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });
}

/** Returns the same file with another size in its header. */
function claiming(jpeg: Buffer, width: number, height: number): Buffer {
  const copy = Buffer.from(jpeg);
  const at = copy.findIndex((byte, i) => byte === 0xff && (copy[i + 1] === 0xc0 || copy[i + 1] === 0xc2));
  copy.writeUInt16BE(height, at + 5);
  copy.writeUInt16BE(width, at + 7);
  return copy;
}

async function tagged(orientation: number): Promise<Buffer> {
  // Set in the bytes: sharp itself writes no tag above 8.
  const right = await image().withMetadata({ orientation: 1 }).jpeg().toBuffer();
  const at = right.indexOf(Buffer.from('0112000300000001', 'hex'));
  const little = right.indexOf(Buffer.from('1201030001000000', 'hex'));
  if (at >= 0) right.writeUInt16BE(orientation, at + 8);
  else right.writeUInt16LE(orientation, little + 8);
  return right;
}

async function reasonOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return 'accepted';
  } catch (error) {
    if (!isSealcamError(error)) return error;
    return error.code === 'frame-corrupt' ? error.details['reason'] : error.code;
  }
}

const CASES: readonly (readonly [name: string, make: () => Promise<Buffer> | Buffer, reason: string])[] = [
  ['baseline', () => baseline, 'accepted'],
  ['progressive', () => image().jpeg({ progressive: true }).toBuffer(), 'accepted'],
  ['greyscale', () => image().greyscale().jpeg().toBuffer(), 'accepted'],
  ['CMYK', () => image().toColourspace('cmyk').jpeg().toBuffer(), 'accepted'],
  ['1×1', () => image().resize(1, 1).jpeg().toBuffer(), 'accepted'],
  ['orientation 9', () => tagged(9), 'accepted'],
  ['orientation 65535', () => tagged(65_535), 'accepted'],
  ['bytes after its end', () => Buffer.concat([baseline, Buffer.alloc(5000, 7)]), 'accepted'],
  ['cut in the middle', () => baseline.subarray(0, baseline.length / 2), 'truncated'],
  ['cut after its header', () => baseline.subarray(0, baseline.indexOf(Buffer.from('ffda', 'hex')) + 14), 'truncated'],
  ['cut in its header', () => baseline.subarray(0, 40), 'no-header'],
  ['the start alone', () => baseline.subarray(0, 2), 'no-header'],
  ['no size before its scan', () => Buffer.from('ffd8ffda000801010000003f00ffd9', 'hex'), 'no-header'],
  ['a width of 0', () => claiming(baseline, 0, HEIGHT), 'no-header'],
  ['65535 wide, with little data', () => claiming(baseline, 65_535, HEIGHT), 'too-large'],
  ['16000×16000, with little data', () => claiming(baseline, 16_000, 16_000), 'too-large'],
  // Its data end correctly; libjpeg would fill the rest with grey.
  ['8000×6000, with little data', () => claiming(baseline, 8000, 6000), 'damaged'],
  [
    'progressive 8000×6000',
    async () => claiming(await image().jpeg({ progressive: true }).toBuffer(), 8000, 6000),
    'too-large',
  ],
  ['a PNG', () => image().png().toBuffer(), 'not-jpeg'],
  ['a WebP', () => image().webp().toBuffer(), 'not-jpeg'],
  ['nothing', () => Buffer.alloc(0), 'not-jpeg'],
  ['a header of one quantisation table', () => Buffer.from('ffd8ffdb0004', 'hex'), 'no-header'],
];

describe('a JPEG from outside', () => {
  it.each(CASES)('%s', async (_name, make, reason) => {
    const jpeg = await make();
    expect(await reasonOf(decodeLuma(jpeg, 160))).toBe(reason);
    expect(await reasonOf(makeThumbnail(jpeg, 320, 75, []))).toBe(reason);
    expect(await reasonOf(fitThumbnail(jpeg, { width: 320, quality: 75, masks: [] }, 20_000, { ...QUARTER }))).toBe(
      reason,
    );
  });

  it('never blocks the frames after it', async () => {
    const counters = new Counters();
    const settings = captureSettings(loadAgentConfig({ file: null, environment: {} }));
    const info = { driver: 'mock', model: 'bad', width: WIDTH, height: HEIGHT, framesPerSecond: 10 } as const;
    // A live stream would not inspect the same picture twice.
    const capture = new Capture({ ...info, timeBase: 'recorded' }, settings, {
      counters,
      log: silentLog,
      onTransition: () => undefined,
      onScene: () => undefined,
      wallMsOf: () => null,
    });
    let index = 0;
    for (const [, make] of CASES) {
      for (const jpeg of [await make(), baseline]) {
        await capture.inspectFrame({ jpeg, index, monotonicMs: index * 100 }, index * 100);
        index++;
      }
    }
    const bad = CASES.filter(([, , reason]) => reason !== 'accepted').length;
    // The 1×1 picture is decoded, and too small for the detector.
    expect(counters.get('frames.corrupt')).toBe(bad + 1);
    expect(counters.get('frames.decoded')).toBe(index - bad);
    expect(capture.lastInspection?.index).toBe(index - 1);
  });
});

describe('the frame path', () => {
  const settings = captureSettings(loadAgentConfig({ file: null, environment: {} }));
  const info = { driver: 'mock', model: 'm', width: WIDTH, height: HEIGHT, framesPerSecond: 10 } as const;
  const capture = (counters: Counters, timeBase: 'live' | 'recorded'): Capture =>
    new Capture({ ...info, timeBase }, settings, {
      counters,
      log: silentLog,
      onTransition: () => undefined,
      onScene: () => undefined,
      wallMsOf: () => null,
    });

  it('decodes a frame once, and never one with a plane from its driver', async () => {
    const luma = await decodeLuma(baseline, 160);
    for (const [extra, decoded] of [
      [{}, 20],
      [{ luma }, 0],
    ] as const) {
      const counters = new Counters();
      const watching = capture(counters, 'recorded');
      for (let i = 0; i < 20; i++) {
        await watching.inspectFrame({ jpeg: baseline, index: i, monotonicMs: i * 100, ...extra }, i * 100);
      }
      expect([counters.get('frames.seen'), counters.get('frames.decoded')]).toEqual([20, decoded]);
    }
  });

  it('does not decode a live frame that is late, but decodes one in time, or recorded', async () => {
    for (const [timeBase, lateMs, decoded] of [
      ['live', 2001, 0],
      ['live', 2000, 1],
      ['recorded', 60_000, 1],
    ] as const) {
      const counters = new Counters();
      await capture(counters, timeBase).inspectFrame({ jpeg: baseline, index: 0, monotonicMs: 0 }, lateMs);
      expect([counters.get('frames.decoded'), counters.get('frames.dropped')]).toEqual([decoded, 1 - decoded]);
    }
  });

  it('gives a small plane of a large picture like that of a small one', async () => {
    const large = await image().resize(1920, 1080).jpeg({ quality: 82 }).toBuffer();
    const small = await decodeLuma(large, 160);
    const direct = await decodeLuma(baseline, 160);
    const apart = small.data.reduce((sum, grey, i) => sum + Math.abs(grey - (direct.data[i] ?? 0)), 0);
    expect(apart / small.data.length).toBeLessThan(4);
  });
});

const QUARTER = { left: 0.5, top: 0.5, width: 0.5, height: 0.5 };

describe('the view', () => {
  it('is upright in plane and picture, so that a box fits both', async () => {
    const turned = await sharp(baseline).withMetadata({ orientation: 6 }).toBuffer();
    expect(await decodeLuma(turned, 160)).toMatchObject({ width: 160, height: 284 });
    expect(await makeThumbnail(turned, 180, 75, [])).toMatchObject({ width: 180, height: 320 });
  });

  it('is cropped as asked, in a turned picture too', async () => {
    // The upper right quarter is white when shown upright, which is the upper left of the sensor.
    const { data } = await sharp({ create: { width: 400, height: 200, channels: 3, background: '#000' } })
      .composite([{ input: { create: { width: 200, height: 100, channels: 3, background: '#fff' } }, left: 0, top: 0 }])
      .jpeg()
      .withMetadata({ orientation: 6 })
      .toBuffer({ resolveWithObject: true });
    const meanOf = async (crop: typeof QUARTER): Promise<number> => {
      const cropped = await fitThumbnail(data, { width: 64, quality: 90, masks: [] }, 50_000, crop);
      expect(cropped).toMatchObject({ width: 64, height: 128 });
      return (await sharp(cropped?.jpeg).stats()).channels[0]?.mean ?? -1;
    };
    expect(await meanOf({ ...QUARTER, top: 0 })).toBeGreaterThan(240);
    expect(await meanOf({ ...QUARTER, left: 0, top: 0 })).toBeLessThan(15);
    expect(await meanOf(QUARTER)).toBeLessThan(15);
  });
});
