import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { PAGE_LIST, PAGE_SIGNATURE, PAGE_START, PAGE_WORKER } from '../protocol/page/page-list.js';
import { formatMakerKey } from '../protocol/page/minisign.js';
import { buildWorker } from './build-worker.js';
import { checkout } from './checkout.js';
import { build, type Metafile, type Plugin } from './esbuild.js';
import { pageIcons } from './page-icons.js';
import { signedList, type PageMaker } from './page-release.js';

export interface PageBuild {
  readonly outFolder: string;
  /** Origin of the cloud's API, the only one the page may connect to; empty for the page's own origin. */
  readonly cloudOrigin: string;
  /** Accepts an owner's key in the link's fragment. Never set it for a page that real owners use. */
  readonly demo: boolean;
  /** Without one browsers keep no copy of the page and check nothing of it. */
  readonly maker?: PageMaker;
}

/** A file of script in the built page. */
export interface PageScript {
  /** Below the page's folder. */
  readonly path: string;
  readonly bytes: number;
  readonly gzipBytes: number;
  /** Whether nothing is drawn before this file is there. */
  readonly isFirst: boolean;
  /** Source files in it, as paths in the checkout, with the bytes of each that are left. */
  readonly inputs: Readonly<Record<string, number>>;
}

/**
 * Folder of the files whose names hold a hash of their content: a host may let browsers keep them for good. It holds the
 * files of one build only.
 */
const HASHED = 'assets';
/** The bundler's hash is eight letters and digits of base 32. */
const BUILT_NAME = /-[A-Z2-7]{8}\.(js|css)(\.map|\.LEGAL\.txt)?(\.gz|\.br)?$/;
/** Where the bundler believes to write. The names hash the source maps too, and these name files relative to it. */
const NOMINAL = join('dist', 'page');
/** What travels compressed. Source maps are read by developers only. */
const COMPRESSED: ReadonlySet<string> = new Set(['.html', '.js', '.css', '.svg', '.webmanifest']);

/**
 * Keeps what the first paint needs in one file. The bundler would cut it into a piece for each set of parts that share it;
 * where every part imports all of it there is one set.
 */
const oneFirstFile: Plugin = {
  name: 'one first file',
  setup: (bundler) => {
    const parts = new Set<string>();
    // Relative ones, and the package that hashes.ts loads when a recovery file asks for it.
    bundler.onResolve(
      { filter: /^(\.|@noble\/)/ },
      async ({ path, kind, resolveDir, importer, pluginData: isAsked }) => {
        if (kind !== 'dynamic-import' || isAsked === true) return undefined;
        const found = await bundler.resolve(path, { kind, resolveDir, importer, pluginData: true });
        parts.add(found.path);
        return found;
      },
    );
    // Most of what app/core loads later is loaded by the opener's worker too, which has no page; the maker of claims is not.
    bundler.onLoad({ filter: /([\\/]app[\\/](ui[\\/][^\\/]+\.tsx?|core[\\/]claim-maker\.ts)|\.js)$/ }, ({ path }) => {
      if (!parts.has(path)) return undefined;
      const main = JSON.stringify(join(checkout, 'app', 'ui', 'main.tsx'));
      const loader = path.endsWith('.js') ? 'js' : 'tsx';
      return { loader, contents: `${readFileSync(path, 'utf8')}\nimport ${main};\n` };
    });
  },
};

/**
 * Bundles the owner's page into static files: a first script, one for each part that is opened later, one style sheet;
 * requests to the cloud alone. Beside each file lie its compressed forms, which static servers prefer. @throws Error for
 * an origin with a path
 */
export async function buildPage({ outFolder, cloudOrigin, demo, maker }: PageBuild): Promise<readonly PageScript[]> {
  if (cloudOrigin !== '' && new URL(cloudOrigin).origin !== cloudOrigin) {
    throw new Error(`${cloudOrigin} is not an origin; write it as https://cloud.example`);
  }
  const source = join('app', 'static');
  const { metafile, outputFiles } = await build({
    absWorkingDir: checkout,
    entryPoints: [
      { in: join('app', 'ui', 'main.tsx'), out: 'page' },
      { in: join('app', 'ui', 'opener-worker.ts'), out: 'opener' },
      { in: join(source, 'styles', 'page.css'), out: 'page' },
    ],
    outdir: join(NOMINAL, HASHED),
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    write: false,
    metafile: true,
    bundle: true,
    splitting: true,
    minify: true,
    sourcemap: 'linked',
    format: 'esm',
    platform: 'browser',
    target: ['es2022'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'linked',
    define: { __DEMO__: String(demo) },
    // tweetnacl requires Node's crypto where there is no browser crypto; keep it out of the bundle.
    external: ['crypto'],
    plugins: [oneFirstFile],
    logLevel: 'warning',
  });
  const files = new Map(outputFiles.map(({ path, contents }) => [relative(join(checkout, NOMINAL), path), contents]));
  const names = Object.keys(metafile.outputs).map((path) => relative(NOMINAL, path));
  const nameOf = (pattern: RegExp): string => names.find((name) => pattern.test(name)) ?? '';
  const script = nameOf(/\/page-[A-Z2-7]{8}\.js$/);
  const style = nameOf(/\.css$/);
  const first = firstScripts(metafile, join(NOMINAL, script)).map((path) => relative(NOMINAL, path));
  const preloads = first.filter((path) => path !== script).map((path) => `<link rel="modulepreload" href="${path}" />`);
  const html = readFileSync(join(checkout, source, 'index.html'), 'utf8')
    .replace('{{connect}}', cloudOrigin === '' ? "'self'" : cloudOrigin)
    .replace('{{cloud}}', cloudOrigin)
    .replace('{{style}}', style)
    .replace('{{opener}}', nameOf(/\/opener-[A-Z2-7]{8}\.js$/))
    .replace('{{preloads}}', preloads.join('\n    '))
    .replace('{{script}}', script);
  const icon = readFileSync(join(checkout, source, 'icon.svg'));
  for (const [path, png] of await pageIcons(icon.toString())) files.set(path, png);
  files.set('icon.svg', icon);
  files.set('manifest.webmanifest', readFileSync(join(checkout, source, 'manifest.webmanifest')));
  files.set(PAGE_WORKER, await buildWorker(maker === undefined ? '' : formatMakerKey(maker.key)));
  files.set(PAGE_START, Buffer.from(html));
  removeEarlierBuild(outFolder);
  for (const [path, bytes] of files) writeCompressed(join(outFolder, path), bytes);
  if (maker !== undefined) {
    for (const [path, bytes] of signedList(maker, files)) writeFileSync(join(outFolder, path), bytes);
  }
  return names
    .filter((name) => name.endsWith('.js'))
    .map((name) => scriptOf(metafile, outFolder, name, first.includes(name)));
}

/** Returns the entry and all that it imports before it runs: not what it loads when a part is opened. */
function firstScripts({ outputs }: Metafile, entry: string): string[] {
  const found = new Set([entry]);
  // A set goes on with what is added while it is read.
  for (const path of found) {
    for (const { path: imported, kind, external } of outputs[path]?.imports ?? []) {
      if (kind === 'import-statement' && external !== true) found.add(imported);
    }
  }
  return [...found];
}

function scriptOf({ outputs }: Metafile, outFolder: string, path: string, isFirst: boolean): PageScript {
  const { bytes = 0, inputs = {} } = outputs[join(NOMINAL, path)] ?? {};
  return {
    path,
    bytes,
    gzipBytes: readFileSync(join(outFolder, `${path}.gz`)).length,
    isFirst,
    inputs: Object.fromEntries(Object.entries(inputs).map(([input, { bytesInOutput }]) => [input, bytesInOutput])),
  };
}

/** Removes the files that a build left, and nothing else: the folder is the host's. */
function removeEarlierBuild(folder: string): void {
  for (const name of [PAGE_LIST, PAGE_SIGNATURE]) rmSync(join(folder, name), { force: true });
  const hashed = join(folder, HASHED);
  if (!existsSync(hashed)) return;
  for (const name of readdirSync(hashed)) if (BUILT_NAME.test(name)) rmSync(join(hashed, name));
}

function writeCompressed(path: string, contents: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
  if (!COMPRESSED.has(extname(path))) return;
  writeFileSync(`${path}.gz`, gzipSync(contents, { level: constants.Z_BEST_COMPRESSION }));
  writeFileSync(`${path}.br`, brotliCompressSync(contents));
}
