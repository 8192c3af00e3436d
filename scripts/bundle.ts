/** `npm run bundle`: packs the command `sealcam` into few files, of which a start reads what it needs. */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from './checkout.js';
import { isProgram, runCommand } from './command.js';
import { build, type BuildOptions, type Metafile, type Plugin } from './esbuild.js';
import { shortenVariables } from './terser.js';

const HELP = `npm run bundle [-- FOLDER]

Writes sealcam.cjs, the files that it loads when it needs them, wrap.mjs, which wraps period keys, and packages.json, the
list of npm packages in them, into FOLDER (dist/bundle).

  --help    print this text

Exit status: 0 built, 1 the build failed, 2 wrong usage.
`;

/** Packages with native code. They stay folders beside the bundle, compiled for the camera's processor. */
const NATIVE = ['better-sqlite3', '@img/sharp-linux-arm', '@serialport/bindings-cpp'] as const;

/** What is never bundled: native code, for this machine's processor too. */
const EXTERNAL = ['better-sqlite3/build/*', '@img/sharp-*', '@serialport/bindings-cpp'];

/**
 * Replaces library code that would be loaded at each start and that a camera never runs: WebSockets and proxies (and with
 * them Node's HTTP), browser timers, and log transports in other threads. Calling it
 * throws "not in this build". A copy of Node's streams is replaced by Node's streams, as it does itself if told to.
 */
const leaveOut: Plugin = {
  name: 'leave out',
  setup: (bundler) => {
    const refuse = "const refuse = () => { throw new Error('not in this build'); };";
    const exported = 'module.exports = { __esModule: true, default: refuse, streamBuilder: refuse };';
    bundler.onLoad({ filter: /\/mqtt\/build\/lib\/connect\/(ws|socks|wx|ali)\.js$|\/worker-timers\// }, () => ({
      contents: `${refuse} ${exported}`,
    }));
    // Of sharp, which parses names of colours with it: nothing here has one.
    bundler.onLoad({ filter: /\/pino\/lib\/transport\.js$|\/@img\/colour\// }, () => ({
      contents: `${refuse} module.exports = refuse;`,
    }));
    bundler.onLoad({ filter: /\/readable-stream\/lib\/ours\/index\.js$/ }, () => ({
      contents: "module.exports = require('node:stream');",
    }));
    // Of fifteen builds of libvips a camera has one, and knows where.
    const platform = '`${process.platform}-${process.arch}`';
    bundler.onLoad({ filter: /\/sharp\/dist\/sharp\.mjs$/ }, () => ({
      contents: `import { createRequire } from 'node:module';
        export default createRequire(import.meta.url)('@img/sharp-' + ${platform} + '/sharp.node');`,
    }));
    // Without its parsers and its stand-in for tests.
    bundler.onLoad({ filter: /\/serialport\/dist\/index\.js$/ }, () => ({
      contents: "module.exports = require('./serialport.js');",
    }));
    // It would look for the addon in a dozen folders.
    bundler.onLoad({ filter: /\/bindings\/bindings\.js$/ }, () => ({
      contents: "module.exports = (name) => require('better-sqlite3/build/Release/better_sqlite3.node');",
    }));
    bundler.onLoad({ filter: /\/sharp\/dist\/libvips\.mjs$/ }, () => ({
      contents: `export default { runtimePlatformArch: () => ${platform} };`,
    }));
    // A tool of developers, in a package that no camera carries.
    bundler.onLoad({ filter: /\/hal\/mock\/wasm-encoder\.ts$/ }, () => ({
      contents: `export const findWasmEncoder = () => null;
        export const WASM_KEY_INTERVAL_MS = 1000;
        export class WasmEncoder {}`,
    }));
    bundler.onLoad({ filter: /\/detect-libc\// }, () => ({
      contents: "module.exports = { GLIBC: 'glibc', MUSL: 'musl', familySync: () => 'glibc' };",
    }));
  },
};

/** Options of the bundler for whatever runs on a camera. */
export const FOR_CAMERA = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: ['node20'],
  external: EXTERNAL,
  plugins: [leaveOut],
  // CommonJS packages call require(), which an ES module does not have.
  banner: { js: "import{createRequire as requireOf}from'node:module';const require=requireOf(import.meta.url);" },
  logLevel: 'warning',
} satisfies BuildOptions;

/** Folder of the parts that are loaded when they are needed. */
const PARTS = 'parts';

export interface Bundle {
  readonly path: string;
  readonly bytes: number;
  /** npm packages whose code is in the bundle, as paths in the lock file. */
  readonly packages: readonly string[];
}

/** Options of every file of the program. */
const PROGRAM = {
  ...FOR_CAMERA,
  minify: true,
  // Stack traces from cameras in the field have to name functions.
  keepNames: true,
  metafile: true,
  legalComments: 'linked',
} satisfies BuildOptions;

/** Scripts instead of modules. `__filename` is what creates a `require` there. */
const SCRIPT = {
  ...PROGRAM,
  format: 'cjs',
  define: { 'import.meta.url': '__filename', 'import.meta.dirname': '__dirname' },
} satisfies BuildOptions;

/**
 * Writes the command: `sealcam.cjs`; `camera.js`, the command `run` as one function, whose compiled code V8 can keep;
 * `commands.mjs` with its parts, for everything else; `wrap.mjs`, a program of its own. Beside them `packages.json` with the
 * packages they contain.
 */
export async function bundleAgent(outFolder: string): Promise<Bundle> {
  mkdirSync(outFolder, { recursive: true });
  // Parts of an earlier bundle have other names.
  rmSync(join(outFolder, PARTS), { recursive: true, force: true });
  const source = (path: string): string => join(checkout, path);
  const camera = join(outFolder, 'camera.js');
  const built = [
    await build({
      ...SCRIPT,
      entryPoints: [source('agent/cli/packaged.ts')],
      outfile: join(outFolder, 'sealcam.cjs'),
      banner: {},
    }),
    await build({
      ...SCRIPT,
      entryPoints: [source('agent/cli/camera.ts')],
      outfile: camera,
      // Below, function by function.
      minify: false,
      keepNames: false,
      minifySyntax: true,
      minifyWhitespace: true,
      // A script has no import(); what is loaded late is a part of the same file.
      supported: { 'dynamic-import': false },
      banner: { js: '(function(require,__filename){"use strict";var module={};' },
      footer: { js: '})' },
    }),
    await build({
      ...PROGRAM,
      entryPoints: {
        commands: source('agent/cli/cli.ts'),
        'write-code-cache': source('agent/cli/write-code-cache.ts'),
      },
      outdir: outFolder,
      outExtension: { '.js': '.mjs' },
      chunkNames: `${PARTS}/[name]-[hash]`,
      splitting: true,
    }),
    // In one file: it runs for a second, and nothing else of the bundle may be in its memory.
    await build({
      ...PROGRAM,
      entryPoints: { wrap: source('agent/wrap/wrap.ts') },
      outdir: outFolder,
      outExtension: { '.js': '.mjs' },
    }),
  ];
  writeFileSync(camera, await shortenVariables(readFileSync(camera, 'utf8')));
  if (readFileSync(camera).some((byte) => byte > 0x7f))
    throw new Error(`${camera} is not ASCII, as its loader takes it`);
  const outputs = Object.assign({}, ...built.map(({ metafile }) => metafile.outputs)) as Metafile['outputs'];
  const packages = packagesOf(outputs);
  writeFileSync(
    join(outFolder, 'packages.json'),
    `${JSON.stringify({ bundled: packages, native: NATIVE }, null, 1)}\n`,
  );
  const bytes = Object.keys(outputs).reduce((sum, path) => sum + statSync(path).size, 0);
  return { path: join(outFolder, 'sealcam.cjs'), bytes, packages };
}

/** Returns the packages with code in the output; packages that were tree-shaken away do not count. */
function packagesOf(outputs: Metafile['outputs']): string[] {
  const names = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs)
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([input]) => /node_modules\/(?:.*node_modules\/)?(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]),
  );
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

if (isProgram(import.meta.url)) {
  await runCommand({
    name: 'bundle',
    help: HELP,
    options: {},
    positionalsMax: 1,
    readOptions: (_, [folder = join(checkout, 'dist', 'bundle')]) => folder,
    main: async (folder) => {
      const { path, bytes, packages } = await bundleAgent(folder);
      process.stdout.write(`${path}: ${String(Math.round(bytes / 1024))} KiB, ${String(packages.length)} packages\n`);
      return 0;
    },
  });
}
