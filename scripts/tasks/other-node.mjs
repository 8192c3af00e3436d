import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, printProgress } from './process.mjs';

/** The supported lines of Node that do not run this script. */
export const otherLines = [20, 22, 24].filter((line) => !process.versions.node.startsWith(`${line}.`));

const platform = { linux: 'linux', darwin: 'darwin' }[process.platform];
const packageName = `node-${platform ?? 'unknown'}-${process.arch}`;

/**
 * Gets a Node from its npm package, and compiles better-sqlite3 for it, in .cache/. Needs nothing of this checkout but its
 * lock file, so CI starts it beside the installation. Resolves with {node, addon}, or {reason} where there is no such Node.
 */
async function otherAddon(root, line) {
  if (platform === undefined) return { reason: `no package of Node ${line} for ${process.platform}` };
  const home = join(root, '.cache', `node${line}`);
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const { version } = lock.packages['node_modules/better-sqlite3'];
  printProgress(`Getting Node ${line} (${packageName}@${line}) …`);
  const got = await install(home, `${packageName}@${line}`, []);
  if (got.status !== 0) return { reason: got.output.trim().split('\n').at(-1) };
  const base = join(home, 'node_modules', packageName);
  const node = join(base, 'bin', 'node');

  const workshop = join(home, 'better-sqlite3');
  const addon = join(workshop, 'node_modules', 'better-sqlite3', 'build');
  const stamp = join(home, 'addon.stamp');
  const wanted = `${version} on ${JSON.parse(readFileSync(join(base, 'package.json'), 'utf8')).version}\n`;
  if (existsSync(addon) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return { node, addon };
  printProgress(`Compiling better-sqlite3 for Node ${line}, about two minutes …`);
  await rm(workshop, { recursive: true, force: true });
  const env = {
    ...process.env,
    PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
    // The headers come with the package.
    npm_config_nodedir: base,
  };
  const fetched = await install(workshop, `better-sqlite3@${version}`, ['--ignore-scripts']);
  if (fetched.status !== 0) throw new Error(fetched.output);
  const built = await run('npm', ['rebuild', 'better-sqlite3'], { capture: true, nice: true, cwd: workshop, env });
  if (built.status !== 0) throw new Error(built.output);
  writeFileSync(stamp, wanted);
  return { node, addon };
}

function install(folder, name, more) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const options = ['--no-save', '--no-audit', '--no-fund', '--no-package-lock', ...more];
  return run('npm', ['install', ...options, name], { capture: true, cwd: folder });
}

/**
 * Makes a copy of the checkout in .cache/ for the Node of that line. Resolves with {node, folder}, or {reason}. Other suites run
 * meanwhile, so nothing here blocks for long.
 */
export async function otherNode(root, line) {
  const { node, addon, reason } = await otherAddon(root, line);
  if (reason !== undefined) return { reason };
  const home = join(root, '.cache', `node${line}`);
  const folder = join(home, 'checkout');
  mkdirSync(folder, { recursive: true });
  const files = await run('git', ['ls-files', '-co', '--exclude-standard', '-z'], { capture: true, cwd: root });
  for (const name of readdirSync(folder)) {
    if (name !== 'node_modules') await rm(join(folder, name), { recursive: true, force: true });
  }
  // npm run test:armv7 may be writing these.
  const filter = (source) => !['image', 'bundle'].some((name) => source === join(root, 'dist', name));
  for (const path of ['.git', 'dist', ...files.output.split('\0').filter((name) => name !== '')]) {
    if (existsSync(join(root, path))) await cp(join(root, path), join(folder, path), { recursive: true, filter });
  }
  const modules = join(folder, 'node_modules');
  const stamp = join(home, 'modules.stamp');
  const wanted = `${readFileSync(join(root, 'package-lock.json'), 'utf8')}\n${statSync(addon).mtimeMs}\n`;
  if (!existsSync(modules) || !existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
    await rm(modules, { recursive: true, force: true });
    await cp(join(root, 'node_modules'), modules, { recursive: true, verbatimSymlinks: true });
    const build = join(modules, 'better-sqlite3', 'build');
    await rm(build, { recursive: true, force: true });
    await cp(addon, build, { recursive: true, verbatimSymlinks: true });
    writeFileSync(stamp, wanted);
  }
  return { node, folder };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
  // One compiler at a time, beside what CI does meanwhile.
  for (const line of otherLines) {
    const { reason } = await otherAddon(root, line);
    if (reason !== undefined) printProgress(reason);
  }
}
