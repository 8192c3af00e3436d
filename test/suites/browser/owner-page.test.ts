import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { realClock } from '../../../common/adapters/real-clock.js';
import { fromHex } from '../../../common/bytes.js';
import { FIRST_ANSWER_RECORDS } from '../../../app/core/camera-pages.js';
import { CloudClient } from '../../../app/core/cloud-client.js';
import { ownerKeys } from '../../../app/core/owner-keys.js';
import { openRecoveryFile } from '../../../app/core/recovery-file.js';
import { tweetnaclSuite } from '../../../protocol/crypto/tweetnacl.js';
import { xwingKeys } from '../../../protocol/crypto/xwing.js';
import { anyRecordKind } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import { decodeContent, type SealedContent } from '../../../protocol/seal/content.js';
import { decodeObjectHeader } from '../../../protocol/seal/object.js';
import { openPeriod } from '../../../protocol/seal/open-period.js';
import { buildPage } from '../../../scripts/build-page.js';
import { embedded, type TestBroker } from '../../support/engines/brokers.js';
import { freePort, hostPage, launch, Visitor } from '../../support/engines/browser.js';
import { barriers, tooWide } from '../../support/engines/accessibility.js';
import { asyncCodeOf } from '../../support/codes.js';
import { keptFolder, tempFolder } from '../../support/runner/temp.js';
import { CAMERAS_FOR_PICTURES } from '../../support/worlds/picture-cameras.js';
import { BUSY, TestAgent } from '../../support/worlds/test-agent.js';
import { TestCloud } from '../../support/worlds/test-cloud.js';
import { describeWith } from '../../support/engines/tools.js';
import { until } from '../../support/runner/wait.js';
import { limitMs } from '../../support/runner/speed.js';

const PASSPHRASE = 'four unrelated test words';

/**
 * Two owners with a camera each on one cloud, the page on an origin of its own. Each test continues from the one
 * before.
 */
describeWith('chromium', "the owner's page", () => {
  const folder = keptFolder();
  const cameras: TestAgent[] = [];
  let browser: Browser;
  let broker: TestBroker;
  let cloud: TestCloud;
  let page: { stop: () => Promise<void> };
  let pageUrl = '';
  let httpPort = 0;
  let a: Visitor;
  let b: Visitor;
  const recovery = new Map<Visitor, string>();

  beforeAll(async () => {
    browser = await launch();
    broker = embedded(folder, await freePort());
    await broker.start();
    httpPort = await freePort();
    const pagePort = await freePort();
    pageUrl = `http://127.0.0.1:${String(pagePort)}/`;
    cloud = new TestCloud(folder, httpPort, broker, { pageOrigin: new URL(pageUrl).origin });
    await cloud.start();
    page = await hostPage(join(folder, 'page'), cloud.origin, pagePort);
    for (const [name, scene] of [['a', 'porch'] as const, ['b', 'garden'] as const]) {
      const camera = new TestAgent(join(folder, name), broker.port, { ...BUSY, scene, seed: name === 'a' ? 5 : 9 });
      camera.agent.start();
      cameras.push(camera);
    }
    a = await Visitor.arrive(browser);
    b = await Visitor.arrive(browser, { dark: true, phone: true });
  });

  afterAll(async () => {
    await browser.close();
    await page.stop();
    for (const camera of cameras) await camera.agent.stop();
    await cloud.stop();
    await broker.stop();
  });

  it('lets nobody claim before the recovery file is saved', async () => {
    await a.page.goto(`${pageUrl}#claim=${cameras[0]?.code ?? ''}`);
    await a.page.getByRole('heading', { name: 'Only you can see what your cameras see' }).waitFor();
    expect(await a.page.getByRole('button', { name: 'Add a camera' }).count()).toBe(0);
    // The page removes the code in the link's fragment from the address.
    expect(a.page.url()).toBe(pageUrl);
    await a.screenshot('welcome');
    await a.page.getByRole('button', { name: 'Make my key' }).click();
    const save = a.page.getByRole('button', { name: 'Make my key and save the file' });
    expect(await save.isDisabled()).toBe(true);
    await a.page.getByLabel('Passphrase', { exact: true }).fill(PASSPHRASE);
    await a.page.getByLabel('Repeat it').fill('something else here');
    await save.click();
    await a.page.getByRole('alert').getByText('The two passphrases differ').waitFor();
  });

  it('saves the same key when the recovery file is saved again', async () => {
    const visitor = await Visitor.arrive(browser);
    const { page: tab } = visitor;
    const save = async (button: string, passphrase: string): Promise<Uint8Array> => {
      await tab.getByLabel('Passphrase', { exact: true }).fill(passphrase);
      await tab.getByLabel('Repeat it').fill(passphrase);
      const saving = tab.waitForEvent('download');
      await tab.getByRole('button', { name: button }).click();
      const path = join(tempFolder(), 'recovery.json');
      await (await saving).saveAs(path);
      return (await openRecoveryFile(readFileSync(path, 'utf8'), passphrase)).master;
    };
    await tab.goto(pageUrl);
    await tab.getByRole('button', { name: 'Make my key' }).click();
    const first = await save('Make my key and save the file', PASSPHRASE);
    await tab.getByRole('button', { name: 'Save it again' }).click();
    expect(await save('Save the file again', 'another passphrase')).toEqual(first);
    // The control: another visitor makes another key.
    await tab.reload();
    await tab.getByRole('button', { name: 'Make my key' }).click();
    expect(await save('Make my key and save the file', PASSPHRASE)).not.toEqual(first);
    await tab.context().close();
  });

  it('owner A claims a camera by a link, and sees its events with opened pictures', async () => {
    recovery.set(a, await a.makeKey(pageUrl, PASSPHRASE));
    await a.page.getByRole('heading', { name: 'Add your first camera' }).waitFor();
    await a.page.goto(`${pageUrl}#claim=${cameras[0]?.code ?? ''}`);
    await expect.poll(() => a.page.url()).toBe(pageUrl);
    await a.claimCamera(cameras[0]?.code ?? '', 'Front door');
    const card = a.page.locator('.card').first();
    await card.locator('img').waitFor({ timeout: limitMs(20_000) });
    await a.page.waitForFunction(() => document.querySelectorAll('.card img').length >= 2, undefined, {
      timeout: limitMs(20_000),
    });
    expect(await card.locator('img').evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(320);
    // Only what is not intact has a word on a card.
    expect(await card.getByText('Verified').count()).toBe(0);
    expect(await card.innerText()).toContain('Front door');
    await a.page.getByText('All signed by your cameras, nothing missing').waitFor();
    expect(await a.page.getByRole('status').innerText()).toContain('Live');
  });

  it("opens an event by keyboard, with its time in the viewer's time zone and the evidence for it", async () => {
    await a.page.locator('.card-button').first().focus();
    await a.page.keyboard.press('Enter');
    const dialog = a.page.getByRole('dialog');
    await dialog.locator('img').waitFor();
    expect(await dialog.innerText()).toContain('CET');
    expect(await dialog.getByText('Verified', { exact: true }).count()).toBe(1);
    expect(await dialog.innerText()).toContain('Your camera signed this, nothing was changed');
    await dialog.getByText('How this page knows').click();
    expect(await dialog.innerText()).toContain(cameras[0]?.device ?? '?');
    const title = await dialog.locator('p.muted').first().innerText();
    await a.page.keyboard.press('ArrowRight');
    await expect.poll(() => dialog.locator('p.muted').first().innerText()).not.toBe(title);
    await a.screenshot('event');
    await a.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
  });

  it('owner B sees the events of their own camera, on a phone, in the dark theme', async () => {
    recovery.set(b, await b.makeKey(pageUrl, PASSPHRASE));
    await b.page.getByRole('button', { name: 'Add a camera' }).click();
    await b.claimCamera((cameras[1]?.code ?? '').toLowerCase(), 'The garden behind the house, by the old shed');
    await b.page
      .locator('.card img')
      .first()
      .waitFor({ timeout: limitMs(20_000) });
    expect(await b.page.locator('body').innerText()).not.toContain('Front door');
    const cut = await b.page
      .locator('.card-text')
      .evaluateAll((all) => all.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).length);
    expect(cut).toBe(0);
  });

  it("owner B, with A's ids and even A's sealed bytes, gets only refusals and ciphertext", async () => {
    const { master } = await openRecoveryFile(recovery.get(b) ?? '', PASSPHRASE);
    const keys = ownerKeys(tweetnaclSuite, master);
    const client = new CloudClient({
      suite: tweetnaclSuite,
      clock: realClock,
      keys,
      cloudOrigin: cloud.origin,
      pageOrigin: new URL(pageUrl).origin,
      fetch: (url, init) => fetch(url, init),
    });
    const deviceA = fromHex(cameras[0]?.device ?? '', 32) ?? new Uint8Array(32);
    const records = await cloud.store.records.page(deviceA, 1, 1e9, 100);
    const pictured = records
      .map(({ bytes }) => openSigned(anyRecordKind, tweetnaclSuite, bytes).value)
      .find(({ media }) => media?.[0]?.role === 'thumbnail');
    const media = pictured?.media?.[0];
    if (pictured?.event === undefined || media === undefined) throw new Error('no picture of A');

    expect(await client.cameras()).toHaveLength(1);
    expect(await asyncCodeOf(() => client.records(deviceA, 1, null, 10))).toBe('not-found');
    expect(await asyncCodeOf(() => client.media(deviceA, 1, media.id))).toBe('not-found');

    const { sealed } = (await cloud.store.records.media(deviceA, 1, media.id)) ?? {};
    if (sealed === undefined) throw new Error('no sealed picture of A');
    const { periodId } = decodeObjectHeader(sealed.header);
    const { account, claimHash, event } = pictured;
    const period = { device: deviceA, account, epoch: 1, claimHash, periodId };
    const keyRecord = await cloud.store.records.keyRecord(deviceA, 1, periodId);
    const { key } = openSigned(anyRecordKind, tweetnaclSuite, keyRecord?.record.bytes ?? new Uint8Array(0)).value;
    const openAs = async (kemSeed: Uint8Array): Promise<SealedContent> => {
      const opened = await openPeriod({
        suite: tweetnaclSuite,
        context: period,
        commit: key?.commit ?? new Uint8Array(0),
        body: keyRecord?.sealed?.body ?? new Uint8Array(0),
        recipients: 1,
        own: 0,
        decapsulate: (enc) => xwingKeys(tweetnaclSuite, kemSeed).decapsulate(enc),
      });
      return decodeContent(opened.open({ ...period, eventId: event.id, mediaId: media.id, role: 'thumbnail' }, sealed));
    };
    expect(await asyncCodeOf(() => openAs(keys.kemSeed))).toBe('seal-refused');
    expect(Buffer.from(sealed.body).includes(Buffer.from([0xff, 0xd8, 0xff]))).toBe(false);
    // The control: A's own key opens the same bytes.
    const own = ownerKeys(tweetnaclSuite, (await openRecoveryFile(recovery.get(a) ?? '', PASSPHRASE)).master);
    expect((await openAs(own.kemSeed)).jpeg?.[0]).toBe(0xff);
  });

  it("raises an alarm and shows nothing of A when the cloud sends A's answers to B", async () => {
    const mixedUp = await Visitor.arrive(browser);
    await mixedUp.makeKey(pageUrl, PASSPHRASE);
    const answersOfA = await a.page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
    expect(answersOfA.some((url) => url.endsWith('/v1/cameras'))).toBe(true);
    // Answer B's requests with what A would get: crossed sessions in the cloud.
    const keysA = ownerKeys(tweetnaclSuite, (await openRecoveryFile(recovery.get(a) ?? '', PASSPHRASE)).master);
    const ofA = await rawAnswers(cloud.origin, new URL(pageUrl).origin, keysA);
    await mixedUp.page.route('**/v1/cameras', (route) =>
      route.fulfill({
        status: 200,
        contentType: 'application/json',
        body: ofA.cameras,
        headers: { 'access-control-allow-origin': '*' },
      }),
    );
    // What comes with the session is crossed too; the token stays B's own.
    await mixedUp.page.route('**/v1/session', async (route) => {
      const response = await route.fetch();
      const own = (await response.json()) as Record<string, unknown>;
      await route.fulfill({ response, json: { ...own, first: ofA.first } });
    });
    await mixedUp.page.reload();
    await mixedUp.page.getByText('The cloud sent something that contradicts what your cameras signed').waitFor();
    expect(await mixedUp.page.locator('.card img').count()).toBe(0);
    await until('the operator knows', async () =>
      (await cloud.store.alarms.since(0, 10)).some(({ place, verdict }) => place === 'app' && verdict === 'foreign'),
    );
    await mixedUp.screenshot('alarm');
    await mixedUp.context.close();
  });

  it('raises an alarm for a swapped sealed object and does not show it', async () => {
    const deviceA = cameras[0]?.device ?? '';
    await b.page.route('**/media/*', async (route) => {
      const id = fromHex(deviceA, 32) ?? new Uint8Array(32);
      const records = await cloud.store.records.page(id, 1, 1e9, 100);
      const { media } =
        records
          .map(({ bytes }) => openSigned(anyRecordKind, tweetnaclSuite, bytes).value)
          .find((value) => value.media?.[0]?.role === 'thumbnail') ?? {};
      const stored = await cloud.store.records.media(id, 1, media?.[0]?.id ?? new Uint8Array(16));
      const { encodeCbor } = await import('../../../protocol/wire/cbor.js');
      const body = Buffer.from(
        encodeCbor([stored?.sealed.header ?? new Uint8Array(0), stored?.sealed.body ?? new Uint8Array(0)]),
      );
      await route.fulfill({
        status: 200,
        contentType: 'application/cbor',
        body,
        headers: { 'access-control-allow-origin': '*' },
      });
    });
    await b.page
      .getByText('Not shown: this is not the picture your camera signed')
      .first()
      .waitFor({ timeout: limitMs(20_000) });
    await b.page.getByText('The cloud sent something that contradicts what your cameras signed').waitFor();
    await b.page.unroute('**/media/*');
  });

  it('fits a desktop and a phone, in light and dark', async () => {
    await until('enough events', async () => (await a.page.locator('.card img').count()) >= 6, 60_000);
    await a.page.locator('h1').scrollIntoViewIfNeeded();
    await a.page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await a.screenshot('events-desktop');
    await a.page.emulateMedia({ colorScheme: 'dark' });
    await a.screenshot('events-dark');
    await a.page.emulateMedia({ colorScheme: 'light' });
    await a.page.setViewportSize({ width: 390, height: 844 });
    await a.screenshot('events-phone');
    // Nothing overflows to the side.
    expect(await a.page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await a.page.setViewportSize({ width: 1280, height: 860 });
  });

  it('shows that the cloud is down, keeps what was verified, and reconnects by itself', async () => {
    const before = await a.page.locator('.card').count();
    await cloud.stop();
    await a.page.getByText('The cloud does not answer').waitFor({ timeout: limitMs(20_000) });
    expect(await a.page.locator('.card').count()).toBeGreaterThanOrEqual(before);
    expect(await a.page.getByRole('status').innerText()).not.toContain('Live');
    await a.screenshot('offline');
    cloud = new TestCloud(folder, httpPort, broker, { pageOrigin: new URL(pageUrl).origin });
    await cloud.start();
    await expect.poll(() => a.page.getByRole('status').innerText(), { timeout: limitMs(45_000) }).toContain('Live');
  });

  it('shows the health that each camera signed', async () => {
    await a.page.getByRole('button', { name: 'Cameras', exact: true }).click();
    await a.screenshot('cameras');
    await a.openMore();
    await a.page.getByText('Set by the network').waitFor({ timeout: limitMs(20_000) });
    const card = await a.page.locator('.camera').first().innerText();
    for (const fact of ['Front door', 'Running', 'Waiting to be sent', '41.5 °C']) expect(card).toContain(fact);
    await a.screenshot('camera-more');
    await a.page.getByRole('button', { name: 'Rename' }).click();
    await a.page.getByLabel('Name of the camera').fill('Porch');
    await a.page.getByRole('button', { name: 'Save' }).click();
    await a.page.getByRole('heading', { name: 'Porch' }).waitFor();
    await a.page.getByRole('button', { name: 'Events', exact: true }).click();
    await a.page.locator('.card').first().getByText('Porch').waitFor();
  });

  it('shows the access log, and exports everything in a file that verifies', async () => {
    await a.page.getByRole('button', { name: 'Settings', exact: true }).click();
    await a.page.getByRole('button', { name: 'Show the log' }).click();
    await a.page.getByText('Nobody but you').waitFor();
    const saving = a.page.waitForEvent('download');
    await a.page.getByRole('button', { name: 'Export everything' }).click();
    const path = join(folder, 'export.jsonl');
    await (await saving).saveAs(path);
    const { verifyExport } = await import('../../../agent/cli/verify-export.js');
    const report = verifyExport(tweetnaclSuite, readFileSync(path, 'utf8').split('\n'));
    expect(report.problems).toEqual([]);
    expect(report.verdicts.intact).toBeGreaterThan(5);
    await a.page.getByRole('button', { name: 'Events', exact: true }).click();
  });

  it('is restored on another device with the recovery file', async () => {
    const other = await Visitor.arrive(browser);
    await other.page.goto(pageUrl);
    await other.page.getByRole('button', { name: 'I have a recovery file' }).click();
    await other.page.getByLabel('File').setInputFiles({
      name: 'sealcam-recovery.json',
      mimeType: 'application/json',
      buffer: Buffer.from(recovery.get(a) ?? ''),
    });
    await other.page.getByLabel('Passphrase').fill('not the right words');
    await other.page.getByRole('button', { name: 'Restore my key' }).click();
    await other.page.getByText('The passphrase does not open this file').waitFor({ timeout: limitMs(20_000) });
    await other.page.getByLabel('Passphrase').fill(PASSPHRASE);
    await other.page.getByRole('button', { name: 'Restore my key' }).click();
    await other.page
      .locator('.card img')
      .first()
      .waitFor({ timeout: limitMs(20_000) });
    // Another file is saved under a passphrase that is typed twice, and holds the same key.
    await other.page.getByRole('button', { name: 'Settings', exact: true }).click();
    const save = other.page.getByRole('button', { name: 'Save a recovery file' });
    await other.page.getByLabel('Passphrase', { exact: true }).fill('1212121212');
    await other.page.getByText('This one repeats a few characters').waitFor();
    expect(await save.isDisabled()).toBe(true);
    await other.page.getByLabel('Passphrase', { exact: true }).fill('quite another passphrase');
    await other.page.getByLabel('Repeat it').fill('quite another passphrasf');
    await save.click();
    await other.page.getByRole('alert').getByText('The two passphrases differ').waitFor();
    await other.page.getByLabel('Repeat it').fill('quite another passphrase');
    const saving = other.page.waitForEvent('download');
    await save.click();
    const path = join(folder, 'second-recovery.json');
    await (await saving).saveAs(path);
    expect((await openRecoveryFile(readFileSync(path, 'utf8'), 'quite another passphrase')).master).toEqual(
      (await openRecoveryFile(recovery.get(a) ?? '', PASSPHRASE)).master,
    );
    expect(other.complaints).toEqual([]);
    await other.context.close();
  });

  it('has no barrier that a program finds: light, dark, forced colours, 200 and 400 %, without motion', async () => {
    // 640 and 320 px wide is what 1280 px show at 200 and 400 %.
    const modes = [
      { width: 1280, media: { colorScheme: 'light' } },
      { width: 1280, media: { colorScheme: 'dark' } },
      { width: 1280, media: { forcedColors: 'active' } },
      { width: 640, media: { reducedMotion: 'reduce' } },
      { width: 320, media: { colorScheme: 'light', reducedMotion: 'reduce' } },
    ] as const;
    const { page } = a;
    for (const { width, media } of modes) {
      await page.setViewportSize({ width, height: 860 });
      await page.emulateMedia({ colorScheme: null, forcedColors: null, reducedMotion: null, ...media });
      for (const view of ['Events', 'Cameras', 'Settings']) {
        await page.getByRole('navigation').getByRole('button', { name: view, exact: true }).click();
        await page.waitForTimeout(300);
        const found = {
          barriers: await barriers(page),
          wide: await tooWide(page),
          moving: await page.evaluate(
            () => document.getAnimations().filter((one) => one.playState === 'running').length,
          ),
        };
        const moving = 'reducedMotion' in media ? 0 : found.moving;
        expect({ width, media, view, ...found }).toEqual({ width, media, view, barriers: [], wide: [], moving });
        if (width === 320 || 'forcedColors' in media) {
          await a.screenshot(`${width === 320 ? 'narrow' : 'forced-colours'}-${view.toLowerCase()}`);
        }
      }
    }
    await page.setViewportSize({ width: 1280, height: 860 });
    await page.emulateMedia({ colorScheme: 'dark', forcedColors: null, reducedMotion: null });
    await page.getByRole('navigation').getByRole('button', { name: 'Events', exact: true }).click();
    // The control: text that is too pale is found, and a picture that says nothing to who cannot see it.
    await a.page.evaluate(() => {
      const pale = document.createElement('p');
      pale.id = 'pale';
      pale.textContent = 'pale';
      pale.style.color = '#333a44';
      pale.append(document.createElement('img'));
      document.querySelector('main')?.append(pale);
    });
    const found = await barriers(a.page);
    const kinds = found.map((line) => line.split(':')[0]).toSorted();
    expect(kinds).toEqual([expect.stringMatching(/^1\.\d\d$/), 'color-contrast', 'image-alt']);
    await a.page.evaluate(() => document.querySelector('#pale')?.remove());
    await a.page.emulateMedia({ colorScheme: 'light' });
  });

  it('sent requests only to its own origin and the cloud, and logged no errors', () => {
    expect([...a.requests].sort()).toEqual([new URL(pageUrl).origin, cloud.origin].sort());
    const unexpected = [...a.complaints, ...b.complaints].filter(
      (text) => !/ERR_CONNECTION_REFUSED|net::|CORS/.test(text),
    );
    expect(unexpected).toEqual([]);
  });

  it('takes no key from a link, except in the page of the demo', async () => {
    const plain = join(folder, 'plain');
    const demo = join(folder, 'demo');
    await buildPage({ outFolder: plain, cloudOrigin: '', demo: false });
    await buildPage({ outFolder: demo, cloudOrigin: '', demo: true });
    const scripts = (built: string): string =>
      readdirSync(join(built, 'assets'))
        .filter((name) => name.endsWith('.js'))
        .map((name) => readFileSync(join(built, 'assets', name), 'utf8'))
        .join('\n');
    expect(scripts(plain)).not.toContain('demo-owner');
    expect(scripts(demo)).toContain('demo-owner');
    const html = readFileSync(join(plain, 'index.html'), 'utf8');
    expect(html).toContain("default-src 'none'");
    expect(html).not.toMatch(/unsafe-inline|unsafe-eval|https:\/\//);
  });

  if (process.env['SEALCAM_SCREENSHOTS'] === '1') {
    it('for the pictures in docs/screens: the events of four cameras in different places', async () => {
      for (const { name, script } of CAMERAS_FOR_PICTURES) {
        const camera = new TestAgent(join(folder, name), broker.port, script);
        camera.agent.start();
        cameras.push(camera);
        await a.page.goto(`${pageUrl}#claim=${camera.code}`);
        await a.claimCamera(camera.code, name);
      }
      // The camera at the front door has been seen in every other picture.
      await cameras.shift()?.agent.stop();
      await until(
        'eight events of the other cameras',
        async () => {
          const cards = (await a.page.locator('.card').allInnerTexts()).slice(0, 8);
          return cards.length === 8 && cards.every((text) => !text.includes('Porch'));
        },
        200_000,
      );
      await a.page.locator('h1').scrollIntoViewIfNeeded();
      await a.page.evaluate(() => (document.activeElement as HTMLElement).blur());
      await a.screenshot('events-desktop');
      await a.page.emulateMedia({ colorScheme: 'dark' });
      await a.screenshot('events-dark');
      await a.page.emulateMedia({ colorScheme: 'light' });
      await a.page.setViewportSize({ width: 390, height: 844 });
      await a.screenshot('events-phone');
    }, 300_000);
  }
});

async function rawAnswers(
  origin: string,
  pageOrigin: string,
  keys: ReturnType<typeof ownerKeys>,
): Promise<{ readonly cameras: string; readonly first: unknown }> {
  let cameras = '';
  let first: unknown = null;
  const client = new CloudClient({
    suite: tweetnaclSuite,
    clock: realClock,
    keys,
    cloudOrigin: origin,
    pageOrigin,
    firstRecords: FIRST_ANSWER_RECORDS,
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (url.endsWith('/v1/cameras')) cameras = await response.clone().text();
      if (url.endsWith('/v1/session')) ({ first } = (await response.clone().json()) as { first: unknown });
      return response;
    },
  });
  await client.cameras();
  expect(first).not.toBeNull();
  return { cameras, first };
}
