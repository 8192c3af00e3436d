import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { realClock } from '../../../common/adapters/real-clock.js';
import { embedded, type TestBroker } from '../../support/engines/brokers.js';
import { freePort, hostPage, launch, Visitor } from '../../support/engines/browser.js';
import { barriers } from '../../support/engines/accessibility.js';
import { keptFolder } from '../../support/runner/temp.js';
import { BUSY, TestAgent } from '../../support/worlds/test-agent.js';
import { TestCloud } from '../../support/worlds/test-cloud.js';
import { describeWith } from '../../support/engines/tools.js';
import { until } from '../../support/runner/wait.js';
import { limitMs } from '../../support/runner/speed.js';

const SENTENCE = 'We are investigating a fault. Your cameras keep recording.';
/** How soon the page promises to show events again. */
const RESUME_WITHIN_MS = 60_000;

describeWith('chromium', 'the kill switch in the page', () => {
  const folder = keptFolder();
  let browser: Browser;
  let broker: TestBroker;
  let cloud: TestCloud;
  let page: { stop: () => Promise<void> };
  let camera: TestAgent;
  let owner: Visitor;

  const cards = (): Promise<number> => owner.page.locator('.card').count();
  const pause = (): Promise<void> =>
    cloud.store.reads.pause({ account: null, sentence: SENTENCE, sinceMs: realClock.wallMs() });

  beforeAll(async () => {
    browser = await launch();
    broker = embedded(folder, await freePort());
    await broker.start();
    const httpPort = await freePort();
    const pagePort = await freePort();
    const pageUrl = `http://127.0.0.1:${String(pagePort)}/`;
    cloud = new TestCloud(folder, httpPort, broker, { pageOrigin: new URL(pageUrl).origin });
    await cloud.start();
    page = await hostPage(join(folder, 'page'), cloud.origin, pagePort);
    camera = new TestAgent(join(folder, 'a'), broker.port, BUSY);
    camera.agent.start();
    owner = await Visitor.arrive(browser);
    await owner.makeKey(pageUrl, 'four unrelated test words');
    await owner.page.getByRole('button', { name: 'Add a camera' }).click();
    await owner.claimCamera(camera.code, 'Front door');
    await owner.page
      .locator('.card img')
      .first()
      .waitFor({ timeout: limitMs(30_000) });
  });

  afterAll(async () => {
    await browser.close();
    await page.stop();
    await camera.agent.stop();
    await cloud.stop();
    await broker.stop();
  });

  it("shows the operator's message without an alarm, keeps what was verified, and shows nothing new while records are receipted", async () => {
    await pause();
    await owner.page.getByText(SENTENCE).waitFor({ timeout: limitMs(20_000) });
    expect(await owner.page.getByRole('status').innerText()).toBe('Paused');
    expect(await owner.page.getByRole('alert').allInnerTexts()).toEqual([]);
    const shown = await cards();
    expect(shown).toBeGreaterThan(0);
    const { receipted } = camera.agent.outbox.totals();
    const produced = camera.agent.counters.get('events.start');
    await until('two more events were receipted', () => {
      const { receipted: now } = camera.agent.outbox.totals();
      return now > receipted && camera.agent.counters.get('events.start') >= produced + 2;
    });
    expect(await cards()).toBe(shown);
    expect(await owner.page.locator('.card img').count()).toBe(shown);
    expect(await owner.page.getByText(SENTENCE).count()).toBe(1);
    for (const scheme of ['light', 'dark'] as const) {
      await owner.page.emulateMedia({ colorScheme: scheme });
      expect(await barriers(owner.page)).toEqual([]);
    }
    await owner.screenshot('paused');
  });

  it('shows the message, and no events, to a page that is opened during the pause', async () => {
    await owner.page.reload();
    await owner.page.getByText(SENTENCE).waitFor({ timeout: limitMs(20_000) });
    expect(await cards()).toBe(0);
    await owner.page.getByRole('button', { name: 'Settings', exact: true }).click();
    await owner.page.getByRole('button', { name: 'Show the log' }).click();
    // Other panels that ask the cloud say it too.
    const log = owner.page.locator('.panel', { hasText: 'Who was shown what' });
    await log.getByText('[reads-paused]').waitFor();
    await owner.page.getByRole('button', { name: 'Events', exact: true }).click();
  });

  it('continues by itself within a minute, with the events recorded during the pause', async () => {
    await cloud.store.reads.resume(null, realClock.wallMs());
    await owner.page
      .locator('.card img')
      .first()
      .waitFor({ timeout: limitMs(RESUME_WITHIN_MS) });
    await expect.poll(() => owner.page.getByRole('status').innerText()).toBe('Live');
    expect(await owner.page.getByText(SENTENCE).count()).toBe(0);
    const seen = await cards();
    await until('new events come', async () => (await cards()) > seen, RESUME_WITHIN_MS);
    expect(owner.complaints).toEqual([]);
  });
});
