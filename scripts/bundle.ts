/** `npm run bundle`: the command `sealcam` as one file, so that a cold start reads little. */
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from './checkout.js';
import { build, type Metafile, type Plugin } from './esbuild.js';

/** Packages with compiled parts: they stay folders beside the bundle, made for the camera's processor. */
export const NATIVE = ['better-sqlite3', 'sharp', '@serialport/bindings-cpp'] as const;

/**
 * What the libraries bring along and a camera never runs, though it would be loaded at each start: WebSockets and proxies
 * (and with them Node's HTTP), timers of browsers, and error messages in fifty languages. Whoever asks for it is told so.
 */
const leaveOut: Plugin = {
  name: 'leave out',
  setup: (bundler) => {
    const refuse = "const refuse = () => { throw new Error('not in this build'); };";
    const exported = 'module.exports = { __esModule: true, default: refuse, streamBuilder: refuse };';
    bundler.onLoad({ filter: /\/mqtt\/build\/lib\/connect\/(ws|socks|wx|ali)\.js$|\/worker-timers\// }, () => ({
      contents: `${refuse} ${exported}`,
    }));
    bundler.onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({ contents: 'export {};' }));
  },
};

export interface Bundle {
  readonly path: string;
  readonly bytes: number;
  /** npm packages whose code is inside, as paths of the lock file. */
  readonly packages: readonly string[];
}

/** Writes `sealcam.mjs` and, beside it, `packages.json` with what is in it. */
export async function bundleAgent(outFolder: string): Promise<Bundle> {
  mkdirSync(outFolder, { recursive: true });
  const path = join(outFolder, 'sealcam.mjs');
  const { metafile } = await build({
    entryPoints: [join(checkout, 'agent', 'cli', 'cli.ts')],
    outfile: path,
    bundle: true,
    minify: true,
    // Stack traces of a camera in the field still name functions.
    keepNames: true,
    format: 'esm',
    platform: 'node',
    target: ['node20'],
    external: [...NATIVE],
    plugins: [leaveOut],
    metafile: true,
    // Packages in the older module format call require(), which an ES module does not have.
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    legalComments: 'linked',
    logLevel: 'warning',
  });
  const packages = packagesOf(metafile);
  writeFileSync(
    join(outFolder, 'packages.json'),
    `${JSON.stringify({ bundled: packages, native: NATIVE }, null, 1)}\n`,
  );
  return { path, bytes: statSync(path).size, packages };
}

/** Packages that left code in the output; what was shaken out does not count. */
function packagesOf({ outputs }: Metafile): string[] {
  const names = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs)
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([input]) => /node_modules\/(?:.*node_modules\/)?(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]),
  );
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

if (process.argv[1]?.endsWith('bundle.js') === true) {
  const { path, bytes, packages } = await bundleAgent(process.argv[2] ?? join(checkout, 'dist', 'bundle'));
  console.log(`${path}: ${String(Math.round(bytes / 1024))} KiB, ${String(packages.length)} packages inside`);
}
