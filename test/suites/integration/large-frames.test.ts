import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkout } from '../../../scripts/checkout.js';

const [WIDTH, HEIGHT] = [8000, 6000];
/** A byte a pixel: what anybody needs who decodes the picture as it is. */
const WHOLE_MIB = (WIDTH * HEIGHT) / 2 ** 20;

/** Does one thing with a file in a process of its own; gives by how much that grew at its most. */
const CHILD = `
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
const [, , checkout, file, what] = process.argv;
const load = (path) => import(pathToFileURL(checkout + '/' + path));
const { configureImages, decodeLuma, fitThumbnail } = await load('dist/agent/capture/jpeg.js');
const { default: sharp } = await load('node_modules/sharp/dist/index.mjs');
configureImages();
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

  function grown(file: string, what: string): { readonly reason: string; readonly mib: number } {
    const args = [join(folder, 'child.mjs'), checkout, file, what];
    // A shell between, since the peak of whoever starts a program counts as the program's own.
    const shell = ['-c', '"$0" "$@"; :', process.execPath, ...args];
    const { stdout, stderr } = spawnSync('sh', shell, { encoding: 'utf8' });
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as ReturnType<typeof grown>;
  }

  it.each(['luma', 'thumbnail', 'crop'])('are decoded at a reduced scale, in bounded memory: %s', (what) => {
    const { reason, mib } = grown(files.baseline, what);
    expect(reason).toBe('accepted');
    expect(mib).toBeLessThan(WHOLE_MIB);
  });

  it('are refused by their header alone where a decoder would hold all of it', () => {
    for (const what of ['luma', 'thumbnail', 'crop']) {
      const { reason, mib } = grown(files.progressive, what);
      expect(reason).toBe('too-large');
      expect(mib).toBeLessThan(4);
    }
  });

  it('control: whoever decodes all of it is seen', () => {
    expect(grown(files.baseline, 'whole').mib).toBeGreaterThan(WHOLE_MIB);
    expect(grown(files.progressive, 'whole').mib).toBeGreaterThan(WHOLE_MIB);
  });
});
