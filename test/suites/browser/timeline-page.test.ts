import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launch, Visitor } from '../../support/engines/browser.js';
import { describeWith } from '../../support/engines/tools.js';
import { limitMs } from '../../support/runner/speed.js';
import { keptFolder } from '../../support/runner/temp.js';
import type { Site } from '../../campaigns/page/site.js';
import { openTimelineSite, TIMELINE_NAMES } from '../../campaigns/page/timeline-site.js';

const DAYS = 3;

/** The timeline, with three cameras and days of events. Each test continues from the one before. */
describeWith('chromium', 'the timeline', () => {
  let browser: Browser;
  let site: Site;
  let owner: Visitor;
  let page: Page;

  beforeAll(async () => {
    browser = await launch();
    site = await openTimelineSite({ folder: keptFolder(), days: DAYS });
    owner = await arrive();
    ({ page } = owner);
  });

  afterAll(async () => {
    await browser.close();
    await site.close();
  });

  /** An owner's browser that knows the cameras' names. */
  async function arrive(): Promise<Visitor> {
    const visitor = await Visitor.arrive(browser);
    await visitor.restoreKey(site.pageUrl, site.keys.master, 'four unrelated test words');
    await visitor.page.getByRole('button', { name: 'Understood' }).click();
    await tab('Cameras', visitor.page);
    for (const [i, device] of site.devices.entries()) {
      const card = visitor.page.locator('.camera', { hasText: device });
      await visitor.openMore(card);
      await card.getByRole('button', { name: 'Rename' }).click();
      await card.getByLabel('Name of the camera').fill(TIMELINE_NAMES[i] ?? '');
      await card.getByRole('button', { name: 'Save' }).click();
      await card.getByRole('heading', { name: TIMELINE_NAMES[i] ?? '' }).waitFor();
    }
    await tab('Events', visitor.page);
    await visitor.page.locator('.card img').first().waitFor();
    return visitor;
  }

  const tab = (name: string, where = page): Promise<void> =>
    where.getByRole('navigation').getByRole('button', { name, exact: true }).click();
  const hash = (): string => new URL(page.url()).hash;
  const dialog = () => page.getByRole('dialog');
  /** Opens an address as a link from elsewhere does. */
  const arriveAt = async (fragment: string): Promise<void> => {
    await page.goto('about:blank');
    await page.goto(site.pageUrl + fragment);
  };
  const focused = (): Promise<string | null> =>
    page.evaluate(() => document.activeElement?.closest('[data-event]')?.getAttribute('data-event') ?? null);

  it('has an address and a title for each view, and Back and Forward lead through them', async () => {
    await tab('Settings');
    await expect.poll(hash).toBe('#settings');
    await expect.poll(() => page.title()).toBe('Settings · sealcam');
    await page.goBack();
    await page.locator('.card').first().waitFor();
    await expect.poll(() => page.title()).toBe('Events · sealcam');
    await page.goBack();
    await page.getByRole('heading', { name: 'Cameras', level: 1 }).waitFor();
    expect(hash()).toBe('#cameras');
    await page.goForward();
    await page.goForward();
    await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor();
    await arriveAt('#cameras');
    await page.getByRole('heading', { name: 'Cameras', level: 1 }).waitFor();
    // The skip link is no address.
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(hash()).toBe('#cameras');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('content');
    await tab('Events');
  });

  it('opens an event at its own address, steps to its neighbours, and gives the focus back', async () => {
    const cards = page.locator('.card');
    const keys = await cards.evaluateAll((all) => all.slice(0, 3).map((card) => card.getAttribute('data-event') ?? ''));
    await cards.nth(1).locator('.card-button').focus();
    await page.keyboard.press('Enter');
    await dialog().locator('img').waitFor();
    expect(hash()).toBe(`#event=${keys[1] ?? '?'}`);
    await expect.poll(() => page.title()).toMatch(/^.*, .*20\d\d.* · sealcam$/);
    await page.keyboard.press('ArrowRight');
    await expect.poll(hash).toBe(`#event=${keys[2] ?? '?'}`);
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    await expect.poll(hash).toBe(`#event=${keys[0] ?? '?'}`);
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    await expect.poll(hash).toBe('#events');
    await expect.poll(focused).toBe(keys[0]);
    // Back closes it too, and Forward opens it again.
    await page.keyboard.press('Enter');
    await dialog().waitFor();
    await page.goBack();
    await dialog().waitFor({ state: 'detached' });
    await page.goForward();
    await dialog().waitFor();
    await dialog().getByRole('button', { name: 'Close' }).click();
    await expect.poll(focused).toBe(keys[0]);
  });

  it('zooms by keys, wheel, double click and buttons, and pans with the arrows while it is zoomed', async () => {
    await page.locator('.card-button').first().click();
    const frame = dialog().locator('.zoom');
    const zoom = async (): Promise<number> => Number(await frame.getAttribute('data-zoom'));
    await dialog().locator('img').waitFor();
    const opened = hash();
    await page.keyboard.press('+');
    await expect.poll(zoom).toBe(1.25);
    const moved = (): Promise<string> =>
      dialog()
        .locator('.zoom-inner')
        .evaluate((inner) => (inner as HTMLElement).style.transform);
    const before = await moved();
    await page.keyboard.press('ArrowRight');
    expect([(await moved()) === before, hash() === opened]).toEqual([false, true]);
    await page.keyboard.press('-');
    await expect.poll(zoom).toBe(1);
    await frame.hover();
    await page.mouse.wheel(0, -100);
    await expect.poll(zoom).toBe(1.25);
    await dialog().getByRole('button', { name: 'Whole picture' }).click();
    await expect.poll(zoom).toBe(1);
    await frame.dblclick();
    await expect.poll(zoom).toBe(2.5);
    await frame.dblclick();
    await expect.poll(zoom).toBe(1);
    await dialog().getByRole('button', { name: 'Zoom in' }).click();
    await expect.poll(zoom).toBe(1.25);
    await page.keyboard.press('0');
    await expect.poll(zoom).toBe(1);
    // A swipe asks for the older one.
    const box = await frame.boundingBox();
    if (box === null) throw new Error('no picture');
    await page.mouse.move(box.x + box.width * 0.7, box.y + 100);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.3, box.y + 104, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => hash() === opened).toBe(false);
    await dialog().getByText('Who saw this').click();
    await dialog().getByText('Nobody but you').waitFor();
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
  });

  it('filters by camera, kind, zone and what is not reviewed, and the address keeps it', async () => {
    const names = (): Promise<string[]> => page.locator('.card-name').allInnerTexts();
    await page.getByRole('group', { name: 'Camera' }).getByRole('button', { name: 'Garden' }).click();
    await expect.poll(async () => new Set(await names())).toEqual(new Set(['Garden']));
    expect(hash()).toBe(`#events&camera=${site.devices[2] ?? '?'}`);
    await page.goBack();
    await expect.poll(async () => new Set(await names()).size).toBe(3);
    await page.locator('.filter-more summary').click();
    await page.getByRole('button', { name: 'Snapshots' }).click();
    const labels = (): Promise<boolean> =>
      page.locator('.card-button').evaluateAll((all) => all.every((one) => one.textContent.includes('Snapshot')));
    await expect.poll(labels).toBe(true);
    await page.reload();
    await page.locator('.card').first().waitFor();
    expect([hash(), await labels()]).toEqual(['#events&kind=snapshot', true]);
    await page.getByRole('button', { name: 'Everything', exact: true }).click();
    await page.locator('.card img').first().waitFor();
    await page.getByLabel('Zone').selectOption('door');
    await page.getByText('of those loaded name this zone').waitFor();
    expect(hash()).toBe('#events&zone=door');
    const doors = await page.locator('.card').count();
    expect(doors).toBeGreaterThan(0);
    await page.getByRole('button', { name: 'Show everything' }).click();
    await expect.poll(() => page.locator('.card').count()).toBeGreaterThan(doors);
    // Those that were opened before are reviewed.
    const reviewed = page.locator('.card-reviewed');
    await expect.poll(() => reviewed.count()).toBeGreaterThan(0);
    await page.getByLabel('Only what is not reviewed').check();
    await expect.poll(() => reviewed.count()).toBe(0);
    await page.getByRole('button', { name: 'Show everything' }).click();
    expect(hash()).toBe('#events');
  });

  it('goes to another day, and through its hours by keyboard', async () => {
    await page.getByRole('button', { name: 'The day before' }).click();
    await page.locator('.day').first().getByRole('heading', { name: 'Yesterday' }).waitFor();
    expect(hash()).toMatch(/^#events&day=\d{4}-\d{2}-\d{2}$/);
    const slider = page.getByRole('slider', { name: 'Time of day' });
    await slider.focus();
    const text = async (): Promise<string> => (await slider.getAttribute('aria-valuetext')) ?? '';
    await page.keyboard.press('Home');
    await expect.poll(text).toMatch(/^00:00/);
    const inSight = (at: 0 | -1): Promise<boolean> =>
      page
        .locator('.day')
        .first()
        .locator('.card')
        .nth(at)
        .evaluate((card) => {
          const { top, bottom } = card.getBoundingClientRect();
          return bottom > 0 && top < innerHeight;
        });
    // The oldest of the day.
    await expect.poll(() => inSight(-1)).toBe(true);
    await page.keyboard.press('End');
    await expect.poll(text).toMatch(/^23:59/);
    await expect.poll(() => inSight(0)).toBe(true);
    await page.keyboard.press('PageDown');
    await page.keyboard.press('ArrowLeft');
    await expect.poll(text).toMatch(/^20:44, nothing in the hour from 20:00|^20:44, \d+ events? in the hour/);
    expect(await slider.evaluate((one) => one === document.activeElement)).toBe(true);
    await page.getByRole('button', { name: 'Newest' }).click();
    await page.locator('.day').first().getByRole('heading', { name: 'Today' }).waitFor();
    const strip = page
      .locator('.day')
      .first()
      .getByRole('img', { name: /\d+ events?( so far)?, most after \d\d:00/ });
    await strip.waitFor();
  });

  it('loads the event of an address that is not loaded, and says what is missing', async () => {
    await page.getByLabel('Jump to a date').fill(
      await page.evaluate((days) => {
        const day = new Date(Date.now() - days * 86_400_000);
        return day.toISOString().slice(0, 10);
      }, DAYS - 1),
    );
    await page.getByLabel('Jump to a date').blur();
    await expect.poll(hash).toContain('day=');
    await expect.poll(() => page.locator('.more').count(), { timeout: limitMs(30_000) }).toBe(0);
    const oldest = await page.locator('.card').last().getAttribute('data-event');
    await arriveAt(`#event=${oldest ?? '?'}`);
    await dialog().locator('img').waitFor();
    expect(hash()).toBe(`#event=${oldest ?? '?'}`);
    await dialog().getByRole('button', { name: 'Close' }).click();
    await expect.poll(hash).toBe('#events');
    const [device = ''] = site.devices;
    await arriveAt(`#event=${device}/1/${'0'.repeat(32)}`);
    await page.getByText('This event is not in your history').waitFor();
    await page.getByRole('button', { name: 'Show all events' }).click();
    await expect.poll(hash).toBe('#events');
    await arriveAt(`#event=${'0'.repeat(64)}/1/${'0'.repeat(32)}`);
    await page.getByText('of a camera that this browser does not know').waitFor();
    for (const strange of ['#event=1/2/3', '#nothing', '#events&kind=constructor']) {
      await arriveAt(strange);
      await page.getByText('That address names nothing on this page').waitFor();
      await page.locator('.card').first().waitFor();
    }
    await tab('Events');
  });

  it('says what is new since the visit before, marks it as reviewed, and takes that back', async () => {
    await arriveAt('');
    await page.getByText('Nothing new since your last visit').waitFor();
    await page.goto('about:blank');
    await site.sendEvent(0);
    await page.goto(site.pageUrl);
    await page.getByText('1 new since your last visit').waitFor();
    expect(await page.locator('.card').first().innerText()).toContain('New');
    await page.getByText('Seen until your last visit').waitFor();
    await page.getByRole('button', { name: 'Mark 1 as reviewed' }).click();
    await page.getByText('Nothing new since your last visit').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('1 new since your last visit').waitFor();
    await page.getByRole('button', { name: 'Mark 1 as reviewed' }).click();
    await page.reload();
    await page.getByText('Nothing new since your last visit').waitFor();
    expect(await page.locator('.card-reviewed').count()).toBeGreaterThan(0);
    expect(owner.complaints).toEqual([]);
  });
});
