import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, say } from './process.mjs';

/** The supported major version of Node that is not running now; taken from an npm package of Node's own binaries. */
export const otherLine = process.versions.node.startsWith('22.') ? 20 : 22;

const platform = { linux: 'linux', darwin: 'darwin' }[process.platform];
const packageName = `node-${platform ?? 'unknown'}-${process.arch}`;

/**
 * Installs that Node, and better-sqlite3 compiled for it, in .cache/. It needs only the lock file of this checkout, so CI
 * starts it beside the installation. Returns {node, addon}, or {reason} where that Node cannot be installed.
 */
async function otherAddon(root) {
  if (platform === undefined) return { reason: `no package of Node ${otherLine} for ${process.platform}` };
  const home = join(root, '.cache', `node${otherLine}`);
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const { version } = lock.packages['node_modules/better-sqlite3'];
  say(`Getting Node ${otherLine} (${packageName}@${otherLine}) …`);
  const got = await install(home, `${packageName}@${otherLine}`, []);
  if (got.status !== 0) return { reason: got.output.trim().split('\n').at(-1) };
  const base = join(home, 'node_modules', packageName);
  const node = join(base, 'bin', 'node');

  const workshop = join(home, 'better-sqlite3');
  const addon = join(workshop, 'node_modules', 'better-sqlite3', 'build');
  const stamp = join(home, 'addon.stamp');
  const wanted = `${version} on ${JSON.parse(readFileSync(join(base, 'package.json'), 'utf8')).version}\n`;
  if (existsSync(addon) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return { node, addon };
  say(`Compiling better-sqlite3 for Node ${otherLine}, about two minutes …`);
  rmSync(workshop, { recursive: true, force: true });
  const env = {
    ...process.env,
    PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
    // The package contains the headers.
    npm_config_nodedir: base,
  };
  const fetched = await install(workshop, `better-sqlite3@${version}`, ['--ignore-scripts']);
  if (fetched.status !== 0) throw new Error(fetched.output);
  const built = await run('npm', ['rebuild', 'better-sqlite3'], { capture: true, cwd: workshop, env });
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

/** Copies the checkout into .cache/ for the other Node. Returns {node, folder}, or {reason}. */
export async function otherNode(root) {
  const { node, addon, reason } = await otherAddon(root);
  if (reason !== undefined) return { reason };
  const home = join(root, '.cache', `node${otherLine}`);
  const folder = join(home, 'checkout');
  mkdirSync(folder, { recursive: true });
  const files = await run('git', ['ls-files', '-co', '--exclude-standard', '-z'], { capture: true, cwd: root });
  for (const name of readdirSync(folder)) {
    if (name !== 'node_modules') rmSync(join(folder, name), { recursive: true, force: true });
  }
  for (const path of ['.git', 'dist', ...files.output.split('\0').filter((name) => name !== '')]) {
    if (existsSync(join(root, path))) cpSync(join(root, path), join(folder, path), { recursive: true });
  }
  const modules = join(folder, 'node_modules');
  const stamp = join(home, 'modules.stamp');
  const wanted = `${readFileSync(join(root, 'package-lock.json'), 'utf8')}\n${statSync(addon).mtimeMs}\n`;
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
    rmSync(modules, { recursive: true, force: true });
    cpSync(join(root, 'node_modules'), modules, { recursive: true, verbatimSymlinks: true });
    const build = join(modules, 'better-sqlite3', 'build');
    rmSync(build, { recursive: true, force: true });
    cpSync(addon, build, { recursive: true, verbatimSymlinks: true });
    writeFileSync(stamp, wanted);
  }
  return { node, folder };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { reason } = await otherAddon(join(dirname(fileURLToPath(import.meta.url)), '..', '..'));
  if (reason !== undefined) say(reason);
}
