import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandFailure, TOOL_MISSING_STATUS } from '../../../scripts/command.js';
import { checkout } from '../../../scripts/checkout.js';
import { build } from '../../../scripts/esbuild.js';

/** Camera, cloud and page of one commit, built. */
export interface Program {
  /** Compiled commands. */
  readonly camera: string;
  readonly cloud: string;
  /** The page's own modules, without a window, in one file. */
  readonly page: string;
}

/** In package.json, the files of the commands, which moved. */
type Commands = Readonly<Record<'sealcam' | 'sealcam-cloud', string>>;

/** Where a checkout has the person with a page open; the file moved. */
const PERSON_FILES = ['test/support/worlds/person.ts', 'test/support/person.ts'];

const cache = join(checkout, '.cache', 'matrix');

/** Returns this checkout's programs, which are built. */
export function newProgram(): Promise<Program> {
  return programIn(checkout, join(cache, 'page.mjs'));
}

/**
 * Returns the programs of an older commit. It is checked out and built below .cache the first time.
 * @throws CommandFailure with status 4 where git or the commit is missing
 */
export async function oldProgram(commit: string, progress: (text: string) => void): Promise<Program> {
  const root = join(cache, fullName(commit));
  const page = join(root, 'dist', 'page.mjs');
  if (!existsSync(page)) {
    progress(`${commit}: checking out and building …`);
    rmSync(root, { recursive: true, force: true });
    unpack(commit, root);
    linkPackages(root);
    // It installs what is missing.
    runIn(root, process.execPath, ['scripts/bootstrap.mjs']);
  }
  return programIn(root, page);
}

async function programIn(root: string, page: string): Promise<Program> {
  const person = PERSON_FILES.map((file) => join(root, file)).find(existsSync);
  if (person === undefined) throw new Error(`${root} has no page that runs without a window`);
  await build({
    entryPoints: [person],
    outfile: page,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  });
  const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly bin: Commands };
  return { camera: join(root, bin.sealcam), cloud: join(root, bin['sealcam-cloud']), page };
}

function fullName(commit: string): string {
  const { status, stdout } = spawnSync(
    'git',
    ['-C', checkout, 'rev-parse', '--verify', '--quiet', `${commit}^{commit}`],
    {
      encoding: 'utf8',
    },
  );
  if (status === 0) return stdout.trim();
  const hint = 'It needs git and the whole history; a shallow clone gets that with: git fetch --unshallow';
  throw new CommandFailure(TOOL_MISSING_STATUS, `the commit ${commit} is not here. ${hint}`);
}

function unpack(commit: string, root: string): void {
  mkdirSync(root, { recursive: true });
  const archive = join(root, 'source.tar');
  runIn(checkout, 'git', ['archive', '--format=tar', `--output=${archive}`, commit]);
  runIn(root, 'tar', ['-xf', archive]);
  rmSync(archive);
}

/** Takes over our installed packages by hard links where they are all that the older lock file names, in the same versions. */
function linkPackages(root: string): void {
  const wanted = packagesOf(root);
  const ours = packagesOf(checkout);
  if (![...wanted].every(([path, version]) => ours.get(path) === version)) return;
  const linked = spawnSync('cp', ['-al', join(checkout, 'node_modules'), join(root, 'node_modules')]);
  if (linked.status !== 0) {
    rmSync(join(root, 'node_modules'), { recursive: true, force: true });
    return;
  }
  const stamp = join(root, 'node_modules', '.sealcam-install');
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  // The link is cut first, or our own stamp would change with it.
  rmSync(stamp, { force: true });
  writeFileSync(stamp, `${lock}\nNode ABI ${process.versions.modules}\n`);
}

/** Returns the packages that a lock file names, by their place in node_modules, each with its version. */
function packagesOf(root: string): ReadonlyMap<string, string> {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version?: string }>>;
  };
  const installed = Object.entries(lock.packages).filter(([path]) => path !== '');
  return new Map(installed.map(([path, { version = '' }]) => [path, version]));
}

function runIn(folder: string, program: string, args: readonly string[]): void {
  const { status, error } = spawnSync(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status === 0) return;
  throw new Error(`${program} ${args.join(' ')} failed in ${folder}${error === undefined ? '' : `: ${error.message}`}`);
}
