import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { realClock } from '../../../common/adapters/real-clock.js';
import { verifyPageCommand } from '../../../agent/cli/verify-page.js';
import type { Output } from '../../../agent/cli/output.js';
import { formatMakerKey } from '../../../protocol/page/minisign.js';
import { buildPage } from '../../../scripts/build-page.js';
import { checkout } from '../../../scripts/checkout.js';
import { freePort } from '../../../scripts/free-port.js';
import { servePage } from '../../../scripts/page-server.js';
import { asyncCodeOf } from '../../support/codes.js';
import { run } from '../../support/engines/command.js';
import { describeWith, program } from '../../support/engines/tools.js';
import { makerSecret, makerSecretFile } from '../../support/maker-key.js';
import { afterThisTest } from '../../support/runner/after-test.js';
import { keptFolder, tempFolder } from '../../support/runner/temp.js';

const maker = makerSecret(1);
const KEY = formatMakerKey(maker.key);
const built = keptFolder();

const page = (outFolder: string, number: number, secret = maker): Promise<unknown> =>
  buildPage({
    outFolder,
    cloudOrigin: 'https://cloud.example',
    demo: false,
    maker: { key: secret.key, secret, number },
  });

beforeAll(() => page(built, 7));

/** A copy of the page, for one test to alter. */
function copy(): string {
  const folder = tempFolder();
  cpSync(built, folder, { recursive: true });
  return folder;
}

/** Alters one byte of a file and of nothing beside it, as the host would: its compressed forms go. */
function alter(folder: string, path: string, change: (text: string) => string = (text) => `${text} `): void {
  writeFileSync(join(folder, path), change(readFileSync(join(folder, path), 'latin1')), 'latin1');
  for (const end of ['.br', '.gz']) rmSync(join(folder, `${path}${end}`), { force: true });
}

async function host(folder: string): Promise<string> {
  const port = await freePort();
  const server = await servePage(folder, port);
  afterThisTest(() => server.close());
  return `http://127.0.0.1:${String(port)}/`;
}

async function hostOf(answer: RequestListener): Promise<string> {
  const port = await freePort();
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  afterThisTest(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${String(port)}/`;
}

interface Verified {
  readonly status: number;
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  readonly last: Readonly<Record<string, unknown>>;
}

async function verify(url: string, { key = KEY, least = 0 } = {}): Promise<Verified> {
  const lines: Readonly<Record<string, unknown>>[] = [];
  const output: Output = { json: true, printLine: () => undefined, emit: (value) => lines.push(value) };
  const status = await verifyPageCommand({ page: url, key, least }, output, { fetch, clock: realClock });
  return { status, lines, last: lines.at(-1) ?? {} };
}

const badOf = ({ lines }: Verified): string[] =>
  lines
    .filter(({ finding = 'same' }) => finding !== 'same')
    .map(({ path, finding }) => `${String(finding)} ${String(path)}`);

describe('sealcam verify --page', () => {
  it("finds the maker's page the same, compressed on the way or not, the worker first", async () => {
    const url = await host(built);
    const verified = await verify(url);
    expect(verified).toMatchObject({ status: 0, last: { ok: true, number: 7, altered: 0 } });
    expect(verified.lines[0]).toEqual({ path: 'sw.js', finding: 'same' });
    // What travels compressed is compared as a browser sees it.
    expect((await fetch(`${url}sw.js`)).headers.get('content-encoding')).not.toBeNull();
    const plain = copy();
    execFileSync('find', [plain, '-name', '*.br', '-o', '-name', '*.gz', '-delete']);
    expect((await verify(await host(plain))).status).toBe(0);
  });

  it.each(['sw.js', 'icon.svg', 'icons/icon-192.png', 'manifest.webmanifest'])('names an altered %s', async (path) => {
    const folder = copy();
    alter(folder, path);
    const verified = await verify(await host(folder));
    expect(verified).toMatchObject({ status: 3, last: { ok: false, altered: 1 } });
    expect(badOf(verified)).toEqual([`altered ${path}`]);
  });

  it('names a script that an altered index.html loads, and the index.html at both of its addresses', async () => {
    const folder = copy();
    alter(folder, 'index.html', (html) => html.replace('</head>', '<script src="./more.js"></script></head>'));
    writeFileSync(join(folder, 'more.js'), '');
    expect(badOf(await verify(await host(folder)))).toEqual(['altered index.html', 'altered ./', 'unlisted more.js']);
  });

  it('names another page that is served at the address that people open, with the true one beside it', async () => {
    const url = await hostOf((request, response) => {
      const path = request.url === '/' ? null : (request.url ?? '').slice(1);
      response.end(path === null ? 'another' : readFileSync(join(built, path)));
    });
    expect(badOf(await verify(url))).toEqual(['altered ./']);
  });

  it('names a missing file, and one that is longer than any may be', async () => {
    const folder = copy();
    for (const end of ['', '.br', '.gz']) rmSync(join(folder, `icon.svg${end}`));
    alter(folder, 'sw.js', (text) => text + ' '.repeat(5_000_000));
    expect(badOf(await verify(await host(folder)))).toEqual(['altered sw.js', 'missing icon.svg']);
  });

  it('refuses an altered list, another maker, and a page without a list', async () => {
    const folder = copy();
    alter(folder, 'page-list.json');
    const url = await host(folder);
    expect(await asyncCodeOf(() => verify(url))).toBe('bad-signature');
    expect(await asyncCodeOf(async () => verify(await host(built), { key: formatMakerKey(makerSecret(2).key) }))).toBe(
      'foreign',
    );
    const unsigned = tempFolder();
    await buildPage({ outFolder: unsigned, cloudOrigin: '', demo: false });
    expect(await asyncCodeOf(async () => verify(await host(unsigned)))).toBe('not-found');
  });

  it('notices an older page by its number', async () => {
    const url = await host(built);
    expect(await verify(url, { least: 7 })).toMatchObject({ status: 0 });
    expect(await verify(url, { least: 8 })).toMatchObject({ status: 3, last: { old: true, altered: 0, ok: false } });
  });

  it('follows a redirect on the same origin, and to no other', async () => {
    const url = await host(built);
    const same = await hostOf((request, response) => {
      const path = (request.url ?? '').slice(1);
      if (path.startsWith('page/')) response.end(readFileSync(join(built, path.slice(5) || 'index.html')));
      else response.writeHead(302, { location: `/page/${path}` }).end();
    });
    expect(await verify(same)).toMatchObject({ status: 0 });
    const elsewhere = await hostOf((request, response) => {
      response.writeHead(302, { location: url + (request.url ?? '').slice(1) }).end();
    });
    expect(await asyncCodeOf(() => verify(elsewhere))).toBe('foreign');
  });

  it('says that the host is away, and never that the page is altered', async () => {
    const port = await freePort();
    expect(await asyncCodeOf(() => verify(`http://127.0.0.1:${String(port)}/`))).toBe('cloud-unreachable');
    const broken = await hostOf((request, response) => {
      const path = (request.url ?? '').slice(1);
      if (path === 'icon.svg') response.writeHead(503).end();
      else response.end(readFileSync(join(built, path || 'index.html')));
    });
    expect(await asyncCodeOf(() => verify(broken))).toBe('cloud-unreachable');
  });

  it('is a command with an exit status, below a path too', () => {
    expect(run('sealcam', ['verify', '--page', 'nowhere', '--key', KEY]).status).toBe(2);
    expect(run('sealcam', ['verify', '--page', 'https://home.example/']).status).toBe(2);
    expect(run('sealcam', ['verify']).status).toBe(2);
  });

  it('compares a page below a path', async () => {
    const url = await hostOf((request, response) => {
      const path = /^\/of\/home\/(.*)$/.exec(request.url ?? '')?.[1];
      if (path === undefined) response.writeHead(404).end();
      else response.end(readFileSync(join(built, path || 'index.html')));
    });
    for (const end of ['of/home', 'of/home/', 'of/home/index.html']) {
      expect(await verify(url + end)).toMatchObject({ status: 0 });
    }
    expect(await asyncCodeOf(() => verify(url))).toBe('not-found');
  });
});

describeWith('minisign', 'minisign itself', () => {
  const minisign = (...args: readonly string[]): string =>
    execFileSync(program('minisign'), args, { encoding: 'utf8', stdio: 'pipe' });

  it('verifies the signature of a built page, and refuses an altered list', () => {
    const list = join(built, 'page-list.json');
    expect(minisign('-V', '-m', list, '-P', KEY)).toContain('sealcam page');
    const folder = copy();
    alter(folder, 'page-list.json');
    expect(() => minisign('-V', '-m', join(folder, 'page-list.json'), '-P', KEY)).toThrow();
  });

  it('makes keys and signatures that are taken here, and takes the key that is written here', async () => {
    const keys = tempFolder();
    const [publicKey, secretKey] = [join(keys, 'maker.pub'), join(keys, 'maker.key')];
    minisign('-G', '-W', '-p', publicKey, '-s', secretKey);
    const out = join(keys, 'page');
    const built = (...args: readonly string[]): string =>
      execFileSync(process.execPath, [join(checkout, 'dist/scripts/page.js'), '--out', out, '--number', '9', ...args], {
        encoding: 'utf8',
      });
    const [, key = ''] = readFileSync(publicKey, 'utf8').split('\n');
    expect(built('--key', secretKey)).toContain(key);
    const url = await host(out);
    expect(await verify(url, { key: publicKey })).toMatchObject({ status: 0, last: { number: 9 } });
    // Signed by the maker's own hand, as for a key with a password.
    expect(built('--maker-key', publicKey)).toContain('minisign -S');
    expect(await asyncCodeOf(() => verify(url, { key }))).toBe('not-found');
    minisign('-S', '-W', '-s', secretKey, '-m', join(out, 'page-list.json'));
    expect(await verify(url, { key })).toMatchObject({ status: 0 });
    const ours = join(keys, 'ours.key');
    writeFileSync(ours, makerSecretFile(1));
    minisign('-S', '-W', '-s', ours, '-m', join(out, 'page-list.json'));
    expect(minisign('-V', '-m', join(out, 'page-list.json'), '-P', KEY)).toContain('verified');
  });
});
