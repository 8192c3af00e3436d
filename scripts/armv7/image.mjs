import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../bootstrap.mjs';
import { ensureFolder, must } from './machine.mjs';
import { withDebian } from './sbom.mjs';
import { cache, step } from './steps.mjs';

const PLATFORM = ['--arch', 'arm', '--variant', 'v7'];
const BASE = 'localhost/sealcam-base:trixie';
const IMAGE = 'localhost/sealcam:armv7';

/** Runs buildah with its store in the cache, so that nothing stays on the machine. Needs neither daemon nor overlayfs. */
function buildah(...args) {
  const store = join(cache, 'store');
  const options = ['--storage-driver', 'vfs', '--root', store, '--runroot', join(store, 'run')];
  return must('buildah', [...options, ...args], { env: { ...process.env, BUILDAH_ISOLATION: 'chroot' }, cwd: root });
}

/**
 * Builds Dockerfile.armv7 on the small root. Resolves with the unpacked image (`rootfs`), its settings as a runtime reads
 * them, and the archive that a camera loads.
 */
export async function makeImage(base, program) {
  const context = join(root, 'dist', 'image', 'program');
  rmSync(context, { recursive: true, force: true });
  cpSync(program.folder, context, { recursive: true });
  const inputs = [base.key, program.key, 'Dockerfile.armv7', '.dockerignore', 'scripts/armv7/image.mjs'];
  const { folder } = await step('image', inputs, async (target) => {
    rmSync(join(cache, 'store'), { recursive: true, force: true });
    const from = (await buildah('from', ...PLATFORM, 'scratch')).output.trim();
    await buildah('add', '--quiet', from, base.tar, '/');
    await buildah('commit', '--quiet', '--rm', from, BASE);
    const args = ['--build-arg', `BASE=${BASE}`, '--build-arg', 'PROGRAM=prebuilt'];
    const how = ['--isolation', 'chroot', '--pull-never', '--format', 'docker', '--layers=false'];
    await buildah('bud', ...how, ...PLATFORM, ...args, '-f', 'Dockerfile.armv7', '-t', IMAGE, '.');
    const container = (await buildah('from', ...PLATFORM, '--pull-never', IMAGE)).output.trim();
    const inspected = JSON.parse((await buildah('inspect', '--type', 'image', IMAGE)).output);
    writeFileSync(join(target, 'config.json'), `${JSON.stringify(inspected.Docker.config, null, 1)}\n`);
    const mounted = (await buildah('mount', container)).output.trim();
    await must('cp', ['-a', mounted, join(target, 'rootfs')]);
    await buildah('push', '--quiet', IMAGE, `docker-archive:${join(target, 'sealcam-armv7.tar')}:sealcam:armv7`);
    rmSync(join(cache, 'store'), { recursive: true, force: true });
    const library = join(target, 'rootfs', 'usr', 'lib', 'sealcam');
    const sbom = JSON.parse(readFileSync(join(library, 'sbom.cdx.json'), 'utf8'));
    const whole = withDebian(sbom, join(target, 'rootfs', 'var', 'lib', 'dpkg', 'status'));
    writeFileSync(join(target, 'sbom.cdx.json'), `${JSON.stringify(whole, null, 1)}\n`);
  });
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  return { folder, rootfs: join(folder, 'rootfs'), config, archive: join(folder, 'sealcam-armv7.tar') };
}

/** Copies finished files into dist/image and returns that folder. */
export function publish(files) {
  const target = ensureFolder(join(root, 'dist', 'image'));
  for (const path of files.filter((file) => existsSync(file))) cpSync(path, join(target, path.split('/').at(-1)));
  return target;
}
