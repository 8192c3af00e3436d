import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launch } from '../../support/engines/browser.js';
import { describeWith } from '../../support/engines/tools.js';
import { keptFolder } from '../../support/runner/temp.js';
import { Site } from '../../campaigns/page/site.js';
import { Owner } from '../../campaigns/page/visit.js';

const CAMERAS = 2;
const EVENTS = 400;

describeWith('chromium', 'the page with many events', () => {
  const folder = keptFolder();
  let browser: Browser;
  let site: Site;
  let owner: Owner;

  beforeAll(async () => {
    browser = await launch();
    site = await Site.open({ folder, cameras: CAMERAS, events: EVENTS / CAMERAS, progress: () => undefined });
    owner = await Owner.arrive(browser, site);
  });

  afterAll(async () => {
    await browser.close();
    await site.close();
  });

  it('shows an event and its picture on a slow line', async () => {
    const visit = await owner.visit({ kbitPerSecond: 5000, latencyMs: 50 }, true);
    expect(visit.firstPaintMs).toBeLessThanOrEqual(visit.firstEventMs);
    expect(visit.firstEventMs).toBeLessThanOrEqual(visit.firstPictureMs);
    expect(visit.bytes).toBeGreaterThan(0);
  });

  it('keeps what is there in sight while another camera is loading', async () => {
    const { page } = owner;
    let answer = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route('**/v1/session', async (route) => {
      const response = await route.fetch();
      const json = (await response.json()) as { first: { cameras: { page: unknown }[] } };
      const last = json.first.cameras.at(-1);
      if (last !== undefined) last.page = null;
      await route.fulfill({ response, json });
    });
    await page.route('**/records?*', async (route) => {
      await held;
      await route.continue();
    });
    await page.goto(site.pageUrl);
    const loading = page.getByRole('list', { name: 'Loading events' });
    const lists = page.locator('.day, [aria-label="Loading events"]');
    const names = (): Promise<string[]> => lists.evaluateAll((all) => all.map((one) => one.ariaLabel ?? ''));
    await expect.poll(async () => (await names()).indexOf('Loading events')).toBeGreaterThan(0);
    answer();
    await loading.waitFor({ state: 'detached' });
    await page.unrouteAll();
  });

  it('draws the events near the visible part, and every one that is scrolled to', async () => {
    const { page } = owner;
    const drawn = (): Promise<number> => page.locator('.card').count();
    await owner.loadAll(() => undefined);
    const blocks = page.locator('.block');
    await expect.poll(() => blocks.count()).toBeGreaterThanOrEqual(EVENTS / 60);
    await expect.poll(drawn).toBeLessThan(EVENTS / 2);
    const names = (): Promise<string[]> =>
      page.locator('.card-text').evaluateAll((all) => all.map((one) => one.textContent));
    const seen = new Set<string>();
    for (let i = 0; i < (await blocks.count()); i++) {
      await blocks.nth(i).evaluate((block) => {
        block.scrollIntoView();
      });
      await expect.poll(() => blocks.nth(i).locator('.card').count()).toBeGreaterThan(0);
      for (const name of await names()) seen.add(name);
    }
    expect(seen.size).toBe(EVENTS);
  });

  it('shows a new event at the top, and takes what it draws from there', async () => {
    expect((await owner.change(0)).cpuMs).toBeGreaterThan(0);
    expect(await owner.page.locator('.card').first().innerText()).toContain('Happening now');
  });
});
