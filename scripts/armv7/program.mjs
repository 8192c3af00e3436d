import { chmodSync, copyFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../bootstrap.mjs';
import { ensureFolder, must } from './machine.mjs';
import { packageClosure, writeSbom } from './sbom.mjs';
import { step } from './steps.mjs';

/** With 64-bit time also for packages that do not ask for it: 2038 is within a camera's life. */
const COMPILER = {
  CC: 'arm-linux-gnueabihf-gcc',
  CXX: 'arm-linux-gnueabihf-g++',
  AR: 'arm-linux-gnueabihf-ar',
  CFLAGS: '-O2 -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64',
  CXXFLAGS: '-O2 -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64',
};
const TARGET = ['--cpu=arm', '--os=linux', '--libc=glibc'];

/** What `npm run bundle` writes beside the parts. */
const PROGRAM_FILES = [
  'sealcam.cjs',
  'camera.js',
  'camera.js.LEGAL.txt',
  'commands.mjs',
  'write-code-cache.mjs',
  'wrap.mjs',
];

/** Parts of a package that never run. */
const SURPLUS = [
  'deps',
  'src',
  'binding.gyp',
  'prebuilds',
  'docs',
  'test',
  'tests',
  'README.md',
  'CHANGELOG.md',
  'History.md',
];

/**
 * Makes the program as a camera has it in /usr/lib/sealcam: the bundle, the packages with compiled parts, the launcher and
 * the SBOM. Compiled parts are cross-compiled: under the emulator that takes twenty minutes.
 */
export async function makeProgram() {
  const modules = await step('modules', ['package-lock.json', JSON.stringify(COMPILER)], crossModules);
  // Bundling is quick, so it always reads the sources as they are now.
  const bundle = join(root, 'dist', 'bundle');
  await must(process.execPath, [join(root, 'dist', 'scripts', 'bundle.js'), bundle], { cwd: root });
  const inputs = [
    modules.key,
    // Their text names the parts, and the names of those hold hashes of what is in them.
    ...PROGRAM_FILES.filter((name) => !name.endsWith('.txt')).map((name) => join('dist', 'bundle', name)),
    'scripts/armv7/program.mjs',
    'scripts/armv7/sbom.mjs',
  ];
  return step('program', [...inputs, 'packaging/bin/sealcam', 'packaging/bin/healthy'], async (folder) => {
    await assemble(modules.folder, bundle, join(folder, 'usr', 'lib', 'sealcam'));
    ensureFolder(join(folder, 'usr', 'bin'));
    install('packaging/bin/sealcam', join(folder, 'usr', 'bin', 'sealcam'));
    install('packaging/bin/healthy', join(folder, 'usr', 'lib', 'sealcam', 'healthy'));
  });
}

/** Runs `npm ci` for the camera's processor. */
async function crossModules(folder) {
  for (const name of ['package.json', 'package-lock.json', '.npmrc'])
    copyFileSync(join(root, name), join(folder, name));
  // Node's headers if they are installed beside it; else node-gyp fetches them.
  const prefix = join(dirname(process.execPath), '..');
  const headers = existsSync(join(prefix, 'include', 'node', 'node.h')) ? { npm_config_nodedir: prefix } : {};
  const env = { ...process.env, ...COMPILER, ...headers, npm_config_arch: 'arm', JOBS: '2' };
  await must('npm', ['ci', '--omit=dev', '--no-audit', '--no-fund', ...TARGET], { cwd: folder, env });
}

async function assemble(modules, bundle, target) {
  ensureFolder(target);
  for (const name of PROGRAM_FILES) copyFileSync(join(bundle, name), join(target, name));
  cpSync(join(bundle, 'parts'), join(target, 'parts'), { recursive: true });
  const { bundled, native } = JSON.parse(readFileSync(join(bundle, 'packages.json'), 'utf8'));
  const lock = JSON.parse(readFileSync(join(modules, 'node_modules', '.package-lock.json'), 'utf8'));
  const beside = packageClosure(lock, native);
  for (const name of beside) {
    const copy = join(target, 'node_modules', name);
    cpSync(join(modules, 'node_modules', name), copy, { recursive: true });
    for (const part of SURPLUS) rmSync(join(copy, part), { recursive: true, force: true });
    await keepAddons(copy);
  }
  await writeSbom(
    modules,
    lock,
    [...bundled, ...beside.map((name) => `node_modules/${name}`)],
    join(target, 'sbom.cdx.json'),
  );
}

/** Removes the build folder of a compiled package but for its addon, stripped of symbols. */
async function keepAddons(folder) {
  const release = join(folder, 'build', 'Release');
  if (!existsSync(release)) return;
  const { output } = await must('find', [release, '-maxdepth', '1', '-name', '*.node', '-not', '-name', 'test_*']);
  const addons = output.trim().split('\n');
  const kept = addons.map((path) => [path, readFileSync(path)]);
  rmSync(join(folder, 'build'), { recursive: true });
  ensureFolder(release);
  for (const [path, bytes] of kept) {
    writeFileSync(path, bytes);
    await must('arm-linux-gnueabihf-strip', ['--strip-unneeded', path]);
  }
}

function install(source, target) {
  copyFileSync(join(root, source), target);
  chmodSync(target, 0o755);
}
