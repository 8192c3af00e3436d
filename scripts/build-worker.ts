import { join } from 'node:path';
import { checkout } from './checkout.js';
import { build } from './esbuild.js';

/**
 * Returns the script of the page's service worker: one file that imports nothing, since a browser compares only that file
 * to know whether there is a newer one. `makerKey` is the public key whose page it keeps, as minisign writes it; empty for a
 * page that nobody signs.
 */
export async function buildWorker(makerKey: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    absWorkingDir: checkout,
    entryPoints: [join('app', 'worker', 'sw.ts')],
    outdir: join('dist', 'page'),
    write: false,
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: ['es2022'],
    define: { __MAKER_KEY__: JSON.stringify(makerKey) },
    external: ['crypto'],
    logLevel: 'warning',
  });
  const [script] = outputFiles;
  if (script === undefined || outputFiles.length > 1) throw new Error('the service worker is not one file');
  return script.contents;
}
