import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Visitor } from '../../support/engines/browser.js';
import { describeWith } from '../../support/engines/tools.js';
import { WholePage } from '../../support/engines/whole-page.js';
import { keptFolder } from '../../support/runner/temp.js';

/** More than the page leaves to its first events before it loads the rest. */
const UNTIL_PRELOAD_MS = 5000;

/** What the page loads when. Each test continues from the one before. */
describeWith('chromium', 'the parts of the page', () => {
  const folder = keptFolder();
  let world: WholePage;
  let owner: Visitor;
  /** Names of the scripts that were asked for since the page was last opened. */
  let asked: string[] = [];
  let arrived: string[] = [];

  beforeAll(async () => {
    world = await WholePage.open(folder);
    owner = await Visitor.arrive(world.browser);
    await owner.page.clock.install();
    const scriptOf = (url: string): string[] => /\/assets\/(.*\.js)$/.exec(url)?.slice(1) ?? [];
    owner.page.on('request', (request) => asked.push(...scriptOf(request.url())));
    owner.page.on('requestfinished', (request) => arrived.push(...scriptOf(request.url())));
    await owner.restoreKey(world.url, new Uint8Array(32).fill(7), 'four unrelated test words');
  });

  afterAll(() => world.stop());

  const open = async (): Promise<void> => {
    asked = [];
    arrived = [];
    // A reload would open the view that the address names.
    await owner.page.goto('about:blank');
    await owner.page.goto(world.url);
    await owner.page.getByRole('heading', { name: 'Add your first camera' }).waitFor();
  };
  const tab = (name: string): Promise<void> =>
    owner.page.getByRole('navigation').getByRole('button', { name, exact: true }).click();
  const heading = (name: string): Promise<void> =>
    owner.page.getByRole('heading', { name, level: 1, exact: true }).waitFor();
  const wasAsked = (part: string): boolean => asked.some((name) => name.startsWith(`${part}-`));

  it('shows the events with the scripts that index.html names, and no other', async () => {
    await open();
    const html = readFileSync(join(folder, 'page', 'index.html'), 'utf8');
    const named = [...html.matchAll(/assets\/([^"]+\.js)"/g)].map(([, name = '']) => name);
    expect(named.length).toBeGreaterThan(1);
    // The worker's comes after the events, with what it imports.
    const opener = named.find((name) => name.startsWith('opener-')) ?? '';
    const text = readFileSync(join(folder, 'page', 'assets', opener), 'utf8');
    const imported = [...text.matchAll(/"\.\/([^"]+\.js)"/g)].map(([, name = '']) => name);
    // This browser was restored from a file, which the page says: that note is a part of its own, drawn here.
    const scripts = readdirSync(join(folder, 'page', 'assets'));
    const note = scripts.filter((name) => /^restored-note-[^.]+\.js$/.test(name));
    expect(note).toHaveLength(1);
    await expect.poll(() => [...new Set(asked)].sort()).toEqual([...new Set([...named, ...imported, ...note])].sort());
    expect(owner.page.workers()).toHaveLength(1);
  });

  it('loads a view when it is opened', async () => {
    expect(wasAsked('cameras-view')).toBe(false);
    await tab('Cameras');
    await heading('Cameras');
    expect(wasAsked('cameras-view')).toBe(true);
    expect(wasAsked('settings-view')).toBe(false);
  });

  it('loads the rest once the events are there, so that it opens without a connection', async () => {
    await open();
    await owner.page.clock.fastForward(UNTIL_PRELOAD_MS);
    for (const part of ['cameras-view', 'settings-view', 'add-camera', 'add-member']) {
      await expect.poll(() => wasAsked(part)).toBe(true);
    }
    await expect.poll(() => asked.filter((name) => !arrived.includes(name))).toEqual([]);
    await owner.context.route(/\/assets\//, (route) => route.abort());
    await tab('Settings');
    await heading('Settings');
    await owner.context.unroute(/\/assets\//);
  });

  it('says so when a part cannot be loaded, and can be opened again', async () => {
    await owner.context.route(/settings-view/, (route) => route.abort());
    await open();
    await tab('Settings');
    const note = owner.page.getByRole('alert').filter({ hasText: 'This part of the page could not be loaded.' });
    await note.waitFor();
    await tab('Events');
    await heading('Add your first camera');
    await tab('Settings');
    await note.waitFor();
    await owner.context.unroute(/settings-view/);
    await note.getByRole('button', { name: 'Load the page again' }).click();
    await heading('Settings');
  });

  it('breaks no rule of its content security policy', () => {
    expect(owner.complaints.filter((text) => !text.includes('net::'))).toEqual([]);
  });
});
