import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { run, say } from './process.mjs';

/** The supported line that is not running now, from the npm package of Node's own binaries. */
export const otherLine = process.versions.node.startsWith('22.') ? 20 : 22;

const platform = { linux: 'linux', darwin: 'darwin' }[process.platform];
const packageName = `node-${platform ?? 'unknown'}-${process.arch}`;

/**
 * Makes a copy of the checkout in .cache/, with better-sqlite3 compiled for the other Node.
 * Returns {node, folder}, or {reason} where that Node cannot be had.
 */
export async function otherNode(root) {
  if (platform === undefined) return { reason: `no package of Node ${otherLine} for ${process.platform}` };
  const home = join(root, '.cache', `node${otherLine}`);
  mkdirSync(join(home, 'checkout'), { recursive: true });
  writeFileSync(join(home, 'package.json'), '{ "private": true }\n');
  say(`Getting Node ${otherLine} (${packageName}@${otherLine}) …`);
  const options = ['--no-save', '--no-audit', '--no-fund', '--no-package-lock'];
  const got = await run('npm', ['install', ...options, `${packageName}@${otherLine}`], { capture: true, cwd: home });
  if (got.status !== 0) return { reason: got.output.trim().split('\n').at(-1) };
  const base = join(home, 'node_modules', packageName);
  const node = join(base, 'bin', 'node');

  const folder = join(home, 'checkout');
  const modules = join(folder, 'node_modules');
  const stamp = join(home, 'modules.stamp');
  const wanted = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const isFresh = existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
  const files = await run('git', ['ls-files', '-co', '--exclude-standard', '-z'], { capture: true, cwd: root });
  for (const name of readdirSync(folder)) {
    if (name !== 'node_modules') rmSync(join(folder, name), { recursive: true, force: true });
  }
  for (const path of ['.git', 'dist', ...files.output.split('\0').filter((name) => name !== '')]) {
    if (existsSync(join(root, path))) cpSync(join(root, path), join(folder, path), { recursive: true });
  }
  if (!isFresh) {
    say(`Compiling better-sqlite3 for Node ${otherLine}, about two minutes …`);
    rmSync(modules, { recursive: true, force: true });
    cpSync(join(root, 'node_modules'), modules, { recursive: true, verbatimSymlinks: true });
    rmSync(join(modules, 'better-sqlite3', 'build'), { recursive: true, force: true });
    const env = {
      ...process.env,
      PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
      // The headers come with the package.
      npm_config_nodedir: base,
    };
    const built = await run('npm', ['rebuild', 'better-sqlite3'], { capture: true, cwd: folder, env });
    if (built.status !== 0) throw new Error(built.output);
    writeFileSync(stamp, wanted);
  }
  return { node, folder };
}
