import { build } from 'esbuild';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { toHex } from '../../../common/bytes.js';
import { freePort, hostPage, launch } from '../../support/engines/browser.js';
import { describeWith } from '../../support/engines/tools.js';
import { keptFolder } from '../../support/runner/temp.js';
import { pageTrials, type Trial } from '../../support/seal-vectors.js';
import { repository } from '../../support/vectors.js';

const CONTRACT = 'test/support/contracts/opener-in-browser.ts';

/** Returns openings as the contract's script reads them: bytes do not pass from a test into a browser. */
function textOf(openings: readonly Trial[]): string {
  return JSON.stringify(openings, (_name, value: unknown) =>
    value instanceof Uint8Array ? `bytes:${value.join()}` : value,
  );
}

/** The page's own files and policies, with the contract's script in place of the page's. */
describeWith('chromium', 'the worker that opens what is sealed', () => {
  const folder = keptFolder();
  let browser: Browser;
  let page: Page;
  let host: { stop: () => Promise<void> };
  let url = '';

  beforeAll(async () => {
    const port = await freePort();
    host = await hostPage(folder, '', port);
    await build({
      entryPoints: [join(repository, CONTRACT)],
      outfile: join(folder, 'contract.js'),
      bundle: true,
      format: 'esm',
      external: ['crypto'],
      logLevel: 'warning',
    });
    const html = readFileSync(join(folder, 'index.html'), 'utf8').replace(/src="[^"]+\.js"/, 'src="contract.js"');
    writeFileSync(join(folder, 'contract.html'), html);
    writeFileSync(join(folder, 'open.html'), html.replace(/<meta\s+http-equiv[^>]+>/, ''));
    url = `http://127.0.0.1:${String(port)}/`;
    browser = await launch();
  });

  afterAll(async () => {
    await browser.close();
    await host.stop();
  });

  const load = async (path = 'contract.html'): Promise<void> => {
    page = await browser.newPage();
    await page.goto(url + path);
  };

  /** Splits them by key: a page has one worker, with one key. */
  const groups = (): Trial[][] => {
    const byKey = new Map<string, Trial[]>();
    for (const opening of pageTrials()) {
      const { recipient, kemSeed } = opening.keys;
      const key = toHex(recipient.secret) + toHex(kemSeed);
      byKey.set(key, [...(byKey.get(key) ?? []), opening]);
    }
    return [...byKey.values()];
  };

  it('opens and refuses every vector of both suites as the page itself does, with the same words', async () => {
    let opened = 0;
    for (const openings of groups()) {
      await load();
      const text = textOf(openings);
      const there = await page.evaluate((given) => window.openThere(given), text);
      expect(there).toEqual(await page.evaluate((given) => window.openHere(given, 'browser'), text));
      expect(there).toEqual(await page.evaluate((given) => window.openHere(given, 'library'), text));
      for (const [i, { name, refusal }] of openings.entries()) {
        const outcome = there[i] ?? '';
        expect([name, refusal === null ? outcome.startsWith('{"detail"') : outcome.split(':')[0]]).toEqual([
          name,
          refusal ?? true,
        ]);
        if (refusal === null) opened++;
      }
      await page.close();
    }
    expect(opened).toBe(pageTrials().filter(({ refusal }) => refusal === null).length);
  });

  it.each(['the file is missing', 'the browser has no workers'])('is done without where %s', async (why) => {
    await load();
    if (why === 'the file is missing') await page.route('**/opener-*.js', (route) => route.abort());
    else await page.evaluate('delete window.Worker');
    const [openings = []] = groups();
    const text = textOf(openings);
    const asPage = await page.evaluate((given) => window.openAsPage(given), text);
    expect(asPage).toEqual(await page.evaluate((given) => window.openHere(given, 'library'), text));
    await page.close();
  });

  it('is the only one that the policy of the page lets start', async () => {
    await load();
    expect(await page.evaluate(() => window.tryOtherScripts())).toEqual([]);
    await page.close();
    // The control: the same page without its policy.
    await load('open.html');
    expect(await page.evaluate(() => window.tryOtherScripts())).toHaveLength(4);
    await page.close();
  });

  it('can send nothing', async () => {
    const sends = async (): Promise<string> => {
      const [openings = []] = groups();
      await page.evaluate((given) => window.openThere(given), textOf(openings));
      const [worker] = page.workers();
      return worker?.evaluate(`fetch('/').then(() => 'sent', () => 'refused')`) ?? 'no worker';
    };
    await load();
    expect(await sends()).toBe('refused');
    await page.close();
    // The control: a host that leaves out the header.
    await load();
    await page.route('**/opener-*.js', async (route) => {
      const response = await route.fetch();
      const { 'content-security-policy': _, ...headers } = response.headers();
      await route.fulfill({ response, headers });
    });
    expect(await sends()).toBe('sent');
    await page.close();
  });
});
