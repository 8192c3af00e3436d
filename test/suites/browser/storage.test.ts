import { build } from 'esbuild';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { servePage } from '../../../scripts/page-server.js';
import { freePort, launch } from '../../support/engines/browser.js';
import { tempFolder } from '../../support/runner/temp.js';
import { describeWith } from '../../support/engines/tools.js';
import { repository } from '../../support/vectors.js';

describeWith('chromium', 'app storage: IndexedDB', () => {
  it('passes the contract inside a browser', async () => {
    const folder = tempFolder();
    await build({
      entryPoints: [join(repository, 'test/support/contracts/storage-in-browser.ts')],
      outfile: join(folder, 'page.js'),
      bundle: true,
      format: 'iife',
      logLevel: 'warning',
    });
    writeFileSync(join(folder, 'index.html'), '<!doctype html><script src="page.js"></script>');
    const port = await freePort();
    const server = await servePage(folder, port);
    const browser = await launch();
    try {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${String(port)}/`);
      const { passed, failed } = await page.evaluate(() => window.storageContract());
      expect(failed).toEqual([]);
      expect(passed).toHaveLength(7);
      expect(await page.evaluate(() => window.storageReopened())).toBe('yes');
    } finally {
      await browser.close();
      await server.close();
    }
    expect(readFileSync(join(folder, 'page.js'), 'utf8')).toContain('indexedDB');
  });
});
