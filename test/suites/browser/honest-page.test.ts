import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Locator } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { realClock } from '../../../common/adapters/real-clock.js';
import { embedded, type TestBroker } from '../../support/engines/brokers.js';
import { freePort, hostPage, launch, Visitor } from '../../support/engines/browser.js';
import { barriers } from '../../support/engines/accessibility.js';
import { StallingFront } from '../../support/engines/stalling-front.js';
import { describeWith } from '../../support/engines/tools.js';
import { limitMs } from '../../support/runner/speed.js';
import { keptFolder } from '../../support/runner/temp.js';
import { BUSY, QUIET, TestAgent } from '../../support/worlds/test-agent.js';
import { TestCloud } from '../../support/worlds/test-cloud.js';

const PASSPHRASE = 'four unrelated test words';
/** More than two pings of the stream. */
const SILENCE_MS = 31_000;
/** More than two health cadences. */
const CAMERA_SILENCE_MS = 31 * 60_000;
const VERIFIED_BEFORE = 'was verified before';

/**
 * The page over a cloud that dies without a word, pauses, or knows less than it seems, on a phone. Each test continues from
 * the one before. The page's clock is moved on where a person would wait.
 */
describeWith('chromium', 'a page that tells no half-truths', () => {
  const folder = keptFolder();
  const cameras: TestAgent[] = [];
  let browser: Browser;
  let broker: TestBroker;
  let cloud: TestCloud;
  let front: StallingFront;
  let page: { stop: () => Promise<void> };
  let pageUrl = '';
  let recovery = '';
  let owner: Visitor;

  beforeAll(async () => {
    browser = await launch();
    broker = embedded(folder, await freePort());
    await broker.start();
    const httpPort = await freePort();
    const frontPort = await freePort();
    const pagePort = await freePort();
    pageUrl = `http://127.0.0.1:${String(pagePort)}/`;
    const origin = `http://127.0.0.1:${String(frontPort)}`;
    cloud = new TestCloud(folder, httpPort, broker, { pageOrigin: new URL(pageUrl).origin, origin });
    await cloud.start();
    front = new StallingFront(frontPort, httpPort);
    await front.start();
    page = await hostPage(join(folder, 'page'), cloud.origin, pagePort);
    for (const [name, script] of [['door', BUSY] as const, ['shed', QUIET] as const]) {
      const camera = new TestAgent(join(folder, name), broker.port, script);
      camera.agent.start();
      cameras.push(camera);
    }
    owner = await Visitor.arrive(browser, { phone: true });
    await owner.page.clock.install();
    recovery = await owner.makeKey(pageUrl, PASSPHRASE);
    for (const [i, name] of ['Front door', 'Shed'].entries()) {
      await owner.page.goto(`${pageUrl}#claim=${cameras[i]?.code ?? ''}`);
      await owner.claimCamera(cameras[i]?.code ?? '', name);
    }
  });

  afterAll(async () => {
    await browser.close();
    await page.stop();
    for (const camera of cameras) await camera.agent.stop();
    await front.stop();
    await cloud.stop();
    await broker.stop();
  });

  const tab = (name: string): Promise<void> =>
    owner.page.getByRole('navigation').getByRole('button', { name, exact: true }).click();
  const status = (): Promise<string> => owner.page.getByRole('banner').getByRole('status').innerText();
  const isLive = (): Promise<void> => expect.poll(status, { timeout: limitMs(45_000) }).toContain('Live');
  const isOffline = (): Promise<void> => expect.poll(status, { timeout: limitMs(10_000) }).toContain('Offline');
  const camera = (name: string, visitor = owner): Locator => visitor.page.locator('.camera', { hasText: name });
  const text = (): Promise<string> => owner.page.locator('body').innerText();
  it('is not live over a cloud from which nothing comes any more', async () => {
    await owner.page
      .locator('.card img')
      .first()
      .waitFor({ timeout: limitMs(30_000) });
    await isLive();
    front.stall();
    await owner.page.clock.fastForward(SILENCE_MS);
    await isOffline();
    expect(await text()).toContain(VERIFIED_BEFORE);
    await owner.screenshot('dead-cloud');
    front.resume();
    await isLive();
  });

  it('is offline when the device is, and live again when the network is back, at once', async () => {
    await owner.context.setOffline(true);
    await isOffline();
    await owner.page.getByText('This device is offline').waitFor();
    await owner.context.setOffline(false);
    await isLive();
  });

  it('says on a cold start that nothing is loaded, over a dead cloud and during a pause', async () => {
    front.stall();
    await owner.page.reload();
    await expect.poll(status).toContain('Connecting');
    await owner.page.clock.fastForward(SILENCE_MS);
    await owner.page.getByRole('heading', { name: 'Not loaded yet' }).waitFor();
    expect(await text()).not.toContain(VERIFIED_BEFORE);
    await owner.screenshot('cold-start');
    const sentence = 'We are looking into a fault.';
    await cloud.store.reads.pause({ account: null, sentence, sinceMs: realClock.wallMs() });
    front.resume();
    await owner.page.getByRole('heading', { name: 'Paused' }).waitFor({ timeout: limitMs(45_000) });
    expect(await text()).not.toContain(VERIFIED_BEFORE);
    await cloud.store.reads.resume(null, realClock.wallMs());
    await isLive();
  });

  it('says that a picture could not be opened, and opens it when asked', async () => {
    await owner.page.route('**/media/*', (route) =>
      route.fulfill({
        status: 503,
        json: { error: { code: 'store-unavailable', message: 'the store is busy', hint: '' } },
        headers: { 'access-control-allow-origin': '*' },
      }),
    );
    await owner.page.reload();
    const broken = owner.page.locator('.card', { hasText: 'Could not be opened: the store is busy' }).first();
    await broken.waitFor({ timeout: limitMs(30_000) });
    await broken.locator('.card-button').click();
    const dialog = owner.page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Try again' }).waitFor();
    await owner.page.unroute('**/media/*');
    await dialog.getByRole('button', { name: 'Try again' }).click();
    await dialog.locator('img').waitFor();
    await owner.page.keyboard.press('Escape');
  });

  it('shows the picture that was asked for where it was asked for', async () => {
    await tab('Cameras');
    const card = camera('Front door');
    await card.getByRole('button', { name: 'Picture now' }).click();
    await card.locator('.ordered img').waitFor({ timeout: limitMs(30_000) });
    await card.getByText('The camera took a picture').waitFor();
    await card.locator('.ordered').scrollIntoViewIfNeeded();
    await owner.screenshot('picture-now');
  });

  it('shows the zones and the sensitivity that the camera accepted, after a reload too', async () => {
    const card = camera('Front door');
    const { page: view } = owner;
    await owner.openMore(card);
    await card.locator('summary', { hasText: 'Motion' }).click();
    const set = card.getByRole('button', { name: /^Set( |:)/ });
    // Nothing was changed, so there is nothing to order.
    for (const button of await set.all()) expect(await button.isDisabled()).toBe(true);
    await card.locator('.zone-picture img').waitFor({ timeout: limitMs(30_000) });
    for (const position of [
      { x: 20, y: 20 },
      { x: 200, y: 20 },
      { x: 110, y: 120 },
    ]) {
      await card.locator('.zone-picture svg').click({ position });
    }
    await card.getByLabel('Name of the zone').fill('door');
    await card.getByRole('button', { name: 'Close the zone' }).click();
    await card.getByRole('button', { name: 'Set 1 zone' }).click();
    await card.getByText('Motion counts in door').waitFor({ timeout: limitMs(30_000) });
    await card.getByLabel('Sensitivity').fill('70');
    await card.getByRole('button', { name: 'Set the sensitivity' }).click();
    await card.getByText('Sensitivity is now 70').waitFor({ timeout: limitMs(30_000) });
    await view.reload();
    await tab('Cameras');
    await owner.openMore(card);
    await card.locator('summary', { hasText: 'Motion' }).click();
    const zones = card.locator('.zone-picture polygon:not(.zone-now)');
    await expect.poll(() => zones.count(), { timeout: limitMs(30_000) }).toBe(1);
    expect(await card.getByLabel('Sensitivity').inputValue()).toBe('70');
    // Once the camera's newest answer is loaded.
    const inForce = card.getByText('In force: the camera accepted this');
    await expect.poll(() => inForce.count(), { timeout: limitMs(30_000) }).toBe(2);
    expect(await card.getByRole('button', { name: 'Set: everywhere' }).count()).toBe(0);
    await card.locator('.zone-picture').scrollIntoViewIfNeeded();
    await owner.screenshot('zones-in-force');
  });

  it('shows in another browser what the first one ordered, as the camera says it, and when', async () => {
    const second = await Visitor.arrive(browser, { phone: true });
    const path = join(folder, 'recovery.json');
    writeFileSync(path, recovery);
    await second.page.goto(pageUrl);
    await second.page.getByRole('button', { name: 'I have a recovery file' }).click();
    await second.page.getByLabel('File').setInputFiles(path);
    await second.page.getByLabel('Passphrase').fill(PASSPHRASE);
    await second.page.getByRole('button', { name: 'Restore my key' }).click();
    await second.page
      .getByRole('navigation')
      .getByRole('button', { name: 'Cameras', exact: true })
      .click({ timeout: limitMs(30_000) });
    const card = camera(cameras[0]?.device ?? '?', second);
    await second.openMore(card);
    await card.locator('summary', { hasText: 'In force' }).click();
    const row = (setting: string): Locator => card.locator(`[data-setting="${setting}"]`);
    await row('zones').filter({ hasText: 'ordered by you on' }).waitFor();
    expect(await row('zones').innerText()).toContain('door');
    expect(await row('sensitivity').innerText()).toContain('70');
    expect(await row('masks').innerText()).toContain('the camera’s own setting');
    expect(await row('schedules').innerText()).toContain('this camera has none');
    await card.locator('summary', { hasText: 'Motion' }).click();
    expect(await card.locator('.zone-picture polygon:not(.zone-now)').count()).toBe(1);
    expect(await card.getByLabel('Sensitivity').inputValue()).toBe('70');
    expect(await card.getByRole('button', { name: 'Set: everywhere' }).count()).toBe(0);
    await row('zones').scrollIntoViewIfNeeded();
    await second.screenshot('in-force');
    expect(second.complaints).toEqual([]);
    await second.context.close();
  });

  it('deletes one event, says when it is erased, and takes it back', async () => {
    await tab('Events');
    const card = owner.page.locator('.card', { hasText: 'Snapshot' }).first();
    await card.locator('.card-button').click();
    const dialog = owner.page.getByRole('dialog');
    await dialog.getByText('Delete this event').click();
    await dialog.getByRole('button', { name: 'Delete it' }).scrollIntoViewIfNeeded();
    await owner.screenshot('delete-event');
    await dialog.getByRole('button', { name: 'Delete it' }).click();
    const line = owner.page.locator('.silences', { hasText: 'Deleted:' });
    await line.waitFor();
    await expect.poll(() => card.count()).toBe(0);
    await line.scrollIntoViewIfNeeded();
    await owner.screenshot('deleted-event');
    await line.getByRole('button', { name: 'Undo' }).click();
    await card.waitFor();
    expect(await line.count()).toBe(0);
  });

  it("folds the owner's own reads into one line of the access log", async () => {
    await tab('Settings');
    await owner.page.getByRole('button', { name: 'Show the log' }).click();
    await owner.page.getByText('Nobody but you').waitFor();
    const log = owner.page.locator('.panel', { hasText: 'Who was shown what' });
    const lines = await log.locator('.access li').allInnerTexts();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^You, \d+ reads/);
  });

  it('deletes the account in two steps, and keeps it when asked', async () => {
    await owner.page.getByText('Delete my account').first().click();
    await owner.page.getByText('Forget my key on this device').click();
    await owner.page.getByText('This browser loses, for good').waitFor();
    await owner.page.getByText('This browser loses, for good').scrollIntoViewIfNeeded();
    expect(await barriers(owner.page)).toEqual([]);
    await owner.screenshot('delete-account');
    await owner.page.getByLabel('Type “delete” to confirm').fill('delete');
    await owner.page.getByRole('button', { name: 'Delete my account' }).click();
    const banner = owner.page.locator('.banners', { hasText: 'You deleted your account' });
    await banner.waitFor();
    // Another visit learns it from the cloud.
    await owner.page.reload();
    await banner.waitFor();
    await owner.screenshot('deleted-account');
    await owner.page.getByRole('button', { name: 'Undo: keep my account' }).click();
    await banner.waitFor({ state: 'hidden' });
  });

  it('names a camera that died under Events, and says at once that it is away', async () => {
    await isLive();
    await cameras.splice(1, 1)[0]?.agent.stop();
    await owner.page.clock.fastForward(CAMERA_SILENCE_MS);
    await tab('Events');
    const line = owner.page.locator('.silences p', { hasText: 'Shed' });
    await line.waitFor({ timeout: limitMs(45_000) });
    expect(await line.innerText()).toMatch(/was last heard .* ago: from .* on nothing came/);
    await line.scrollIntoViewIfNeeded();
    await owner.screenshot('silent-camera');
    await tab('Cameras');
    const card = camera('Shed');
    await card.getByText('Silent · last heard').waitFor();
    await card.getByRole('button', { name: 'Picture now' }).click();
    await card.getByText('The camera is away, last heard').waitFor({ timeout: limitMs(5000) });
    await owner.page.clock.fastForward(21_000);
    await card.getByText('The camera did not answer').waitFor({ timeout: limitMs(45_000) });
    await card.getByText('It is offline. Give the order again when it is back.').waitFor();
  });

  it('puts a released camera away on this device, and shows it again', async () => {
    const card = camera('Front door');
    await owner.openMore(card);
    await card.getByText('Give this camera away').click();
    await card.getByLabel('Type “release” to confirm').fill('release');
    await card.getByRole('button', { name: 'Release it' }).click();
    await card.getByRole('button', { name: 'Put it away' }).click({ timeout: limitMs(30_000) });
    await card.waitFor({ state: 'hidden' });
    await owner.page.reload();
    await tab('Events');
    await owner.page
      .locator('.card', { hasText: 'Front door' })
      .first()
      .waitFor({ timeout: limitMs(30_000) });
    await tab('Cameras');
    await camera('Shed').waitFor();
    expect(await card.count()).toBe(0);
    await owner.page.getByText('Put away (1)').click();
    await owner.page.getByText('Put away (1)').scrollIntoViewIfNeeded();
    await owner.screenshot('put-away');
    await owner.page.getByRole('button', { name: 'Show again' }).click();
    await card.waitFor();
    expect(await barriers(owner.page)).toEqual([]);
    expect(await owner.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    expect(owner.complaints.filter((line) => !/ERR_|net::|CORS/.test(line))).toEqual([]);
  });
});
