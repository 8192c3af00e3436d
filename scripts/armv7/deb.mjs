import { chmodSync, copyFileSync, cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../bootstrap.mjs';
import { ensureFolder, must } from './machine.mjs';
import { step } from './steps.mjs';

const FILES = {
  'packaging/systemd/sealcam.service': 'usr/lib/systemd/system/sealcam.service',
  'packaging/systemd/sysusers.conf': 'usr/lib/sysusers.d/sealcam.conf',
  'packaging/systemd/tmpfiles.conf': 'usr/lib/tmpfiles.d/sealcam.conf',
  'packaging/systemd/journald@sealcam.conf': 'etc/systemd/journald@sealcam.conf',
  'packaging/systemd/board-watchdog.conf': 'usr/share/doc/sealcam/examples/board-watchdog.conf',
  'packaging/systemd/board-power.conf': 'usr/share/doc/sealcam/examples/board-power.conf',
  'packaging/debian/reboot.rules': 'usr/share/polkit-1/rules.d/sealcam.rules',
  'packaging/debian/camera.toml': 'etc/sealcam/camera.toml',
  'docs/image.md': 'usr/share/doc/sealcam/image.md',
  'docs/configuration.md': 'usr/share/doc/sealcam/configuration.md',
  LICENSE: 'usr/share/doc/sealcam/copyright',
};
const SCRIPTS = ['postinst', 'prerm', 'postrm'];

function control(version, installedKib) {
  return `Package: sealcam
Version: ${version}
Architecture: armhf
Maintainer: The sealcam authors <sealcam@example.invalid>
Installed-Size: ${installedKib}
Depends: nodejs (>= 20.19), libnode115, libc6 (>= 2.36), libstdc++6, ca-certificates, systemd (>= 252)
Recommends: polkitd, gstreamer1.0-tools, gstreamer1.0-libcamera, gstreamer1.0-plugins-good, libcamera-ipa
Suggests: systemd-timesyncd
Section: video
Priority: optional
Description: home camera that seals every picture to its owner
 Every picture is sealed on the camera to a key that only its owner's browser
 holds; every event is signed by the camera with the account it belongs to.
`;
}

/** Returns the template unit, derived from the plain one so that they cannot drift apart: each camera has settings and data under its own name. */
export function instanceUnit(unit) {
  return unit
    .replace('Description=sealcam home camera', 'Description=sealcam home camera %i')
    .replaceAll('/etc/sealcam/camera.toml', '/etc/sealcam/%i.toml')
    .replaceAll('/var/lib/sealcam', '/var/lib/sealcam/%i')
    .replace('StateDirectory=sealcam\n', 'StateDirectory=sealcam/%i\n');
}

/** Builds the package for a camera that runs Debian already. Resolves with its path. */
export async function makeDeb(program) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const name = `sealcam_${version}_armhf.deb`;
  const inputs = [program.key, version, 'scripts/armv7/deb.mjs', ...Object.keys(FILES)];
  const scripts = SCRIPTS.map((script) => `packaging/debian/${script}`);
  const { folder } = await step('deb', [...inputs, ...scripts], async (target) => {
    const tree = ensureFolder(join(target, 'tree'));
    cpSync(program.folder, tree, { recursive: true });
    rmSync(join(tree, 'usr', 'lib', 'sealcam', 'healthy'));
    for (const [source, path] of Object.entries(FILES)) put(source, join(tree, path));
    renameSync(join(tree, 'usr/lib/sealcam/sbom.cdx.json'), join(tree, 'usr/share/doc/sealcam/sbom.cdx.json'));
    const units = join(tree, 'usr/lib/systemd/system');
    writeFileSync(join(units, 'sealcam@.service'), instanceUnit(readFileSync(join(units, 'sealcam.service'), 'utf8')));
    await writeMetadata(tree, version);
    await must('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', tree, join(target, name)]);
    rmSync(tree, { recursive: true });
  });
  return { path: join(folder, name) };
}

async function writeMetadata(tree, version) {
  const meta = ensureFolder(join(tree, 'DEBIAN'));
  const { output } = await must('du', ['-sk', '--apparent-size', '--exclude', 'DEBIAN', tree]);
  writeFileSync(join(meta, 'control'), control(version, output.split('\t')[0]));
  const settings = Object.values(FILES).filter((path) => path.startsWith('etc/'));
  writeFileSync(join(meta, 'conffiles'), settings.map((path) => `/${path}\n`).join(''));
  writeFileSync(join(meta, 'triggers'), 'interest-noawait /usr/bin/node\n');
  for (const script of SCRIPTS) {
    put(`packaging/debian/${script}`, join(meta, script));
    chmodSync(join(meta, script), 0o755);
  }
  const sums = await must('sh', ['-c', 'find usr etc -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum'], {
    cwd: tree,
  });
  writeFileSync(join(meta, 'md5sums'), sums.output);
  // The umask of the checkout must not decide the modes.
  await must('chmod', ['-R', 'u=rwX,go=rX', tree]);
  if (readdirSync(tree).some((name) => !['DEBIAN', 'usr', 'etc'].includes(name)))
    throw new Error('the package has a file outside DEBIAN, usr and etc');
}

function put(source, target) {
  ensureFolder(dirname(target));
  copyFileSync(join(root, source), target);
  chmodSync(target, 0o644);
}
