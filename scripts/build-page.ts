import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from './checkout.js';
import { build } from './esbuild.js';

export interface PageBuild {
  readonly outFolder: string;
  /** Origin of the cloud's API, the only one the page may connect to; empty for the page's own origin. */
  readonly cloudOrigin: string;
  /** Accepts an owner's key in the link's fragment. Never set it for a page that real owners use. */
  readonly demo: boolean;
}

/**
 * Bundles the owner's page into static files: one script, one style sheet, requests to the cloud alone. @throws Error
 * for an origin with a path
 */
export async function buildPage({ outFolder, cloudOrigin, demo }: PageBuild): Promise<void> {
  if (cloudOrigin !== '' && new URL(cloudOrigin).origin !== cloudOrigin) {
    throw new Error(`${cloudOrigin} is not an origin; write it as https://cloud.example`);
  }
  const source = join(checkout, 'app');
  mkdirSync(outFolder, { recursive: true });
  await build({
    entryPoints: [join(source, 'ui', 'main.tsx')],
    outfile: join(outFolder, 'page.js'),
    bundle: true,
    minify: true,
    sourcemap: 'linked',
    // A classic script also runs from a local copy that is opened as a file.
    format: 'iife',
    platform: 'browser',
    target: ['es2022'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'linked',
    define: { __DEMO__: String(demo) },
    // tweetnacl requires Node's crypto where there is no browser crypto; keep it out of the bundle.
    external: ['crypto'],
    logLevel: 'warning',
  });
  await build({
    entryPoints: [join(source, 'static', 'styles', 'page.css')],
    outfile: join(outFolder, 'page.css'),
    bundle: true,
    minify: true,
    logLevel: 'warning',
  });
  const connect = cloudOrigin === '' ? "'self'" : cloudOrigin;
  const html = readFileSync(join(source, 'static', 'index.html'), 'utf8')
    .replace('{{connect}}', connect)
    .replace('{{cloud}}', cloudOrigin);
  writeFileSync(join(outFolder, 'index.html'), html);
  copyFileSync(join(source, 'static', 'icon.svg'), join(outFolder, 'icon.svg'));
}
