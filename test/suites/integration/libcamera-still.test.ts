import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { libcamera } from 'node-libcamera';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { realClock } from '../../../common/adapters/real-clock.js';
import { takeStill } from '../../../hal/linux/libcamera-still.js';
import { checkStillOptions, optionArgs } from '../../../hal/linux/still-options.js';
import { asyncCodeOf, codeOf } from '../../support/codes.js';
import { StandIns } from '../../support/engines/stand-ins.js';
import { makeFrames } from '../../support/engines/video.js';
import { until } from '../../support/runner/wait.js';
import { limitMs } from '../../support/runner/speed.js';

const never = new AbortController().signal;
const size = { width: 640, height: 360 };

/** Stand-in for libcamera-still: writes a picture to the path of `--output`. */
const WRITES_PICTURE = `while [ $# -gt 0 ]; do if [ "$1" = --output ]; then cat "$here/frames/frame0.jpg" > "$2"; fi; shift; done`;

async function withStill(name: string, body: string): Promise<StandIns> {
  const stand = new StandIns();
  await makeFrames(stand.folder, 1);
  mkdirSync(join(stand.folder, 'stills'));
  stand.add(name, body);
  return stand;
}

function takePicture(
  stand: StandIns,
  options: Readonly<Record<string, unknown>> = {},
  timeoutMs = 10_000,
  folder = 'stills',
): Promise<Uint8Array> {
  const taker = { clock: realClock, folder: join(stand.folder, folder), timeoutMs };
  return takeStill(taker, { ...size, ...options }, never);
}

/** Values that an attacker would try who can choose an option. */
const ATTACKS = [
  '; touch "$MARK"',
  '$(touch "$MARK")',
  '`touch "$MARK"`',
  'x\ntouch "$MARK"\n',
  '| touch "$MARK"',
  '&& touch "$MARK"',
  '--post-process-file=/etc/shadow',
  '-o/etc/passwd',
  '~',
  '*',
  "'",
  '640 --raw',
];

describe('stills through node-libcamera', () => {
  it('come as a JPEG through the package for the old name, and leave no file', async () => {
    const stand = await withStill('libcamera-still', WRITES_PICTURE);
    const jpeg = await takePicture(stand, { hflip: true, vflip: false, quality: 85, exposure: 'sport' });
    expect(await sharp(jpeg).metadata()).toMatchObject({ format: 'jpeg', width: 640 });
    expect(readdirSync(stand.path('stills'))).toEqual([]);
    const argv = stand.argv('libcamera-still').join(' ');
    expect(argv).toMatch(
      /--nopreview --encoding jpg --timeout 500 --width 640 --height 360 --hflip --quality 85 --exposure sport --output \/\S+\/still\.jpg$/,
    );
    expect(argv).not.toContain('false');
  });

  it('come directly for the new name where only that exists', async () => {
    const stand = await withStill('rpicam-still', WRITES_PICTURE);
    expect((await sharp(await takePicture(stand)).metadata()).width).toBe(640);
    expect(stand.argv('rpicam-still')).toContain('--nopreview');
  });

  it('name the missing package', async () => {
    const stand = await withStill('other', '');
    stand.alone();
    await expect(takePicture(stand)).rejects.toMatchObject({
      code: 'camera-unavailable',
      hint: expect.stringContaining('rpicam-apps') as string,
    });
  });

  it('end in time, with everything that the shell started', async () => {
    const hang = 'case "$*" in *--version*) exit;; esac; echo $$ > "$here/pid"; trap "" TERM; sleep 600 & sleep 600';
    const stand = await withStill('libcamera-still', hang);
    const started = realClock.monotonicMs();
    await expect(takePicture(stand, {}, 1500)).rejects.toMatchObject({
      code: 'camera-ended',
      message: 'no still after 1500 ms',
    });
    expect(realClock.monotonicMs() - started).toBeLessThan(limitMs(6000));
    const pid = Number(readFileSync(stand.path('pid'), 'utf8'));
    await until('the end of the program', () => !existsSync(`/proc/${String(pid)}`));
    expect(readdirSync(stand.path('stills'))).toEqual([]);
  });

  it('fail with the output of the program, or with frame-corrupt for bytes that are not a picture', async () => {
    const failing = await withStill('libcamera-still', 'echo "no cameras available" >&2; exit 255');
    await expect(takePicture(failing)).rejects.toMatchObject({
      code: 'camera-ended',
      message: expect.stringContaining('no cameras available') as string,
    });
    const garbage = await withStill(
      'libcamera-still',
      WRITES_PICTURE.replace('cat "$here/frames/frame0.jpg"', 'echo nonsense'),
    );
    expect(await asyncCodeOf(() => takePicture(garbage))).toBe('frame-corrupt');
  });
});

describe('the wall around node-libcamera', () => {
  it('is needed: the bare package runs a command inside an option', async () => {
    const stand = await withStill('libcamera-still', WRITES_PICTURE);
    const before = process.env['NODE_ENV'];
    // Where NODE_ENV is `test`, the package only prints its command.
    process.env['NODE_ENV'] = 'production';
    process.env['MARK'] = stand.path('executed');
    try {
      await libcamera.still({ output: `${stand.path('x.jpg')}; touch "$MARK"` }).catch(() => '');
    } finally {
      process.env['NODE_ENV'] = before;
    }
    expect(existsSync(stand.path('executed'))).toBe(true);
  });

  it.each(ATTACKS)('lets %j reach no shell', async (attack) => {
    const stand = await withStill('libcamera-still', WRITES_PICTURE);
    process.env['MARK'] = stand.path('executed');
    const tries: Record<string, unknown>[] = [
      ...['width', 'height', 'quality', 'exposure', 'awb', 'rotation', 'hflip', 'timeout'].map((name) => ({
        [name]: attack,
      })),
      { [attack]: true },
      { [`width ${attack}`]: 640 },
      { output: attack },
      { latest: attack },
      { width: { toString: () => attack } },
      { exposure: ['normal', attack] },
    ];
    for (const options of tries)
      expect(await asyncCodeOf(() => takePicture(stand, options))).toBe('config-invalid-value');
    expect(existsSync(stand.path('executed'))).toBe(false);
    expect(stand.argv('libcamera-still')).toEqual([]);
  });

  it('refuses a folder whose name has a meaning for a shell', async () => {
    const stand = await withStill('libcamera-still', WRITES_PICTURE);
    mkdirSync(join(stand.folder, 'a; touch b'));
    expect(await asyncCodeOf(() => takePicture(stand, {}, 5000, 'a; touch b'))).toBe('config-invalid-value');
    expect(stand.argv('libcamera-still')).toEqual([]);
  });

  it('holds for any value: accepted options have only harmless characters', () => {
    const names = fc.oneof(
      fc.constantFrom('width', 'hflip', 'awb', 'exposure', 'quality', '__proto__', 'toString'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.dictionary(names, fc.oneof(fc.anything(), fc.integer(), fc.constantFrom('auto'))), (options) => {
        let args: string[] = [];
        const code = codeOf(() => (args = optionArgs(checkStillOptions(options, '/tmp/x/still.jpg'))));
        if (code !== 'accepted') return code === 'config-invalid-value';
        return args.every((arg) => /^(--[a-z]+|[A-Za-z0-9/_.][A-Za-z0-9/_.-]*)$/.test(arg));
      }),
    );
  });
});
