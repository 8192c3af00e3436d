import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { realRandom } from '../../../common/adapters/real-random.js';
import { concat } from '../../../common/bytes.js';
import { ownerKeys, type OwnerKeys } from '../../../app/core/owner-keys.js';
import type { VideoCodec } from '../../../hal/video-source.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { freePort, hostPage, launch, Visitor } from '../../support/engines/browser.js';
import { barriers } from '../../support/engines/accessibility.js';
import { answerFrom } from '../../support/engines/lying-cloud.js';
import { describeWith } from '../../support/engines/tools.js';
import { keptFolder, tempFolder } from '../../support/runner/temp.js';
import { limitMs } from '../../support/runner/speed.js';
import { lyingCloud, LIED_INDEX, type ClipLie } from '../../support/worlds/clip-lies.js';
import { beginClip, endClip, film, scenePictures, segmentsOf } from '../../support/worlds/filmed-clip.js';
import { SealedCloud, SealingCamera, type FilmedSegment } from '../../support/worlds/sealing-camera.js';

const PASSPHRASE = 'four unrelated test words';
const POLL = { timeout: limitMs(30_000) };
const LIES: readonly (readonly [ClipLie | null, VideoCodec])[] = [
  ['crossed', 'h264'],
  ['dropped', 'h264'],
  ['repeated', 'h264'],
  ['cut', 'h264'],
  ['swapped', 'h264'],
  ['altered', 'h264'],
  [null, 'h264'],
  ['crossed', 'jpeg'],
  ['dropped', 'jpeg'],
  ['swapped', 'jpeg'],
  [null, 'jpeg'],
];
/** A picture with somebody in it. */
const POSTER = 45;
const CODECS: readonly VideoCodec[] = ['h264', 'jpeg'];

/** The clips of the page as it is delivered, in a real browser, over a made-up cloud. They are cut, sealed and signed as a camera does. */
describeWith('chromium', 'clips in the page', () => {
  const folder = keptFolder();
  let browser: Browser;
  let host: { stop: () => Promise<void> };
  let pageUrl = '';
  let keys: OwnerKeys;
  let poster: Uint8Array;
  const plain = new Map<VideoCodec, readonly FilmedSegment[]>();
  const made = new Map<VideoCodec, readonly FilmedSegment[]>();
  const visitors: Visitor[] = [];

  beforeAll(async () => {
    browser = await launch();
    const port = await freePort();
    pageUrl = `http://127.0.0.1:${String(port)}/`;
    host = await hostPage(join(folder, 'page'), '', port);
    keys = ownerKeys(nodeSuite, realRandom.bytes(32));
    const pictures = await scenePictures(12);
    poster = pictures[POSTER] ?? new Uint8Array(0);
    const numbered = await Promise.all(pictures.map(paintNumber));
    for (const codec of CODECS) {
      made.set(codec, segmentsOf(codec, numbered));
      plain.set(codec, segmentsOf(codec, pictures));
    }
  });

  afterAll(async () => {
    await browser.close();
    await host.stop();
  });

  function segmentsFor(codec: VideoCodec): readonly FilmedSegment[] {
    return made.get(codec) ?? [];
  }

  async function open(cloud: SealedCloud, options: Parameters<typeof Visitor.arrive>[1] = {}): Promise<Visitor> {
    const visitor = await Visitor.arrive(browser, options);
    visitors.push(visitor);
    // A page that is left open goes on working beside the next test.
    onTestFinished(() => visitor.context.close());
    await visitor.restoreKey(pageUrl, keys.master, PASSPHRASE);
    await answerFrom(visitor.context, cloud);
    await visitor.page.goto(pageUrl);
    return visitor;
  }

  /** A camera whose records are of now: of an older clip that has no end the page says that it was cut off. */
  function cameraNow(): SealingCamera {
    const camera = new SealingCamera([keys]);
    camera.firstMs = Date.now() - 30_000;
    return camera;
  }

  /** Opens the event that has a clip. */
  async function openEvent({ page }: Visitor): Promise<void> {
    await page.locator('.card-button', { hasText: 'Video' }).click();
    await page.getByRole('dialog').waitFor();
  }

  async function filmed(codec: VideoCodec, segments = segmentsFor(codec)): Promise<SealedCloud> {
    const camera = cameraNow();
    await film(camera, segments, poster);
    return new SealedCloud(camera);
  }

  /** How many pictures the browser decoded and put on the screen. */
  function framesOf(page: Page): Promise<number> {
    return page
      .locator('.clip-screen video')
      .evaluate((video) => (video as HTMLVideoElement).getVideoPlaybackQuality().totalVideoFrames);
  }

  /** Plays a clip's beginning. */
  async function start({ page }: Visitor): Promise<void> {
    await page.getByRole('button', { name: 'Play the video' }).click();
    await page.getByRole('group', { name: 'Video', exact: true }).waitFor();
  }

  /** Pauses, and goes to a time. */
  async function goTo(page: Page, ms: number): Promise<void> {
    const pause = page.getByRole('button', { name: 'Pause' });
    if (await pause.isVisible()) await pause.click();
    await position(page).fill(String(ms));
    await expect.poll(() => position(page).inputValue().then(Number)).toBeGreaterThanOrEqual(ms - 100);
  }

  function position(page: Page): Locator {
    return page.getByRole('slider', { name: 'Position in the video' });
  }

  /** Returns the number that is painted into the picture on the screen. */
  async function seen(page: Page): Promise<number> {
    return page.locator('.clip-screen > *').evaluate((element) => {
      const canvas = new OffscreenCanvas(8, 9);
      const context = canvas.getContext('2d');
      if (context === null) return -1;
      context.imageSmoothingQuality = 'high';
      context.drawImage(element as HTMLVideoElement | HTMLCanvasElement, 0, 0, 8, 9);
      const { data } = context.getImageData(0, 8, 8, 1);
      return Array.from({ length: 8 }, (_, bit) => ((data[4 * bit] ?? 0) > 127 ? 2 ** bit : 0)).reduce(
        (x, y) => x + y,
        0,
      );
    });
  }

  it.each(CODECS)('plays %s: what is on the screen is the picture of that time, decoded', async (codec) => {
    const visitor = await open(await filmed(codec));
    const { page } = visitor;
    await openEvent(visitor);
    await start(visitor);
    await page.getByText('Video: Whole').waitFor();
    await expect.poll(() => position(page).inputValue().then(Number), POLL).toBeGreaterThan(2000);
    const played = codec === 'h264' ? await framesOf(page) : null;
    if (played !== null) expect(played).toBeGreaterThanOrEqual(20);
    for (const picture of [20, 45, 60, 30]) {
      await goTo(page, picture * 100 + 50);
      await expect.poll(() => seen(page), POLL).toBe(picture);
    }
    if (played !== null) expect(await framesOf(page)).toBeGreaterThan(played);
    // To its end, and from the start again.
    await goTo(page, 11_500);
    await page.getByRole('button', { name: 'Play', exact: true }).click();
    await expect.poll(() => position(page).inputValue().then(Number), POLL).toBeGreaterThanOrEqual(11_990);
    await page.getByRole('button', { name: 'Play', exact: true }).click();
    await expect.poll(() => position(page).inputValue().then(Number), POLL).toBeLessThan(5000);
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  it.each(CODECS)('plays %s while it grows, and goes on where the rest comes', async (codec) => {
    const segments = segmentsFor(codec);
    const camera = cameraNow();
    const filming = await beginClip(camera, segments, poster);
    const visitor = await open(new SealedCloud(camera));
    const { page } = visitor;
    await openEvent(visitor);
    await start(visitor);
    const held = segments.slice(0, 3).reduce((sum, { durationMs }) => sum + durationMs, 0);
    await page.getByText('Video: Still coming').waitFor();
    await expect.poll(() => position(page).inputValue().then(Number), POLL).toBeGreaterThan(held - 200);
    expect(await position(page).getAttribute('max')).toBe(String(held));
    endClip(filming, segments.slice(3));
    await page.getByText('Video: Whole').waitFor();
    await expect.poll(() => position(page).inputValue().then(Number), POLL).toBeGreaterThan(held + 500);
    await expect.poll(async () => (await seen(page)) * 100, POLL).toBeGreaterThan(held);
  });

  it.each(LIES)('never plays a segment that was %s (%s), and says what is missing', async (lie, codec) => {
    const camera = cameraNow();
    const segments = segmentsFor(codec);
    const visitor = await open(await lyingCloud(camera, segments, lie, poster));
    const { page } = visitor;
    await page.locator('.card-button', { hasText: 'Video' }).first().click();
    await start(visitor);
    const { fromMs, toMs } = spanOf(segments, LIED_INDEX);
    if (lie === null) {
      await page.getByText('Video: Whole').waitFor();
      expect(await page.getByRole('list', { name: 'What does not play' }).count()).toBe(0);
      await goTo(page, (fromMs + toMs) / 2);
      expect(await page.getByRole('alert').count()).toBe(0);
      return;
    }
    const alarm = page.getByRole('alert').filter({ hasText: 'contradicts what your cameras signed' });
    if (lie !== 'dropped') {
      await page.getByText('Video: Parts refused').waitFor();
      await alarm.waitFor({ state: 'attached' });
    } else {
      await page.getByText('Video: Still coming').waitFor();
      expect(await alarm.count()).toBe(0);
    }
    await page
      .getByRole('list', { name: 'What does not play' })
      .getByText(`${String(Math.round(fromMs / 1000))} s to`)
      .waitFor();
    // Up to the hole, and over it where nothing can come any more.
    await goTo(page, fromMs - 300);
    await page.getByRole('button', { name: 'Play', exact: true }).click();
    const endMs = lie === 'swapped' ? spanOf(segments, LIED_INDEX + 1).toMs : toMs;
    if (lie === 'dropped') {
      await expect.poll(() => position(page).inputValue().then(Number), POLL).toBeGreaterThan(fromMs - 150);
      expect(await position(page).inputValue().then(Number)).toBeLessThan(fromMs + 150);
      return;
    }
    await expect.poll(() => position(page).inputValue().then(Number), POLL).toBeGreaterThanOrEqual(endMs);
    if (codec === 'h264') {
      const ranges = await page.locator('.clip-screen video').evaluate((video) => {
        const { buffered } = video as HTMLVideoElement;
        return Array.from({ length: buffered.length }, (_, i) => [buffered.start(i) * 1000, buffered.end(i) * 1000]);
      });
      expect(ranges.map((range) => range.map(Math.round))).toEqual([
        [0, fromMs],
        [endMs, 12_000],
      ]);
    }
  });

  it.each(CODECS)('saves a file of %s that plays elsewhere, byte by byte what the camera made', async (codec) => {
    const visitor = await open(await filmed(codec));
    const { page } = visitor;
    await openEvent(visitor);
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save the video' }).click();
    const file = await saving;
    expect(file.suggestedFilename()).toMatch(codec === 'h264' ? /\.mp4$/ : /\.mov$/);
    const path = join(tempFolder(), file.suggestedFilename());
    await file.saveAs(path);
    const whole = concat(...segmentsFor(codec).map(({ bytes }) => bytes));
    expect(Buffer.compare(readFileSync(path), whole)).toBe(0);
    const probe = spawnSync('ffprobe', ['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', path]);
    expect([String(probe.stderr), Math.round(Number(probe.stdout))]).toEqual(['', 12]);
  });

  it('works from the keyboard, and steps to no other event meanwhile', async () => {
    const visitor = await open(await filmed('jpeg'));
    const { page } = visitor;
    await openEvent(visitor);
    const title = await page.getByRole('dialog').getByRole('heading').first().innerText();
    await page.getByRole('button', { name: 'Play the video' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('Video: Whole').waitFor();
    await goTo(page, 6000);
    await position(page).focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowLeft');
    expect(Number(await position(page).inputValue())).toBe(7000);
    expect(await position(page).getAttribute('aria-valuetext')).toBe('7 s of 12 s');
    await page.keyboard.press(' ');
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    await page.keyboard.press(' ');
    await page.getByRole('button', { name: 'Play', exact: true }).waitFor();
    await goTo(page, 0);
    expect(await position(page).getAttribute('aria-valuetext')).toBe('0 s of 12 s, before the event');
    expect(await page.getByRole('dialog').getByRole('heading').first().innerText()).toBe(title);
  });

  it('plays where the browser has ManagedMediaSource alone, as an iPhone; without either it says so, and saves', async () => {
    for (const has of ['ManagedMediaSource', null]) {
      const visitor = await open(await filmed('h264'));
      const { page } = visitor;
      await page.addInitScript((name) => {
        const { MediaSource: plain } = window;
        Object.defineProperty(window, 'MediaSource', { value: undefined });
        if (name !== null) Object.defineProperty(window, name, { value: plain });
      }, has);
      await page.reload();
      await openEvent(visitor);
      await page.getByRole('button', { name: 'Play the video' }).click();
      if (has === null) {
        await page.getByText('This browser does not play this video').waitFor();
        const saving = page.waitForEvent('download');
        await page.getByRole('button', { name: 'Save the video' }).click();
        await saving;
        continue;
      }
      await expect.poll(() => framesOf(page), POLL).toBeGreaterThan(5);
      expect(
        await page.locator('.clip-screen video').evaluate((video) => (video as HTMLVideoElement).disableRemotePlayback),
      ).toBe(true);
    }
  });

  it('fits on a telephone and in the dark, with enough contrast', async () => {
    const shapes = [
      { name: 'clip', codec: 'h264', options: {} },
      { name: 'clip-dark', codec: 'h264', options: { dark: true } },
      { name: 'clip-phone', codec: 'jpeg', options: { phone: true } },
    ] as const;
    for (const { name, codec, options } of shapes) {
      const visitor = await open(await filmed(codec, plain.get(codec)), options);
      const { page } = visitor;
      await openEvent(visitor);
      expect(await barriers(page)).toEqual([]);
      await start(visitor);
      await page.getByText('Video: Whole').waitFor();
      await goTo(page, POSTER * 100 + 50);
      expect(await barriers(page)).toEqual([]);
      const { scrollWidth, clientWidth } = await page
        .getByRole('dialog')
        .evaluate((element) => ({ scrollWidth: element.scrollWidth, clientWidth: element.clientWidth }));
      expect(scrollWidth).toBe(clientWidth);
      await visitor.screenshot(name);
    }
  });

  it('logged no errors', () => {
    expect(visitors.flatMap(({ complaints }) => complaints)).toEqual([]);
  });
});

/** Paints the number of a picture into its lowest rows: eight blocks, the first of them 1, the next 2 … */
async function paintNumber(jpeg: Uint8Array, number: number): Promise<Uint8Array> {
  const blocks = Array.from({ length: 8 }, (_, bit) => {
    const fill = (number & (1 << bit)) === 0 ? '#000' : '#fff';
    return `<rect x="${String(80 * bit)}" width="80" height="40" fill="${fill}"/>`;
  });
  const input = Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="640" height="40">${blocks.join('')}</svg>`);
  return new Uint8Array(
    await sharp(jpeg)
      .composite([{ input, left: 0, top: 320 }])
      .jpeg({ quality: 82 })
      .toBuffer(),
  );
}

/** When a segment plays. */
function spanOf(segments: readonly FilmedSegment[], index: number): { readonly fromMs: number; readonly toMs: number } {
  const fromMs = segments.slice(0, index).reduce((sum, { durationMs }) => sum + durationMs, 0);
  return { fromMs, toMs: fromMs + (segments[index]?.durationMs ?? 0) };
}
