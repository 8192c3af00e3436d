import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Segmenter, type Segment } from '../../../../agent/clip/segmenter.js';
import { UnitRing } from '../../../../agent/clip/unit-ring.js';
import { concat } from '../../../../common/bytes.js';
import { LIMITS } from '../../../../common/limits.js';
import { seededRandom } from '../../../../common/seeded-random.js';
import { AccessUnitSplitter } from '../../../../hal/h264/access-units.js';
import { SceneRenderer } from '../../../../hal/mock/renderer.js';
import { buildScript } from '../../../../hal/mock/scenarios.js';
import type { VideoCodec, VideoUnit } from '../../../../hal/video-source.js';
import { codeOf } from '../../../support/codes.js';
import { ffmpeg, h264Stream, type StreamOptions } from '../../../support/engines/h264.js';
import { describeWith } from '../../../support/engines/tools.js';
import { striped } from '../../../support/pictures.js';
import { tempFolder } from '../../../support/runner/temp.js';

const SIZE = 160 * 90;

function h264Units(options: StreamOptions, periodMs = 100): VideoUnit[] {
  const splitter = new AccessUnitSplitter();
  const found = [...splitter.push(h264Stream({ size: '160x90', ...options }), 0)];
  const last = splitter.end();
  return [...found, ...(last === null ? [] : [last])].map(({ bytes, isKey }, i) => ({
    bytes,
    isKey,
    monotonicMs: 5000 + i * periodMs,
  }));
}

function segmentsOf(codec: VideoCodec, units: readonly VideoUnit[]): Segment[] {
  const segmenter = new Segmenter(codec, 10);
  return [...units.flatMap((unit) => segmenter.add(unit)), ...segmenter.flush()];
}

/** Plays segments in a row as one file. Returns the times of its pictures in milliseconds, and checks that nothing complains. */
function timesOf(segments: readonly Segment[], name: string): { readonly times: number[]; readonly pixels: number } {
  const path = join(tempFolder(), name);
  writeFileSync(path, concat(...segments.map(({ bytes }) => bytes)));
  const args = ['-v', 'error', '-show_entries', 'frame=pts_time', '-of', 'csv=p=0', path];
  const probe = spawnSync('ffprobe', args, { encoding: 'utf8' });
  expect([probe.status, probe.stderr]).toEqual([0, '']);
  const times = probe.stdout.split('\n').flatMap((line) => (line === '' ? [] : [Math.round(parseFloat(line) * 1000)]));
  const raw = ['-i', path, '-vsync', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'];
  return { times, pixels: ffmpeg(raw).length };
}

function expectLimits(segments: readonly Segment[]): void {
  for (const { bytes, durationMs } of segments) {
    expect(bytes.length).toBeLessThanOrEqual(LIMITS.segmentMaxBytes);
    expect(durationMs).toBeLessThanOrEqual(2000);
  }
}

describeWith('ffmpeg', 'segments of a clip', () => {
  it.each([66, 100])('of H.264 play in a row, profile %s, and most begin with a key unit', (profile) => {
    const args = profile === 66 ? [] : ['-profile:v', 'high', '-coder', '1', '-x264opts', '8x8dct=1'];
    const units = h264Units({ seconds: 6, gop: 12, args });
    const segments = segmentsOf('h264', units);
    expectLimits(segments);
    const { times, pixels } = timesOf(segments, 'clip.mp4');
    expect(times).toEqual(units.map((_, i) => i * 100));
    expect(pixels).toBe(units.length * SIZE);
    expect(segments.every(({ isSync }) => isSync)).toBe(true);
    expect(segments[0]?.durationMs).toBe(0);
    expect(segments.reduce((sum, { durationMs }) => sum + durationMs, 0)).toBe(6000);
  });

  it('continue a group of pictures that is longer than a segment', () => {
    const segments = segmentsOf('h264', h264Units({ seconds: 6, gop: 40 }));
    expect(segments.map(({ isSync }) => isSync)).toEqual([true, true, false, true]);
    expect(timesOf(segments, 'clip.mp4').times).toHaveLength(60);
  });

  it('keep the times of units that come unevenly, or at once', () => {
    const random = seededRandom(3);
    let atMs = 0;
    const units = h264Units({ seconds: 5 }).map((unit, i) => ({
      ...unit,
      monotonicMs: (atMs += i < 5 ? 0 : Math.floor(random.uniform() * 300)),
    }));
    const segments = segmentsOf('h264', units);
    expectLimits(segments);
    expect(timesOf(segments, 'clip.mp4').times).toHaveLength(units.length);
  });

  it('leave early when asked, and go on', () => {
    const segmenter = new Segmenter('h264', 10);
    const units = h264Units({ seconds: 3 });
    const early = [...units.slice(0, 7).flatMap((unit) => segmenter.add(unit)), ...segmenter.flush()];
    expect(early.map(({ durationMs }) => durationMs)).toEqual([0, 700]);
    const rest = [...units.slice(7).flatMap((unit) => segmenter.add(unit)), ...segmenter.flush()];
    expect(timesOf([...early, ...rest], 'clip.mp4').times).toEqual(units.map((_, i) => i * 100));
  });

  it('leave early without the last unit, whose length nobody knows yet, and keep every time', () => {
    const segmenter = new Segmenter('h264', 25);
    const units = h264Units({ seconds: 3 });
    const early = [...units.slice(0, 7).flatMap((unit) => segmenter.add(unit)), ...segmenter.cutNow()];
    expect(early.map(({ durationMs }) => durationMs)).toEqual([0, 600]);
    const rest = [...units.slice(7).flatMap((unit) => segmenter.add(unit)), ...segmenter.flush()];
    expect(timesOf([...early, ...rest], 'clip.mp4').times).toEqual(units.map((_, i) => i * 100));
  });

  it('shorten a hole in the video, which no segment could hold', () => {
    const units = h264Units({ seconds: 3 }).map((unit, i) => ({
      ...unit,
      monotonicMs: unit.monotonicMs + (i < 20 ? 0 : 3_600_000),
    }));
    const segments = segmentsOf('h264', units);
    expectLimits(segments);
    expect(timesOf(segments, 'clip.mp4').times).toHaveLength(30);
    expect(segments.reduce((sum, { durationMs }) => sum + durationMs, 0)).toBe(4900);
  });

  it('of an odd size have it, and of one picture a second play', async () => {
    const h264 = segmentsOf('h264', h264Units({ size: '162x94', rate: 1, seconds: 6, gop: 2 }, 1000));
    const jpeg = await striped(161, 91);
    const units = Array.from({ length: 6 }, (_, i) => ({ bytes: jpeg, isKey: true, monotonicMs: i * 1000 }));
    for (const [segments, name, pixels] of [
      [h264, 'clip.mp4', 162 * 94],
      [segmentsOf('jpeg', units), 'clip.mov', 161 * 91],
    ] as const) {
      expectLimits(segments);
      expect(timesOf(segments, name)).toEqual({ times: [0, 1000, 2000, 3000, 4000, 5000], pixels: 6 * pixels });
    }
  });

  it('of JPEG play in a row', async () => {
    const renderer = new SceneRenderer(buildScript('porch', 'walk', 1));
    const units: VideoUnit[] = [];
    for (let i = 0; i < 24; i++) {
      units.push({ bytes: (await renderer.render(i * 250)).jpeg, isKey: true, monotonicMs: i * 250 });
    }
    const segments = segmentsOf('jpeg', units);
    expectLimits(segments);
    expect(segments.map(({ durationMs }) => durationMs)).toEqual([0, 2000, 2000, 2000]);
    const { times, pixels } = timesOf(segments, 'clip.mov');
    expect([times, pixels]).toEqual([units.map((_, i) => i * 250), 24 * 640 * 360]);
  });
});

describe('limits of a segment', () => {
  const jpeg = (bytes: number): Uint8Array => {
    const out = new Uint8Array(bytes).fill(0x55);
    out.set([0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 90, 0, 160, 1, 1, 0x11, 0]);
    return out;
  };
  const unit = (bytes: number, monotonicMs: number): VideoUnit => ({ bytes: jpeg(bytes), isKey: true, monotonicMs });

  it('holds for large pictures, to the byte', () => {
    const sizes = [LIMITS.segmentMaxBytes - 108, 300_000, 300_000, 200_000];
    const segments = segmentsOf(
      'jpeg',
      sizes.map((size, i) => unit(size, i * 250)),
    );
    expectLimits(segments);
    expect(segments.map(({ bytes }) => bytes.length > 500_000)).toEqual([false, true, false, true]);
    expect(Math.max(...segments.map(({ bytes }) => bytes.length))).toBe(LIMITS.segmentMaxBytes);
  });

  it('refuses a picture that is larger than a segment, and what is not a picture', () => {
    expect(codeOf(() => segmentsOf('jpeg', [unit(LIMITS.segmentMaxBytes - 107, 0), unit(1000, 250)]))).toBe(
      'video-unsupported',
    );
    expect(codeOf(() => segmentsOf('jpeg', [{ bytes: new Uint8Array(9), isKey: true, monotonicMs: 0 }]))).toBe(
      'video-corrupt',
    );
    expect(codeOf(() => segmentsOf('h264', [unit(1000, 0)]))).toBe('video-corrupt');
  });
});

describe('ring of units', () => {
  const units = (count: number, gop: number, bytes = 1000): VideoUnit[] =>
    Array.from({ length: count }, (_, i) => ({
      bytes: new Uint8Array(bytes),
      isKey: i % gop === 0,
      monotonicMs: i * 100,
    }));
  const filled = (all: readonly VideoUnit[], maxBytes = 1024 ** 2): UnitRing => {
    const ring = new UnitRing({ prerollMs: 5000, maxBytes });
    for (const each of all) ring.add(each);
    return ring;
  };

  it('holds the pre-roll from a key unit, and at most one group of pictures more', () => {
    const ring = filled(units(200, 20));
    expect(ring.heldMs).toBeGreaterThanOrEqual(5000);
    expect(ring.heldMs).toBeLessThan(7000);
    const held = ring.units;
    expect([held[0]?.isKey, held.at(-1)?.monotonicMs, ring.heldBytes]).toEqual([true, 19_900, held.length * 1000]);
    ring.clear();
    expect([ring.heldMs, ring.heldBytes, ring.units]).toEqual([0, 0, []]);
  });

  it('holds less where bytes are short, and begins with the next key unit after it was emptied', () => {
    const ring = filled(units(200, 10), 35_000);
    expect(ring.heldMs).toBeLessThanOrEqual(3400);
    expect(ring.units[0]?.isKey).toBe(true);
    ring.clear();
    for (const each of units(5, 10).slice(1)) ring.add(each);
    expect(ring.units).toEqual([]);
    // A single group that is too large is not kept in part.
    expect(filled(units(100, 200), 35_000).units).toEqual([]);
  });
});
