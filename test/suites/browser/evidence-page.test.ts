import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { verifyCommand } from '../../../agent/cli/verify.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { concat, toHex } from '../../../common/bytes.js';
import { ownerKeys, type OwnerKeys } from '../../../app/core/owner-keys.js';
import { LIMITS } from '../../../common/limits.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { decodeEvidence } from '../../../protocol/evidence/evidence-file.js';
import { decodeSpan, encodeSpan } from '../../../protocol/evidence/span-file.js';
import { freePort, hostPage, launch, Visitor } from '../../support/engines/browser.js';
import { barriers } from '../../support/engines/accessibility.js';
import { answerFrom } from '../../support/engines/lying-cloud.js';
import { describeWith } from '../../support/engines/tools.js';
import { keptFolder } from '../../support/runner/temp.js';
import { repository } from '../../support/vectors.js';
import { lyingCloud } from '../../support/worlds/clip-lies.js';
import { scenePictures, segmentsOf } from '../../support/worlds/filmed-clip.js';
import { SealingCamera, type SealedCloud } from '../../support/worlds/sealing-camera.js';

const PASSPHRASE = 'four unrelated test words';
const GOOD = 'All 2 events in this file check out';
const REFUSED = 'Nothing of this file is shown, because it does not hold what it must.';

/** Evidence as the delivered page makes it and checks it, in a real browser. Camera and cloud are made up; what they sign is not. */
describeWith('chromium', 'evidence in the page', () => {
  const folder = keptFolder();
  let browser: Browser;
  let host: { stop: () => Promise<void> };
  let pageUrl = '';
  let keys: OwnerKeys;
  let cloud: SealedCloud;
  /** The files that the page saved: of the two events, and of the second alone. */
  let span: Buffer;
  let single: Buffer;

  beforeAll(async () => {
    browser = await launch();
    const port = await freePort();
    pageUrl = `http://127.0.0.1:${String(port)}/`;
    host = await hostPage(join(folder, 'page'), '', port);
    keys = ownerKeys(nodeSuite, realRandom.bytes(32));
    const pictures = await scenePictures(12);
    const camera = new SealingCamera([keys]);
    camera.firstMs = Date.now() - 120_000;
    cloud = await lyingCloud(camera, segmentsOf('h264', pictures), null, pictures[45] ?? null);
  });

  afterAll(async () => {
    await browser.close();
    await host.stop();
  });

  async function signedIn(): Promise<Visitor> {
    const visitor = await Visitor.arrive(browser);
    onTestFinished(() => visitor.context.close());
    await visitor.restoreKey(pageUrl, keys.master, PASSPHRASE);
    await answerFrom(visitor.context, cloud);
    await visitor.page.goto(pageUrl);
    return visitor;
  }

  /** Somebody who never was here, and whose network goes once the page is there. */
  async function stranger(options: Parameters<typeof Visitor.arrive>[1] = {}): Promise<Visitor> {
    const visitor = await Visitor.arrive(browser, options);
    onTestFinished(() => visitor.context.close());
    await visitor.page.goto(pageUrl);
    await visitor.page.getByRole('heading', { name: 'Only you can see' }).waitFor();
    await visitor.page.waitForLoadState('networkidle');
    await visitor.context.setOffline(true);
    return visitor;
  }

  /** Saves what a button gives, and returns it. */
  async function saved(page: Page, button: Locator): Promise<Buffer> {
    const saving = page.waitForEvent('download');
    await button.click();
    const path = join(folder, 'saved');
    await (await saving).saveAs(path);
    return readFileSync(path);
  }

  /** Drops bytes onto the page, as a person drops a file. */
  async function drop(page: Page, bytes: Uint8Array): Promise<void> {
    const transfer = await page.evaluateHandle((base64) => {
      const data = new DataTransfer();
      const content = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      data.items.add(new File([content], 'some.evidence'));
      return data;
    }, Buffer.from(bytes).toString('base64'));
    await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
  }

  function flipped(bytes: Buffer, at: number): Buffer {
    const out = Buffer.from(bytes);
    out.writeUInt8(out.readUInt8(at) ^ 1, at);
    return out;
  }

  /** What the command and the Python say of a file. */
  function elsewhere(bytes: Uint8Array): { readonly status: readonly (number | null)[]; readonly events: unknown[][] } {
    const path = join(folder, 'checked.evidence');
    writeFileSync(path, bytes);
    const emitted: Record<string, unknown>[] = [];
    const output = { json: true, printLine: () => undefined, emit: (value: object) => emitted.push({ ...value }) };
    let status = 3;
    try {
      status = verifyCommand(path, output);
    } catch {
      // Refused whole.
    }
    const program = join(repository, 'test', 'suites', 'interop', 'verify_evidence.py');
    const python = spawnSync('/usr/bin/python3', [program, path], { encoding: 'utf8' });
    const lines = python.stdout.trim().split('\n');
    const ids = (events: readonly Record<string, unknown>[]): unknown[] => events.flatMap(({ event }) => event ?? []);
    const printed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    return { status: [status, python.status], events: [ids(emitted), ids(printed)] };
  }

  it('is saved as one file of all events between two times, and of one event', async () => {
    const { page } = await signedIn();
    await page.locator('.card-button', { hasText: 'Video' }).first().click();
    single = await saved(page, page.getByRole('button', { name: 'Save as evidence' }));
    await page.keyboard.press('Escape');
    await page
      .getByRole('link', { name: 'Settings' })
      .or(page.getByRole('button', { name: 'Settings' }))
      .first()
      .click();
    await page.getByLabel('From', { exact: true }).fill('2020-01-01T00:00');
    span = await saved(page, page.getByRole('button', { name: 'Save as evidence' }));
    await page.getByText('2 events are in the file.').waitFor();
    const files = decodeSpan(new Uint8Array(span));
    expect(files.map((file) => decodeEvidence(file).receipts.length)).toEqual([1, 1]);
    expect(Buffer.from(files[1] ?? []).equals(single)).toBe(true);
    // A time without an event is no error of anybody.
    await page.getByLabel('To', { exact: true }).fill('2020-01-01T00:00');
    await page.getByRole('button', { name: 'Save as evidence' }).click();
    await page.getByRole('alert').filter({ hasText: 'No event of this camera' }).waitFor();
  });

  it('is checked by a stranger without a network: verdict, whose, when, pictures, video, what it proves', async () => {
    const visitor = await stranger();
    const { page } = visitor;
    await drop(page, span);
    const verdict = page.getByRole('heading', { name: GOOD });
    await verdict.waitFor();
    expect(await verdict.evaluate((element) => element === document.activeElement)).toBe(true);
    const text = await page.locator('main').innerText();
    const device = toHex(cloud.world.deviceId).match(/.{4}/g)?.join(' ') ?? '?';
    const account = toHex(keys.account).match(/.{4}/g)?.join(' ') ?? '?';
    for (const expected of [device, account, 'this is not proven', 'Not who or what stood before the lens']) {
      expect(text).toContain(expected);
    }
    expect(text).toContain('A cloud that the owner had named signed that it stored some of this');
    const picture = page.getByRole('img', { name: 'Picture 1 of this event' });
    expect(await picture.first().evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBe(640);
    await page.getByRole('button', { name: 'Play' }).first().click();
    const frames = (): Promise<number> =>
      page
        .locator('video')
        .first()
        .evaluate((video) => (video as HTMLVideoElement).getVideoPlaybackQuality().totalVideoFrames);
    await expect.poll(frames, { timeout: 30_000 }).toBeGreaterThan(10);
    expect(await barriers(page)).toEqual([]);
    expect(visitor.complaints).toEqual([]);
    const { status, events } = elsewhere(span);
    expect(status).toEqual([0, 0]);
    expect(events[0]).toEqual(events[1]);
    expect(events[0]).toHaveLength(2);
  });

  it('shows nothing of an event with one byte altered, wherever it is, and the rest of its span', async () => {
    const { page } = await stranger({ phone: true, dark: true });
    await page.getByRole('button', { name: 'Check an evidence file' }).click();
    const key = Buffer.from(decodeEvidence(new Uint8Array(single)).records[0]?.objects[0]?.key ?? []);
    const places = [30, 400, single.indexOf(key), single.length >> 1, single.length - 400, single.length - 1];
    for (const at of places) {
      const altered = flipped(single, at);
      await drop(page, altered);
      await page.getByRole('heading', { name: REFUSED }).waitFor();
      expect(await page.locator('main img, main video').count()).toBe(0);
      expect(elsewhere(altered)).toEqual({ status: [3, 1], events: [[], []] });
      // The control, and what was shown before does not stay beside a refusal.
      await drop(page, single);
      await page.getByRole('heading', { name: 'Everything in this file checks out' }).waitFor();
      expect(await page.locator('main img').count()).toBe(1);
    }
    const [first, second] = decodeSpan(new Uint8Array(span)) as [Uint8Array, Uint8Array];
    const half = concat(...encodeSpan([flipped(Buffer.from(first), first.length >> 1), second]));
    await drop(page, half);
    await page.getByRole('heading', { name: '1 of 2 events in this file is refused' }).waitFor();
    expect(await page.getByRole('article').count()).toBe(1);
    expect(await page.getByText('Nothing of this event is shown.').count()).toBe(1);
    expect(elsewhere(half).status).toEqual([3, 1]);
    expect(await barriers(page)).toEqual([]);
    const width = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(width).toBeLessThanOrEqual(0);
  });

  it('says in plain words why it refuses a cut, foreign, future or huge file', async () => {
    const { page } = await stranger();
    await page.getByRole('button', { name: 'Check an evidence file' }).click();
    const future = Buffer.from(single);
    future.writeUInt8(3, 18);
    const refusals: readonly (readonly [Buffer, string])[] = [
      [single.subarray(0, -1), '[malformed]'],
      [span.subarray(0, span.length >> 1), '[malformed]'],
      [Buffer.from('a letter'), 'This is not an evidence file'],
      [Buffer.alloc(0), 'This is not an evidence file'],
      [future, 'A newer version of sealcam made this file'],
    ];
    for (const [bytes, words] of refusals) {
      await drop(page, bytes);
      await page.getByRole('alert').filter({ hasText: words }).waitFor();
    }
    await page.evaluate((size) => {
      const data = new DataTransfer();
      data.items.add(new File([new Blob(Array.from({ length: 17 }, () => new Uint8Array(size / 16)))], 'huge'));
      dispatchEvent(new DragEvent('drop', { dataTransfer: data }));
    }, LIMITS.evidenceSpanMaxBytes);
    await page.getByRole('alert').filter({ hasText: 'larger than any evidence file may be' }).waitFor();
    await page.getByRole('button', { name: 'Back' }).click();
    await page.getByRole('heading', { name: 'Only you can see' }).waitFor();
  });
});
