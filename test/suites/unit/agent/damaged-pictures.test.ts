import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { Capture } from '../../../../agent/capture/capture.js';
import { Detector } from '../../../../agent/capture/detect/detector.js';
import { isFit } from '../../../../agent/capture/detect/plane-size.js';
import { EventTracker } from '../../../../agent/capture/event-tracker.js';
import { decodeLuma } from '../../../../agent/capture/jpeg.js';
import { lumaSize } from '../../../../agent/capture/luma-size.js';
import { captureSettings } from '../../../../agent/main/settings.js';
import { loadAgentConfig } from '../../../../agent/config/keys.js';
import { Counters } from '../../../../common/counters.js';
import { isSealcamError } from '../../../../common/errors.js';
import { silentLog } from '../../../../common/log.js';
import { seededRandom } from '../../../../common/seeded-random.js';
import type { LumaPlane } from '../../../../hal/camera.js';
import { SceneRenderer } from '../../../../hal/mock/renderer.js';
import { buildScript } from '../../../../hal/mock/scenarios.js';

const SOI_BYTES = 2;
const settings = captureSettings(loadAgentConfig({ file: null, environment: {} }));

let quiet: Buffer;
beforeAll(async () => {
  quiet = await frameAt(0);
});

const renderer = new SceneRenderer(buildScript('porch', 'quiet', 1));
async function frameAt(timeMs: number): Promise<Buffer> {
  return Buffer.from((await renderer.render(timeMs)).jpeg);
}

function scanOf(jpeg: Buffer): number {
  return jpeg.indexOf(Buffer.from('ffda', 'hex')) + 14;
}

/** Loses packets of a picture on its way, as a video without retransmission does. */
function withLoss(jpeg: Buffer, uniform: () => number): Buffer {
  const at = scanOf(jpeg) + Math.floor(uniform() * (jpeg.length - scanOf(jpeg) - 800));
  return Buffer.concat([jpeg.subarray(0, at), jpeg.subarray(at + 700)]);
}

/** What libvips makes of a picture that is not cut off, however damaged. */
async function repaired(jpeg: Buffer): Promise<LumaPlane> {
  const image = sharp(jpeg, { failOn: 'truncated' }).toColourspace('b-w').resize({ width: 160 }).raw();
  const { data, info } = await image.toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
}

async function reasonOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return 'accepted';
  } catch (error) {
    return isSealcamError(error) ? error.details['reason'] : error;
  }
}

/** Plays JPEGs as a recording, and returns what came of it. */
async function playAll(jpegs: readonly Uint8Array[], framesPerSecond: number) {
  const counters = new Counters();
  const events: string[] = [];
  const scenes: string[] = [];
  const logged: string[] = [];
  const info = { driver: 'mock', model: 'test', width: 640, height: 360, framesPerSecond } as const;
  const capture = new Capture({ ...info, timeBase: 'recorded' }, settings, {
    counters,
    log: { ...silentLog, warn: (_fields, message) => logged.push(message) },
    onTransition: ({ type }) => events.push(type),
    onScene: (scene) => scenes.push(scene.class),
    wallMsOf: () => null,
  });
  for (const [index, jpeg] of jpegs.entries()) {
    const monotonicMs = Math.round((index * 1000) / framesPerSecond);
    await capture.inspectFrame({ jpeg, index, monotonicMs }, monotonicMs);
  }
  capture.finish();
  return { counters, events, scenes, logged };
}

describe('damaged pictures that libjpeg repairs', () => {
  it('raise nothing, are counted, and logged once; their garbage raises something', async () => {
    const { uniform } = seededRandom(21);
    const jpegs: Buffer[] = [];
    for (let index = 0; index < 40; index++) {
      const jpeg = await frameAt(index * 200);
      // Two in five are damaged for a while: too few for the camera to count as blind.
      jpegs.push(index >= 15 && index < 30 && index % 5 < 2 ? withLoss(jpeg, uniform) : jpeg);
    }
    const { counters, events, scenes, logged } = await playAll(jpegs, 5);
    expect(events).toEqual([]);
    expect(scenes).toEqual([]);
    expect(counters.get('frames.corrupt')).toBe(6);
    expect(logged).toHaveLength(1);

    const detector = new Detector(settings.detector);
    const tracker = new EventTracker<null>(settings.events);
    const raised: string[] = [];
    for (const [index, jpeg] of jpegs.entries()) {
      const seen = detector.observe(await repaired(jpeg), index * 200, index);
      if (seen.scene !== null) raised.push(seen.scene.class);
      for (const { type } of tracker.advance(seen, { frame: null, index, timeMs: index * 200 })) raised.push(type);
    }
    expect(raised).not.toEqual([]);
  });

  it.each([
    ['700 bytes lost', withLoss, 1],
    [
      '512 bytes of zeros',
      (jpeg: Buffer, uniform: () => number) => {
        const at = scanOf(jpeg) + Math.floor(uniform() * (jpeg.length - scanOf(jpeg) - 600));
        return Buffer.from(jpeg).fill(0, at, at + 512);
      },
      1,
    ],
    [
      'a byte changed',
      (jpeg: Buffer, uniform: () => number) => {
        const damaged = Buffer.from(jpeg);
        damaged[scanOf(jpeg) + Math.floor(uniform() * (jpeg.length - scanOf(jpeg) - 2))] = Math.floor(uniform() * 256);
        return damaged;
      },
      // Where the damage leaves valid codes, no decoder can tell.
      0.35,
    ],
  ])('are refused: %s', async (_name, damage, shareMin) => {
    const { uniform } = seededRandom(8);
    let refused = 0;
    for (let i = 0; i < 40; i++) {
      const damaged = damage(quiet, uniform);
      const reason = await reasonOf(decodeLuma(damaged, 160));
      if (reason === 'damaged') refused++;
      else expect(reason).toBe('accepted');
      // The control: each was accepted before, because its end is there.
      await expect(repaired(damaged)).resolves.toMatchObject({ width: 160 });
    }
    expect(refused / 40).toBeGreaterThanOrEqual(shareMin);
  });

  it('are refused where they are progressive too', async () => {
    const { uniform } = seededRandom(4);
    const progressive = await sharp(quiet).jpeg({ progressive: true }).toBuffer();
    expect(await reasonOf(decodeLuma(progressive, 160))).toBe('accepted');
    const reasons = new Set<unknown>();
    for (let i = 0; i < 10; i++) reasons.add(await reasonOf(decodeLuma(withLoss(progressive, uniform), 160)));
    expect(reasons).toContain('damaged');
  });
});

/** Returns the picture without its Huffman tables, as some cameras send them: those of the standard are meant. */
async function withoutTables(): Promise<Buffer> {
  const jpeg = await sharp(quiet).jpeg({ optimiseCoding: false }).toBuffer();
  const parts = [jpeg.subarray(0, SOI_BYTES)];
  let at = SOI_BYTES;
  while (jpeg[at + 1] !== 0xda) {
    const end = at + 2 + jpeg.readUInt16BE(at + 2);
    if (jpeg[at + 1] !== 0xc4) parts.push(jpeg.subarray(at, end));
    at = end;
  }
  return Buffer.concat([...parts, jpeg.subarray(at)]);
}

const beforeEnd = (bytes: readonly number[]): Buffer =>
  Buffer.concat([quiet.subarray(0, -2), Buffer.from(bytes), quiet.subarray(-2)]);
const afterStart = (bytes: readonly number[]): Buffer =>
  Buffer.concat([quiet.subarray(0, SOI_BYTES), Buffer.from(bytes), quiet.subarray(SOI_BYTES)]);

describe('harmless oddities', () => {
  it.each([
    ['zeros before the end', () => beforeEnd([0, 0, 0, 0, 0, 0, 0])],
    ['fill bytes before the end', () => beforeEnd([0xff, 0xff, 0xff])],
    ['stray bytes before the end', () => beforeEnd([7, 8, 9, 10, 11])],
    ['stray bytes after the end', () => Buffer.concat([quiet, Buffer.alloc(300, 7)])],
    ['fill bytes between segments', () => afterStart([0xff, 0xff])],
    ['a comment, and application data of nobody', () => afterStart([0xff, 0xfe, 0, 4, 1, 2, 0xff, 0xe9, 0, 3, 9])],
    ['no Huffman tables', withoutTables],
    ['progressive', () => sharp(quiet).jpeg({ progressive: true }).toBuffer()],
    ['CMYK', () => sharp(quiet).toColourspace('cmyk').jpeg().toBuffer()],
    ['an Adobe segment', () => sharp(quiet).withMetadata().jpeg().toBuffer()],
  ])('are decoded: %s', async (_name, make) => {
    const plane = await decodeLuma(await make(), 160);
    const usual = await decodeLuma(quiet, 160);
    const other = await decodeLuma(await sharp(quiet).flop().jpeg().toBuffer(), 160);
    expect(differenceOf(plane, usual)).toBeLessThan(6);
    expect(differenceOf(plane, other)).toBeGreaterThan(12);
  });
});

function differenceOf(a: LumaPlane, b: LumaPlane): number {
  expect([a.width, a.height]).toEqual([b.width, b.height]);
  return a.data.reduce((sum, grey, i) => sum + Math.abs(grey - (b.data[i] ?? 0)), 0) / a.data.length;
}

describe('very wide and very narrow pictures', () => {
  const fits = ({ width, height }: { width: number; height: number }): boolean =>
    isFit({ width, height, data: { length: width * height } as Uint8Array });

  it('get a plane that detection accepts; others keep theirs', () => {
    expect(lumaSize({ width: 640, height: 360 }, 160)).toEqual({ width: 160, height: 90 });
    expect(lumaSize({ width: 1080, height: 1920 }, 160)).toEqual({ width: 160, height: 284 });
    expect(lumaSize({ width: 100, height: 80 }, 160)).toEqual({ width: 100, height: 80 });
    for (const wanted of [96, 160, 320]) {
      for (let shape = 1 / 300; shape <= 19; shape *= 1.13) {
        const height = shape > 1 ? 600 : 16_000;
        const picture = { width: Math.round(height * shape), height };
        expect(fits(lumaSize(picture, wanted)), JSON.stringify(picture)).toBe(true);
      }
    }
    // The control: with the width that is wanted, these planes are refused.
    expect([fits({ width: 160, height: 10 }), fits({ width: 160, height: 960 })]).toEqual([false, false]);
  });

  it.each([
    ['16 to 1', 1600, 100],
    ['1 to 6', 160, 960],
  ])('show who walks through: %s', async (_name, width, height) => {
    const { uniform } = seededRandom(2);
    const wall = Uint8Array.from(
      { length: width * height },
      (_, i) => 120 + 20 * (((i % width) >> 4) & 1) + 6 * uniform(),
    );
    const jpegs: Uint8Array[] = [];
    for (let index = 0; index < 50; index++) {
      const data = Uint8Array.from(wall);
      if (index >= 25) paintBlock(data, width, height, (index - 25) / 25);
      jpegs.push(
        await sharp(data, { raw: { width, height, channels: 1 } })
          .jpeg()
          .toBuffer(),
      );
    }
    const { counters, events } = await playAll(jpegs, 10);
    expect(counters.get('frames.corrupt')).toBe(0);
    expect(events.filter((type) => type === 'start')).toEqual(['start']);
  });
});

/** Paints a dark block that goes along the longer side. */
function paintBlock(data: Uint8Array, width: number, height: number, progress: number): void {
  const isWide = width > height;
  const length = Math.min(width, height) * 0.6;
  const along = progress * 0.5 * Math.max(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [a, b] = isWide ? [x, y] : [y, x];
      if (a >= along && a < along + length && b >= length * 0.3 && b < length * 1.3) data[y * width + x] = 30;
    }
  }
}
