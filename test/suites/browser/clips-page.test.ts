import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realRandom } from '../../../common/adapters/real-random.js';
import { concat } from '../../../common/bytes.js';
import { ownerKeys, type OwnerKeys } from '../../../app/core/owner-keys.js';
import type { VideoCodec } from '../../../hal/video-source.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { freePort, hostPage, launch, Visitor } from '../../support/engines/browser.js';
import { answerFrom } from '../../support/engines/lying-cloud.js';
import { describeWith } from '../../support/engines/tools.js';
import { keptFolder, tempFolder } from '../../support/runner/temp.js';
import { beginClip, endClip, film, scenePictures, segmentsOf } from '../../support/worlds/filmed-clip.js';
import { SealedCloud, SealingCamera, type FilmedSegment } from '../../support/worlds/sealing-camera.js';

const PASSPHRASE = 'four unrelated test words';
const CODECS: readonly VideoCodec[] = ['h264', 'jpeg'];

/** The clips of the page as it is delivered, in a real browser, over a made-up cloud. They are cut, sealed and signed as a camera does. */
describeWith('chromium', 'clips in the page', () => {
  const folder = keptFolder();
  let browser: Browser;
  let host: { stop: () => Promise<void> };
  let pageUrl = '';
  let keys: OwnerKeys;
  let poster: Uint8Array;
  const made = new Map<VideoCodec, readonly FilmedSegment[]>();
  const visitors: Visitor[] = [];

  beforeAll(async () => {
    browser = await launch();
    const port = await freePort();
    pageUrl = `http://127.0.0.1:${String(port)}/`;
    host = await hostPage(join(folder, 'page'), '', port);
    keys = ownerKeys(nodeSuite, realRandom.bytes(32));
    const pictures = await scenePictures(12);
    poster = pictures[60] ?? new Uint8Array(0);
    for (const codec of CODECS) made.set(codec, segmentsOf(codec, pictures));
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
    await visitor.restoreKey(pageUrl, keys.master, PASSPHRASE);
    await answerFrom(visitor.context, cloud);
    await visitor.page.goto(pageUrl);
    return visitor;
  }

  /** Opens the event that has a clip. */
  async function openEvent({ page }: Visitor): Promise<void> {
    await page.locator('.card-button', { hasText: 'Video' }).click();
    await page.getByRole('dialog').waitFor();
  }

  async function filmed(codec: VideoCodec): Promise<SealedCloud> {
    const camera = new SealingCamera([keys]);
    await film(camera, segmentsFor(codec), poster);
    return new SealedCloud(camera);
  }

  /** How many pictures the browser decoded and put on the screen. */
  function framesOf(page: Page): Promise<number> {
    return page
      .locator('.clip-screen video')
      .evaluate((video) => (video as HTMLVideoElement).getVideoPlaybackQuality().totalVideoFrames);
  }

  it('plays H.264', async () => {
    const visitor = await open(await filmed('h264'));
    const { page } = visitor;
    await openEvent(visitor);
    await page.getByRole('button', { name: 'Play the video' }).click();
    await page.getByText('Video: Whole').waitFor();
    await expect.poll(() => framesOf(page), { timeout: 30_000 }).toBeGreaterThan(20);
    await visitor.screenshot('clip-try');
  });
});
