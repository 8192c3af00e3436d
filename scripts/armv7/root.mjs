import { join } from 'node:path';
import { debianMirror, must } from './machine.mjs';
import { step } from './steps.mjs';

export const SUITE = 'trixie';

/** Debian packages of a camera: Node, TLS roots, time zones, and libcamera behind GStreamer. */
const INCLUDE = [
  'base-files',
  'base-passwd',
  'libc-bin',
  'dash',
  'coreutils',
  'dpkg',
  'ca-certificates',
  'tzdata',
  'nodejs',
  'gstreamer1.0-tools',
  'gstreamer1.0-libcamera',
  'libcamera-ipa',
  'libjpeg62-turbo',
];

/**
 * Single GStreamer elements of packages that depend on a desktop's libraries (280 MB): the JPEG encoder, and the conversion
 * of pixel formats that it does not accept.
 */
const ELEMENTS = [
  ['gstreamer1.0-plugins-good', 'libgstjpeg.so'],
  ['gstreamer1.0-plugins-base', 'libgstvideoconvertscale.so'],
];

/** Runs while the .deb files are still there; $1 is the root. The SBOM is made from the package list. */
const RECORD = `set -eu
cd "$1/var/cache/apt/archives"
for deb in *.deb; do
  dpkg-deb -f "$deb" | sed 's/^Package: .*/&\\nStatus: install ok unpacked/'
  echo
done >"$1/var/lib/dpkg/status"
mkdir -p /tmp/sealcam-elements.$$
cd /tmp/sealcam-elements.$$
trap 'rm -rf /tmp/sealcam-elements.$$' EXIT
${ELEMENTS.map(([name]) => `APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get download -qq ${name}`).join('\n')}
for deb in *.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x --wildcards ${ELEMENTS.map(([, file]) => `'*/${file}'`).join(' ')} '*/copyright' 2>/dev/null || true; done
cp -a usr "$1/"
for element in ${ELEMENTS.map(([, file]) => file).join(' ')}; do test -f "$1"/usr/lib/*/gstreamer-1.0/"$element"; done
`;

/** Does the part of the maintainer scripts, which cannot run without an emulator; then deletes what a camera never reads. */
const FINISH = `set -eu
cp "$1/usr/share/base-passwd/passwd.master" "$1/etc/passwd"
cp "$1/usr/share/base-passwd/group.master" "$1/etc/group"
mkdir -p "$1/etc/ssl/certs"
cat "$1"/usr/share/ca-certificates/mozilla/*.crt >"$1/etc/ssl/certs/ca-certificates.crt"
ln -sf /usr/share/zoneinfo/Etc/UTC "$1/etc/localtime"
find "$1/usr/share/doc" -type f ! -name copyright -delete
find "$1/usr/share/doc" -type d -empty -delete
rm -rf "$1"/usr/share/man "$1"/usr/share/locale "$1"/usr/share/bug "$1"/usr/share/lintian "$1"/usr/share/bash-completion
rm -rf "$1"/usr/share/nodejs/corepack "$1"/usr/share/nodejs/@types "$1"/usr/share/iso-codes
rm -rf "$1"/usr/lib/*/gconv "$1"/usr/share/i18n "$1"/var/lib/apt/lists/*
: >"$1/etc/apt/sources.list"
rm -f "$1"/etc/apt/sources.list.d/* "$1/etc/resolv.conf" "$1/etc/hostname"
`;

/** Makes a small Debian for armv7 as root.tar: extracted and never configured, so nothing needs the emulator. */
export async function makeRoot(root) {
  const inputs = [SUITE, ...INCLUDE, RECORD, FINISH];
  const { folder, key } = await step('root', inputs, async (target) => {
    const options = ['--variant=extract', '--architectures=armhf', `--include=${INCLUDE.join(',')}`];
    // The extract variant has no later hook.
    const hooks = [`--extract-hook=${RECORD}`, `--extract-hook=${FINISH}`];
    const source = `deb ${debianMirror()} ${SUITE} main`;
    await must('mmdebstrap', [...options, ...hooks, SUITE, join(target, 'root.tar'), source], {
      env: { ...process.env, SOURCE_DATE_EPOCH: '0' },
      cwd: root,
    });
  });
  return { tar: join(folder, 'root.tar'), key };
}
