import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { verifyPageCommand } from '../../../agent/cli/verify-page.js';
import { realClock } from '../../../common/adapters/real-clock.js';
import { utf8 } from '../../../common/bytes.js';
import type { PageState } from '../../../app/core/page-state.js';
import { formatMakerKey, signMinisign } from '../../../protocol/page/minisign.js';
import { formatPageList, type PageFile } from '../../../protocol/page/page-list.js';
import { buildPage } from '../../../scripts/build-page.js';
import { servePage } from '../../../scripts/page-server.js';
import { Visitor } from '../../support/engines/browser.js';
import { barriers } from '../../support/engines/accessibility.js';
import { describeWith } from '../../support/engines/tools.js';
import { WholePage } from '../../support/engines/whole-page.js';
import { makerSecret } from '../../support/maker-key.js';
import { keptFolder } from '../../support/runner/temp.js';

/** More than the page leaves to its first events before it starts its worker. */
const UNTIL_WORKER_MS = 5000;
const maker = makerSecret(1);

/** What the maker, an honest host and a bad one do to the files of a page in a folder. */
class Host {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), 'latin1');
  }

  /** Puts another file in place of one, and its compressed forms away. */
  write(path: string, text: string): void {
    writeFileSync(join(this.folder, path), text, 'latin1');
    for (const end of ['.br', '.gz']) rmSync(join(this.folder, `${path}${end}`), { force: true });
  }

  /** Signs the files that are there as a version. */
  sign(number: number, version: string, secret = maker): void {
    const { files } = JSON.parse(this.read('page-list.json')) as { readonly files: readonly PageFile[] };
    const listed = files.map(({ path }) => {
      const bytes = readFileSync(join(this.folder, path));
      return { path, length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
    });
    const list = formatPageList({ number, version, files: listed });
    this.write('page-list.json', list);
    this.write('page-list.json.minisig', signMinisign(secret, utf8(list), version));
  }

  /** Runs `sealcam verify --page`. Returns its status and what is not the maker's. */
  async verify(page: string): Promise<readonly (number | string)[]> {
    const bad: string[] = [];
    const emit = ({ path, finding = 'same' }: Readonly<Record<string, unknown>>): void => {
      if (finding !== 'same') bad.push(`${String(finding)} ${String(path)}`);
    };
    const output = { json: true, printLine: () => undefined, emit };
    const key = formatMakerKey(maker.key);
    return [await verifyPageCommand({ page, key }, output, { fetch, clock: realClock }), ...bad];
  }
}

/** An owner's browser that keeps the page. Each test continues from the one before. */
describeWith('chromium', 'the page that a browser keeps', () => {
  const folder = keptFolder();
  const files = join(folder, 'page');
  const host = new Host(files);
  let world: WholePage;
  let owner: Visitor;
  let server: FastifyInstance | null = null;

  beforeAll(async () => {
    world = await WholePage.open(folder);
    await buildPage({
      outFolder: files,
      cloudOrigin: world.cloud.origin,
      demo: false,
      maker: { key: maker.key, secret: maker, number: 1 },
    });
    owner = await Visitor.arrive(world.browser);
    await owner.page.clock.install();
    await owner.restoreKey(world.url, new Uint8Array(32).fill(7), 'four unrelated test words');
    await shown();
  });

  afterAll(async () => {
    await server?.close();
    await world.stop();
  });

  const shown = (): Promise<void> => owner.page.getByRole('heading', { name: 'Add your first camera' }).waitFor();
  const workers = (): string[] => owner.context.serviceWorkers().map((worker) => worker.url());
  /** What stands above the page about its own files. */
  const notes = (): Promise<string[]> => owner.page.locator('.page-notes .note').allInnerTexts();
  /** Opens the page again; it then looks at what the host offers. */
  const reload = async (): Promise<void> => {
    await owner.page.reload();
    await shown();
    await owner.page.clock.fastForward(UNTIL_WORKER_MS);
  };
  const check = (): Promise<PageState> =>
    owner.page.evaluate(async () => {
      const { active } = await navigator.serviceWorker.ready;
      const { port1, port2 } = new MessageChannel();
      const answered = new Promise<PageState>((resolve) => {
        port1.onmessage = ({ data }: MessageEvent<PageState>) => {
          resolve(data);
        };
      });
      active?.postMessage({ sealcamPage: 'check' }, [port2]);
      return answered;
    });
  /** Which page a visitor has, whatever it wrote over its title. */
  const title = (visitor: Visitor): Promise<string> =>
    visitor.page.evaluate(() => document.documentElement.dataset['title'] ?? 'sealcam');
  /** A browser that was never here: what the host serves reaches it as it is. */
  const stranger = async (): Promise<string> => {
    const visitor = await Visitor.arrive(world.browser);
    await visitor.page.goto(world.url);
    const seen = await title(visitor);
    await visitor.context.close();
    return seen;
  };

  it('is served by a worker that starts once the events are there, not before', async () => {
    expect(workers()).toEqual([]);
    await owner.page.clock.fastForward(UNTIL_WORKER_MS);
    await expect.poll(workers).toEqual([`${world.url}sw.js`]);
    const controller = (): Promise<string | undefined> =>
      owner.page.evaluate(() => navigator.serviceWorker.controller?.scriptURL);
    await expect.poll(controller).toBe(`${world.url}sw.js`);
    expect(await check()).toMatchObject({ isSigned: true, used: { number: 1 }, ready: null, refused: null });
    expect(await notes()).toEqual([]);
    expect(/^import\b|\bimport\(|importScripts\(/m.test(host.read('sw.js'))).toBe(false);
  });

  it('opens while its host is gone, every part of it', async () => {
    await world.host.stop();
    await owner.page.reload();
    await shown();
    await owner.page.getByRole('navigation').getByRole('button', { name: 'Settings' }).click();
    await owner.page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor();
    await owner.page.getByRole('navigation').getByRole('button', { name: 'Events' }).click();
    await shown();
    // A browser that keeps nothing sees nothing.
    await expect(stranger()).rejects.toThrow(/ERR_CONNECTION_REFUSED/);
    expect(await check()).toMatchObject({ used: { number: 1 }, refused: null });
    server = await servePage(files, Number(new URL(world.url).port));
    expect(await stranger()).toBe('sealcam');
  });

  it('is the same when the host alters a file of it, and a stranger gets what the host serves', async () => {
    const html = host.read('index.html');
    expect(await host.verify(world.url)).toEqual([0]);
    host.write('index.html', html.replace('<html', '<html data-title="altered"'));
    await reload();
    expect(await title(owner)).toBe('sealcam');
    expect(await stranger()).toBe('altered');
    expect(await host.verify(world.url)).toEqual([3, 'altered index.html', 'altered ./']);
    host.write('index.html', html);
  });

  it('does not take a newer page with an altered file, and says so', async () => {
    // What did not change is not asked for again.
    const icon = host.read('icon.svg').replace('#0f5c57', '#5c0f57');
    host.write('icon.svg', icon);
    host.sign(2, '0.2.0');
    host.write('icon.svg', `${icon}<!-- -->`);
    await reload();
    await expect.poll(notes).toEqual([expect.stringContaining('an altered file, icon.svg. It is not used.')]);
    expect(await check()).toMatchObject({ used: { number: 1 }, ready: null });
    host.write('icon.svg', icon);
    expect(await check()).toMatchObject({ used: { number: 1 }, ready: { number: 2 }, refused: null });
  });

  it('shows a newer page before it is used, and uses it when told', async () => {
    host.write('index.html', host.read('index.html').replace('<html', '<html data-title="newer"'));
    host.sign(3, '0.3.0');
    await reload();
    await expect.poll(notes).toEqual([expect.stringContaining('A new version 0.3.0 is ready.')]);
    await reload();
    expect(await title(owner)).toBe('sealcam');
    await expect.poll(notes).toHaveLength(1);
    for (const colorScheme of ['dark', 'light'] as const) {
      await owner.page.emulateMedia({ colorScheme });
      expect(await barriers(owner.page)).toEqual([]);
    }
    await owner.page.setViewportSize({ width: 360, height: 740 });
    expect(await owner.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    await owner.page.getByRole('complementary', { name: 'About this page' }).getByRole('button').click();
    await expect.poll(() => title(owner)).toBe('newer');
    await shown();
    expect(await check()).toMatchObject({ used: { version: '0.3.0', number: 3 }, ready: null, refused: null });
  });

  it.each([
    ['an older list', () => host.sign(2, '0.2.0'), 'older page'],
    ['a list of another maker', () => host.sign(4, '0.4.0', makerSecret(2)), 'did not sign'],
    ['another list with the number of the page in use', () => host.sign(3, '0.3.1'), 'two pages as one version'],
    ['no list', () => rmSync(join(files, 'page-list.json')), 'did not sign'],
  ])('refuses %s, says so, and goes on', async (_what, offer, words) => {
    const [list, signature] = [host.read('page-list.json'), host.read('page-list.json.minisig')];
    offer();
    await reload();
    await expect.poll(notes).toEqual([expect.stringContaining(words)]);
    expect(await title(owner)).toBe('newer');
    host.write('page-list.json', list);
    host.write('page-list.json.minisig', signature);
    expect(await check()).toMatchObject({ used: { number: 3 }, ready: null, refused: null });
    await expect.poll(notes).toEqual([]);
  });

  it('refuses a file that is gone from the browser and altered at the host, and an address that is not listed', async () => {
    const forget = (path: string): Promise<boolean[]> =>
      owner.page.evaluate(async (name) => {
        const all = await caches.keys();
        return Promise.all(all.map(async (key) => (await caches.open(key)).delete(new URL(name, location.href))));
      }, path);
    const icon = host.read('icon.svg');
    const visit = async (path: string): Promise<number | undefined> =>
      (await owner.page.goto(world.url + path))?.status();
    expect(await forget('icon.svg')).toContain(true);
    host.write('icon.svg', `${icon}<!-- -->`);
    expect(await visit('icon.svg')).toBe(502);
    host.write('icon.svg', icon);
    expect(await visit('icon.svg')).toBe(200);
    host.write('extra.html', '<title>extra</title>');
    expect(await visit('extra.html')).toBe(404);
    await owner.page.goto(world.url);
    await shown();
  });

  it('does not stop an altered sw.js, which verify --page names first', async () => {
    expect(await host.verify(world.url)).toEqual([0]);
    const bad = `addEventListener('install', () => skipWaiting());
      addEventListener('activate', (event) => event.waitUntil(clients.claim()));
      addEventListener('fetch', (event) => {
        if (event.request.mode === 'navigate') {
          event.respondWith(new Response('<html data-title="taken">', { headers: { 'content-type': 'text/html' } }));
        }
      });`;
    host.write('sw.js', bad);
    expect(await host.verify(world.url)).toEqual([3, 'altered sw.js']);
    // The browser fetches it past the worker that is there: by itself a moment after a visit, here at once.
    await owner.page.evaluate(async () => (await navigator.serviceWorker.ready).update());
    await expect
      .poll(
        async () => {
          await owner.page.goto(world.url, { waitUntil: 'commit' });
          return title(owner);
        },
        { interval: 1000 },
      )
      .toBe('taken');
  });
});
