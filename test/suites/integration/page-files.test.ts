import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildPage, type PageScript } from '../../../scripts/build-page.js';
import { freePort } from '../../../scripts/free-port.js';
import { servePage } from '../../../scripts/page-server.js';
import { pageWeight } from '../../../scripts/page-weight.js';
import { afterThisTest } from '../../support/runner/after-test.js';
import { keptFolder, tempFolder } from '../../support/runner/temp.js';

/** Compressed script before the first paint. */
const FIRST_PAINT_MAX_BYTES = 90_000;

const folder = keptFolder();
let scripts: readonly PageScript[] = [];

beforeAll(async () => {
  scripts = await buildPage({ outFolder: folder, cloudOrigin: 'https://cloud.example', demo: false });
});

/** The files of a built page, as paths below its folder. */
function filesOf(built: string): string[] {
  return readdirSync(built, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(built, path)).isFile())
    .sort();
}

const read = (path: string): Buffer => readFileSync(join(folder, path));
const firsts = (): readonly PageScript[] => scripts.filter(({ isFirst }) => isFirst);

describe('the built page', () => {
  it('names every file that it needs, and each is there', () => {
    const html = read('index.html').toString();
    expect(html).not.toContain('{{');
    const named = [...html.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, path = '']) => path);
    expect(named.filter((path) => !existsSync(join(folder, path)))).toEqual([]);
    // All that is needed at first is asked for at once, not file after file: the entry, what the worker shares, what the
    // opener of periods shares with both, and the rest.
    expect(named).toEqual(expect.arrayContaining(firsts().map(({ path }) => path)));
    expect(firsts()).toHaveLength(4);
    for (const { path } of scripts) {
      const imported = [
        ...read(path)
          .toString()
          .matchAll(/["'](\.\/[\w-]+\.js)["']/g),
      ].map(([, name = '']) => name);
      expect([path, imported.filter((name) => !existsSync(join(folder, 'assets', name)))]).toEqual([path, []]);
    }
  });

  it('is the same wherever it is built, to the byte, and keeps the files of one build only, and those of others', async () => {
    const other = tempFolder();
    mkdirSync(join(other, 'assets'));
    writeFileSync(join(other, 'assets', 'page-OLDBUILD.js'), '');
    for (const path of ['robots.txt', 'assets/logo.png', 'assets/index.js']) writeFileSync(join(other, path), '');
    await buildPage({ outFolder: other, cloudOrigin: 'https://cloud.example', demo: false });
    expect(filesOf(other)).toEqual([...filesOf(folder), 'robots.txt', 'assets/logo.png', 'assets/index.js'].sort());
    for (const path of filesOf(folder)) expect(readFileSync(join(other, path)).equals(read(path))).toBe(true);
  });

  it('has a compressed form of everything that is served as text, with the same content', () => {
    const texts = filesOf(folder).filter((path) => /\.(html|js|css|svg)$/.test(path));
    expect(texts.length).toBeGreaterThan(scripts.length);
    for (const path of texts) {
      expect(gunzipSync(read(`${path}.gz`)).equals(read(path))).toBe(true);
      expect(brotliDecompressSync(read(`${path}.br`)).equals(read(path))).toBe(true);
    }
  });
});

describe('the installed page', () => {
  interface Manifest {
    readonly start_url: string;
    readonly scope: string;
    readonly display: string;
    readonly icons: readonly { readonly src: string; readonly sizes: string; readonly purpose?: string }[];
  }

  it('has a manifest for any path, and icons of the sizes that it names', async () => {
    const manifest = JSON.parse(read('manifest.webmanifest').toString()) as Manifest;
    // Without an id the address is the id, so that two pages of one origin are two apps.
    expect(manifest).toMatchObject({ start_url: './', scope: './', display: 'standalone' });
    expect(manifest).not.toHaveProperty('id');
    expect(manifest.icons.map(({ purpose = 'any' }) => purpose)).toContain('maskable');
    for (const { src, sizes } of manifest.icons.filter(({ src }) => src.endsWith('.png'))) {
      const { width, height } = await sharp(read(src)).metadata();
      expect([src, `${String(width)}x${String(height)}`]).toEqual([src, sizes]);
    }
  });

  it('draws to the edge what systems cut themselves, and nothing else', async () => {
    const cornerOf = async (path: string): Promise<number> => {
      const { data, info } = await sharp(read(path)).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
      return data[info.channels - 1] ?? -1;
    };
    expect(await cornerOf('icons/maskable-512.png')).toBe(255);
    expect(await cornerOf('icons/apple-touch-icon.png')).toBe(255);
    expect(await cornerOf('icons/icon-512.png')).toBe(0);
  });
});

describe('the weight of the page', () => {
  it('is that of the files: what is loaded before the first paint, and in all', () => {
    const weight = pageWeight(scripts);
    const gzip = (some: readonly PageScript[]): number =>
      some.reduce((sum, { path }) => sum + gzipSync(read(path), { level: 9 }).length, 0);
    expect(weight.first_paint_gzip).toBe(gzip(firsts()));
    expect(weight.total_gzip).toBe(gzip(scripts));
    expect(weight.modules[0]?.bytes).toBeGreaterThan(weight.modules.at(-1)?.bytes ?? 0);
    expect(weight.modules.map(({ name }) => name)).toEqual(expect.arrayContaining(['app/ui', 'preact', 'valibot']));
  });

  it('is at most 90 kB before the first paint; the other views are not in it', () => {
    const { first_paint_gzip: first, total_gzip: total, modules } = pageWeight(scripts);
    expect(first).toBeLessThanOrEqual(FIRST_PAINT_MAX_BYTES);
    expect(total).toBeGreaterThan(first);
    // Draws QR codes, in the settings only.
    expect(modules.find(({ name }) => name === 'uqr')).toMatchObject({ first_paint_bytes: 0 });
    const later = scripts.filter(({ isFirst }) => !isFirst).flatMap(({ inputs }) => Object.keys(inputs));
    expect(later).toEqual(expect.arrayContaining(['app/ui/settings-view.tsx', 'app/ui/cameras-view.tsx']));
  });

  it('counts a script that is loaded at first, and one that is not, apart', () => {
    const script = (path: string, isFirst: boolean): PageScript => ({
      path,
      bytes: 3,
      gzipBytes: 2,
      isFirst,
      inputs: { 'node_modules/@a/b/c.js': 1, 'app/core/x.ts': 2 },
    });
    expect(pageWeight([script('a.js', true), script('b.js', false)])).toMatchObject({
      first_paint_gzip: 2,
      total_gzip: 4,
      modules: [
        { name: 'app/core', bytes: 4, first_paint_bytes: 2 },
        { name: '@a/b', bytes: 2, first_paint_bytes: 1 },
      ],
    });
  });
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** Asks as a browser does, and decompresses nothing. */
function ask(port: number, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

async function served(built: string): Promise<number> {
  const port = await freePort();
  const server = await servePage(built, port);
  afterThisTest(() => server.close());
  return port;
}

describe('the page as it is served', () => {
  it('travels compressed, in the form that the browser prefers', async () => {
    const port = await served(folder);
    // The largest: of a file of three lines brotli may make more than gzip.
    const [largest] = [...firsts()].sort((a, b) => b.bytes - a.bytes);
    for (const name of [largest?.path ?? '', 'index.html']) {
      const plain = await ask(port, `/${name}`);
      expect(plain.headers['content-encoding']).toBeUndefined();
      expect(plain.body.equals(read(name))).toBe(true);
      const gzip = await ask(port, `/${name}`, { 'accept-encoding': 'gzip' });
      expect(gzip.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
      expect(gunzipSync(gzip.body).equals(read(name))).toBe(true);
      const brotli = await ask(port, `/${name}`, { 'accept-encoding': 'gzip, br' });
      expect(brotli.headers).toMatchObject({ 'content-encoding': 'br', vary: 'accept-encoding' });
      expect(brotli.headers['content-type']).toBe(plain.headers['content-type']);
      expect(brotli.body.length).toBeLessThan(gzip.body.length);
    }
  });

  it('travels as it is where a compressed form is missing', async () => {
    const other = tempFolder();
    cpSync(folder, other, { recursive: true });
    for (const path of filesOf(other)) if (/\.(br|gz)$/.test(path)) rmSync(join(other, path));
    const port = await served(other);
    const { headers, body } = await ask(port, '/', { 'accept-encoding': 'gzip, br' });
    expect(headers['content-encoding']).toBeUndefined();
    expect(body.equals(read('index.html'))).toBe(true);
  });

  it('is kept for good where the name holds a hash, and else asked for again, which costs no body', async () => {
    const port = await served(folder);
    const policies = new Map<string, unknown>();
    for (const path of ['', 'index.html', 'icon.svg', ...scripts.map((script) => script.path)]) {
      const { status, headers } = await ask(port, `/${path}`, { 'accept-encoding': 'br' });
      expect([path, status]).toEqual([path, 200]);
      policies.set(path, headers['cache-control']);
      const again = await ask(port, `/${path}`, {
        'accept-encoding': 'br',
        'if-none-match': String(headers['etag']),
      });
      expect([path, again.status, again.body.length]).toEqual([path, 304, 0]);
    }
    for (const [path, policy] of policies) {
      const isHashed = path.startsWith('assets/');
      expect([path, policy]).toEqual([path, isHashed ? 'public, max-age=31536000, immutable' : 'no-cache']);
    }
  });

  it('keeps the headers that protect it', async () => {
    const port = await served(folder);
    const { headers } = await ask(port, '/', { 'accept-encoding': 'br' });
    expect(headers).toMatchObject({
      'content-security-policy': "frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    });
    // A worker has the policy that comes with its script.
    const [opener = ''] = /assets\/opener-[^"]+/.exec(readFileSync(join(folder, 'index.html'), 'utf8')) ?? [];
    expect((await ask(port, `/${opener}`, {})).headers).toMatchObject({
      'content-security-policy': "default-src 'none'; script-src 'self'",
      'x-content-type-options': 'nosniff',
    });
  });
});
