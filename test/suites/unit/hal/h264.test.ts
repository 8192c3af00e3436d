import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat } from '../../../../common/bytes.js';
import type { SealcamError } from '../../../../common/errors.js';
import { AccessUnitSplitter, type AccessUnit } from '../../../../hal/h264/access-units.js';
import { NAL, nalsOf, nalType } from '../../../../hal/h264/nal.js';
import { readSequence } from '../../../../hal/h264/sequence.js';
import { H264Track } from '../../../../hal/h264/track.js';
import type { VideoUnit } from '../../../../hal/video-source.js';
import { codeOf } from '../../../support/codes.js';
import { AUD, B_SLICE, DELTA, IDR, KEY, MORE, nal, P_SLICE, PPS, SPS } from '../../../support/h264-units.js';
import { h264Stream } from '../../../support/engines/h264.js';
import { describeWith } from '../../../support/engines/tools.js';

function split(stream: Uint8Array, sizes: readonly number[] = [stream.length]): AccessUnit[] {
  const splitter = new AccessUnitSplitter();
  const out: AccessUnit[] = [];
  for (let at = 0, i = 0; at < stream.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    out.push(...splitter.push(stream.slice(at, at + size), at));
    at += size;
  }
  const last = splitter.end();
  return last === null ? out : [...out, last];
}

interface Passed {
  readonly units: VideoUnit[];
  readonly faults: SealcamError[];
}

/** Passes parts that come at these times through a track. */
function track(parts: readonly (readonly [atMs: number, bytes: Uint8Array])[]): Passed {
  const passed: Passed = { units: [], faults: [] };
  const reader = new H264Track({
    onUnit: (unit) => passed.units.push(unit),
    onFault: (error) => passed.faults.push(error),
  });
  for (const [atMs, bytes] of parts) reader.push(bytes, atMs);
  reader.end();
  return passed;
}

const codesOf = ({ faults }: Passed): string[] => faults.map(({ code }) => code);

describe('splitter of access units', () => {
  it('splits at delimiters, in chunks of any size, and keeps every byte', () => {
    const units = [KEY, DELTA, concat(AUD, P_SLICE, MORE), KEY, DELTA];
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 30 }), (sizes) => {
        const found = split(concat(...units), sizes);
        expect(found.map(({ bytes }) => Buffer.from(bytes).toString('hex'))).toEqual(
          units.map((unit) => Buffer.from(unit).toString('hex')),
        );
        expect(found.map(({ isKey }) => isKey)).toEqual([true, false, false, true, false]);
      }),
      { numRuns: 100 },
    );
  });

  it('splits without delimiters at parameter sets and at the first slice of a picture', () => {
    const units = [concat(SPS, PPS, IDR), P_SLICE, concat(P_SLICE, MORE), concat(SPS, PPS, IDR), P_SLICE];
    expect(split(concat(...units)).map(({ bytes }) => bytes.length)).toEqual(units.map(({ length }) => length));
  });

  it('gives each unit the time at which it began', () => {
    const splitter = new AccessUnitSplitter();
    const out = [...splitter.push(KEY, 100), ...splitter.push(AUD, 200), ...splitter.push(P_SLICE, 250)];
    out.push(...splitter.push(DELTA, 300));
    expect(out.map(({ beganMs }) => beganMs)).toEqual([100, 200]);
  });

  it('skips and counts what comes before the first unit', () => {
    const splitter = new AccessUnitSplitter();
    const noise = concat(Uint8Array.of(7, 7, 7), P_SLICE);
    expect([...splitter.push(concat(noise, KEY, DELTA), 0)]).toHaveLength(1);
    expect(splitter.skippedBytes).toBe(noise.length);
  });

  it.each([
    ['the forbidden bit', nal(0xe5, 0x88, 0x84)],
    ['a data partition', nal(0x42, 0x88, 0x84)],
    ['an unknown type', nal(0x78, 0x88, 0x84)],
    ['a delimiter in a unit without a picture', concat(AUD, SPS, DELTA)],
    ['a picture of two kinds', concat(KEY, MORE)],
  ])('refuses %s, and goes on at the next unit', (_, torn) => {
    const splitter = new AccessUnitSplitter();
    expect(codeOf(() => [...splitter.push(concat(KEY, DELTA, torn), 0)])).toBe('video-corrupt');
    const after = [...splitter.push(concat(KEY, DELTA), 0), ...splitter.push(AUD, 0)];
    expect(after.some(({ isKey }) => isKey)).toBe(true);
  });

  it('ends a stream that holds no unit', () => {
    const splitter = new AccessUnitSplitter();
    const noise = new Uint8Array(1024 * 1024).fill(0x55);
    const feed = (): void => {
      for (let i = 0; i < 4; i++) for (const _ of splitter.push(noise, 0));
    };
    expect(codeOf(feed)).toBe('video-corrupt');
  });

  it('limits the size of a unit', () => {
    const splitter = new AccessUnitSplitter();
    const data = new Uint8Array(1024 * 1024).fill(0x55);
    const feed = (): void => {
      for (const _ of splitter.push(KEY, 0));
      for (let i = 0; i < 9; i++) for (const _ of splitter.push(data, 0));
    };
    expect(codeOf(feed)).toBe('video-corrupt');
  });
});

describe('sequence parameter set', () => {
  const of = (bytes: Uint8Array): Uint8Array => bytes.subarray(4);

  it('has profile and size', () => {
    expect(readSequence(of(SPS))).toEqual({ profile: 66, width: 320, height: 180 });
  });

  it('refuses what no browser plays, and what ends early', () => {
    const high10 = of(SPS).slice();
    high10[1] = 110;
    expect(codeOf(() => readSequence(high10))).toBe('video-unsupported');
    expect(codeOf(() => readSequence(of(SPS).subarray(0, 5)))).toBe('video-corrupt');
    expect(codeOf(() => readSequence(new Uint8Array(2000).fill(66)))).toBe('video-corrupt');
  });
});

describe('track', () => {
  it('begins at a key unit', () => {
    const { units, faults } = track([
      [0, DELTA],
      [100, KEY],
      [200, DELTA],
    ]);
    expect([units.map(({ monotonicMs }) => monotonicMs), faults]).toEqual([[100, 200], []]);
  });

  it('names key units that are too far apart, once in that time', () => {
    const parts = Array.from({ length: 100 }, (_, i) => [i * 100, i === 0 ? KEY : DELTA] as const);
    const passed = track(parts);
    expect(codesOf(passed)).toEqual(['video-keys-rare', 'video-keys-rare']);
    expect(passed.faults[0]?.hint).toContain('GOP');
    expect(passed.units).toHaveLength(46);
    // Four seconds are enough.
    expect(codesOf(track(parts.map(([at], i) => [at, i % 40 === 0 ? KEY : DELTA])))).toEqual([]);
  });

  it('names changed parameter sets, and goes on with them at the next key unit', () => {
    const other = concat(AUD, SPS, nal(0x68, 0xce, 0x3c, 0x80), IDR);
    const passed = track([KEY, DELTA, other, DELTA, other, DELTA].map((bytes, i) => [i * 100, bytes]));
    expect(codesOf(passed)).toEqual(['video-changed']);
    expect(passed.units.map(({ monotonicMs }) => monotonicMs)).toEqual([0, 100, 400, 500]);
  });

  it('names B-frames, key units without parameter sets and torn units, and waits for the next key unit', () => {
    const faults: readonly (readonly [string, Uint8Array])[] = [
      ['video-unsupported', concat(AUD, B_SLICE)],
      ['video-unsupported', concat(AUD, IDR)],
      ['video-corrupt', concat(AUD, AUD, P_SLICE)],
    ];
    for (const [code, fault] of faults) {
      const passed = track([KEY, fault, DELTA, KEY, DELTA].map((bytes, i) => [i * 100, bytes]));
      expect(codesOf(passed)).toEqual([code]);
      expect(passed.units.map(({ isKey }) => isKey)).toEqual([true, true, false]);
    }
  });
});

describeWith('ffmpeg', 'H.264 of a real encoder', () => {
  it('splits it into its pictures, and reads its size', () => {
    for (const [size, width, height, profile] of [
      ['320x180', 320, 180, 66],
      ['322x182', 322, 182, 77],
      ['1920x1080', 1920, 1080, 100],
    ] as const) {
      const name = { 66: 'baseline', 77: 'main', 100: 'high' }[profile];
      // Main and high without what makes them so would be written as baseline.
      const args = [
        '-profile:v',
        name,
        ...(profile === 66 ? [] : ['-coder', '1', '-x264opts', profile === 100 ? '8x8dct=1' : 'cabac=1']),
      ];
      const stream = h264Stream({ size, seconds: 1, gop: 5, args });
      const units = split(stream);
      expect(units.map(({ isKey }) => isKey)).toEqual(Array.from({ length: 10 }, (_, i) => i % 5 === 0));
      expect(Buffer.from(concat(...units.map(({ bytes }) => bytes))).equals(Buffer.from(stream))).toBe(true);
      const sequence = [...nalsOf(units[0]?.bytes ?? stream)].find((each) => nalType(each) === NAL.sps);
      expect(readSequence(sequence ?? stream)).toEqual({ profile, width, height });
    }
  });

  it('knows B-frames, several slices and other kinds of pictures', () => {
    const slices = h264Stream({ args: ['-x264-params', 'slices=4:aud=1:repeat-headers=1'] });
    expect(split(slices)).toHaveLength(30);
    const withB = ['-preset', 'medium', '-tune', 'film', '-bf', '2', '-x264-params', 'aud=1:repeat-headers=1'];
    expect(split(h264Stream({ args: withB })).some(({ isBidirectional }) => isBidirectional)).toBe(true);
    expect(split(h264Stream()).some(({ isBidirectional }) => isBidirectional)).toBe(false);
    const interlaced = h264Stream({ args: ['-flags', '+ilme+ildct', '-x264-params', 'tff=1:aud=1:repeat-headers=1'] });
    expect(track([[0, interlaced]]).faults[0]?.message).toBe('interlaced video');
    const colours = h264Stream({ args: ['-pix_fmt', 'yuv444p'] });
    expect(codesOf(track([[0, colours]]))[0]).toBe('video-unsupported');
  });
});
