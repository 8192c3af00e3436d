import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkout } from '../../../scripts/checkout.js';

const WIDTH = 8000;
const HEIGHT = 6000;
/** A byte per pixel: the least memory for decoding the picture at its full size. */
const WHOLE_MIB = (WIDTH * HEIGHT) / 2 ** 20;

/** Does one thing with a file in a process of its own, and prints by how much the peak memory of that process grew. */
const CHILD = `
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
const [, , checkout, file, what] = process.argv;
const load = (path) => import(pathToFileURL(checkout + '/' + path));
const { decodeLuma, fitThumbnail } = await load('dist/agent/capture/jpeg.js');
const { default: sharp } = await load('node_modules/sharp/dist/index.mjs');
const jpeg = readFileSync(file);
const settings = { width: 320, quality: 75, masks: [] };
const work = {
  luma: () => decodeLuma(jpeg, 160),
  thumbnail: () => fitThumbnail(jpeg, settings, 20000),
  crop: () => fitThumbnail(jpeg, settings, 20000, { left: 0.3, top: 0.3, width: 0.3, height: 0.3 }),
  whole: () => sharp(jpeg).toColourspace('b-w').raw().toBuffer(),
}[what];
const before = process.resourceUsage().maxRSS;
let reason = 'accepted';
try { await work(); } catch (error) { reason = error.details.reason; }
console.log(JSON.stringify({ reason, mib: (process.resourceUsage().maxRSS - before) / 1024 }));
`;

describe('frames of 8000×6000', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealcam-large-'));
  const files = { baseline: join(folder, 'baseline.jpg'), progressive: join(folder, 'progressive.jpg') };

  beforeAll(async () => {
    const tile = Buffer.from(Uint8Array.from({ length: 800 * 600 * 3 }, (_, i) => 90 + ((i * 7919) % 61)));
    for (const [kind, file] of Object.entries(files)) {
      await sharp(tile, { raw: { width: 800, height: 600, channels: 3 } })
        .resize(WIDTH, HEIGHT, { fit: 'fill', kernel: 'nearest' })
        .jpeg({ quality: 70, progressive: kind === 'progressive' })
        .toFile(file);
    }
    writeFileSync(join(folder, 'child.mjs'), CHILD);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** Runs the child, and returns its peak growth in MiB. */
  function growthOf(file: string, what: string): { readonly reason: string; readonly mib: number } {
    const args = [join(folder, 'child.mjs'), checkout, file, what];
    // Started by a shell, because a program inherits the peak of the process that starts it.
    const shell = ['-c', '"$0" "$@"; :', process.execPath, ...args];
    const { stdout, stderr } = spawnSync('sh', shell, { encoding: 'utf8' });
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as ReturnType<typeof growthOf>;
  }

  it.each(['luma', 'thumbnail', 'crop'])('are decoded at a reduced scale, in bounded memory: %s', (what) => {
    const { reason, mib } = growthOf(files.baseline, what);
    expect(reason).toBe('accepted');
    expect(mib).toBeLessThan(WHOLE_MIB);
  });

  it('are refused by their header alone where a decoder would hold the whole picture', () => {
    for (const what of ['luma', 'thumbnail', 'crop']) {
      const { reason, mib } = growthOf(files.progressive, what);
      expect(reason).toBe('too-large');
      expect(mib).toBeLessThan(4);
    }
  });

  it('control: decoding the whole picture exceeds the bound', () => {
    expect(growthOf(files.baseline, 'whole').mib).toBeGreaterThan(WHOLE_MIB);
    expect(growthOf(files.progressive, 'whole').mib).toBeGreaterThan(WHOLE_MIB);
  });
});
