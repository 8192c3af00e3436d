import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Visitor } from '../../support/engines/browser.js';
import { describeWith } from '../../support/engines/tools.js';
import { WholePage } from '../../support/engines/whole-page.js';
import { keptFolder } from '../../support/runner/temp.js';

/** More than the page leaves to its first events before it starts its worker. */
const UNTIL_WORKER_MS = 5000;

describeWith('chromium', 'the service worker', () => {
  const folder = keptFolder();
  let world: WholePage;
  let owner: Visitor;

  beforeAll(async () => {
    world = await WholePage.open(folder);
    owner = await Visitor.arrive(world.browser);
    await owner.page.clock.install();
    await owner.restoreKey(world.url, new Uint8Array(32).fill(7), 'four unrelated test words');
    await owner.page.getByRole('heading', { name: 'Add your first camera' }).waitFor();
  });

  afterAll(() => world.stop());

  const workers = (): string[] => owner.context.serviceWorkers().map((worker) => worker.url());

  it('starts once the events are there, not before, and serves the page that is open', async () => {
    expect(workers()).toEqual([]);
    await owner.page.clock.fastForward(UNTIL_WORKER_MS);
    await expect.poll(workers).toEqual([`${world.url}sw.js`]);
    const controller = (): Promise<string | undefined> =>
      owner.page.evaluate(() => navigator.serviceWorker.controller?.scriptURL);
    await expect.poll(controller).toBe(`${world.url}sw.js`);
    expect(owner.complaints).toEqual([]);
  });

  it('is one file that imports nothing', () => {
    expect(readFileSync(join(folder, 'page', 'sw.js'), 'utf8')).not.toMatch(/\bimport\b|importScripts/);
  });
});
