#!/usr/bin/env node
/**
 * `npm run bench:armv7`: runs the image's program on a whole emulated machine (Cortex-A7, Debian's kernel), because user-mode
 * emulation shows no memory of a camera. Only memory and ratios mean anything: the emulator's clock is not a camera's.
 * Without an option: what an event and a picture cost. With `--save` writes docs/results/armv7.json, or with the option's name
 * behind it.
 */
import { spawn } from 'node:child_process';
import { cpSync, createWriteStream, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { clearTimeout, setTimeout } from 'node:timers';
import { parseArgs } from 'node:util';
import { makeImage } from './armv7/image.mjs';
import { CPU, debianMirror, installPackages, must, Obstacle, prepareMachine } from './armv7/machine.mjs';
import { makeProgram } from './armv7/program.mjs';
import { makeRoot, SUITE } from './armv7/root.mjs';
import { cache, step } from './armv7/steps.mjs';
import { helpOnly } from './tasks/help.mjs';
import { bootstrap, root } from './bootstrap.mjs';
import { printProgress } from './tasks/process.mjs';

/** Ends the emulator where it hangs: beside the minutes of the cameras at work, starts or stages at its pace. */
const EMULATOR_SPARE_MS = 45 * 60_000;
const RECIPIENTS = 8;
const FRAMES = 240;
/** A camera's memory; the stages need more. */
const MEMORY_MIB = 512;
const STAGES_MIB = 1024;
/** A signer looks for ten minutes in an hour; a look begins a little before it is measured. */
const LOOK_MINUTES_MAX = 9;
const LOOKED = `claimed by ${RECIPIENTS}, 5 frames a second of a stand-in encoder, looked through by its owner over a cloud in the same machine`;
const FILMED = `claimed by ${RECIPIENTS}, 5 frames a second of a stand-in encoder, clips uploaded to a cloud in the same machine`;
const HELP = `npm run bench:armv7 [-- [--memory | --clips | --looks | --detector | --start] [--minutes N] [--protocol N] [--json] [--save]]

The image's program on a whole emulated machine, a Cortex-A7: memory and ratios. Without an option of the first five: what an
event and a picture cost, the two seal suites beside each other, and a period's wrap. Ten minutes and more.

  --memory     memory, start and frames a second, in a machine of ${MEMORY_MIB} MiB
  --clips      memory, frames and processor time with clips of JPEG files and of H.264, beside the same without clips, in turn
  --looks      memory and processor time of a camera that is looked through, beside one that is not, with JPEG files and with H.264
  --detector   the detector's cost beside decoding, five minutes
  --start      starts, beside an empty Node: a few minutes
  --minutes N  memory, clips and looks: how long each agent works while its memory is sampled, 2 to 240 (30); looks 2 to 9 (9)
  --protocol N memory and start: version of the camera's claim, 1 or 2 (2)
  --json       print one JSON object on stdout
  --save       write docs/results/armv7.json, armv7-memory.json, armv7-clips.json, armv7-looks.json, armv7-detector.json
               or armv7-start.json
  --help       this text

Exit status: 0 measured, 2 wrong usage, 4 something outside is missing.
`;
/** Debian's meta package depends on the newest kernel. */
const FETCH = `set -eu
export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
name=$(apt-cache depends linux-image-armmp | sed -n 's/.*Depends: \\(linux-image-[0-9][^ ]*\\)$/\\1/p' | head -1)
cd "$KERNEL_FOLDER"
apt-get download -qq "$name"
`;

helpOnly(HELP);
const { part, minutes, protocol, isSaved, isJson } = readOptions();

// Before anything is built: a commit that is made meanwhile is not the one that was measured.
let commit = 'unknown';
try {
  commit = await currentCommit();
  await prepareMachine();
  await installPackages(['qemu-system-arm', 'cpio', 'lz4', ...(isFilmed() ? ['ffmpeg'] : [])]);
  await bootstrap();
  const [base, program] = await Promise.all([makeRoot(root), makeProgram()]);
  const image = await makeImage(base, program);
  const kernel = await makeKernel();
  const lines = await boot(kernel, await makeInitrd(image.rootfs, kernel));
  await {
    clips: saveClips,
    detector: saveBench,
    looks: saveLooks,
    memory: saveMemory,
    stages: saveBench,
    start: saveStart,
  }[part](lines);
} catch (error) {
  if (!(error instanceof Obstacle)) throw error;
  printProgress(`bench:armv7: ${error.message}`);
  process.exitCode = 4;
}

function readOptions() {
  const flag = { type: 'boolean', default: false };
  try {
    const parts = { memory: flag, clips: flag, looks: flag, detector: flag, start: flag };
    const {
      save: saved,
      json,
      minutes: given,
      protocol: version,
      ...values
    } = parseArgs({
      options: {
        ...parts,
        save: flag,
        json: flag,
        minutes: { type: 'string' },
        protocol: { type: 'string', default: '2' },
      },
    }).values;
    const chosen = Object.keys(parts).filter((name) => values[name]);
    const isLooks = chosen[0] === 'looks';
    const count = Number(given ?? (isLooks ? LOOK_MINUTES_MAX : 30));
    const most = isLooks ? LOOK_MINUTES_MAX : 240;
    if (!(Number.isInteger(count) && count >= 2 && count <= most) || !/^[12]$/.test(version) || chosen.length > 1) {
      throw new Error(HELP);
    }
    return { part: chosen[0] ?? 'stages', isSaved: saved, isJson: json, minutes: count, protocol: Number(version) };
  } catch {
    process.stderr.write(HELP);
    process.exit(2);
  }
}

/** Fetches Debian's kernel for armv7, and a busybox for the guest's first process. */
async function makeKernel() {
  const { folder } = await step('kernel', [SUITE, FETCH], async (target) => {
    const source = `deb ${debianMirror()} ${SUITE} main`;
    const options = ['--variant=extract', '--architectures=armhf', '--include=busybox-static'];
    const env = { ...process.env, KERNEL_FOLDER: target };
    await must('mmdebstrap', [...options, `--extract-hook=${FETCH}`, SUITE, join(target, 'tools'), source], { env });
    const deb = readdirSync(target).find((name) => name.endsWith('.deb'));
    await must('dpkg-deb', ['-x', join(target, deb), join(target, 'kernel')]);
  });
  return folder;
}

async function makeInitrd(rootfs, kernel) {
  const guest = join(cache, 'guest');
  await must('rm', ['-rf', guest]);
  await must('cp', ['-a', rootfs, guest]);
  cpSync(join(kernel, 'tools', 'usr', 'bin', 'busybox'), join(guest, 'usr', 'bin', 'busybox'));
  cpSync(join(root, 'scripts', 'armv7', 'guest'), guest, { recursive: true });
  await must('chmod', ['755', join(guest, 'init')]);
  const { build } = await import('../dist/scripts/esbuild.js');
  const { FOR_CAMERA } = await import('../dist/scripts/bundle.js');
  for (const [source, name] of [
    ['guest-bench.ts', 'bench.mjs'],
    ['guest-cloud.ts', 'cloud.mjs'],
    ['looker.ts', 'looker.mjs'],
    ['wrap-memory.ts', 'wrap-memory.mjs'],
  ]) {
    await build({
      entryPoints: [join(root, 'scripts', 'bench', source)],
      outfile: join(guest, 'usr', 'lib', 'sealcam', name),
      ...FOR_CAMERA,
    });
  }
  // A camera of a household of eight. Its frames come from files, so that drawing them costs it no memory.
  const { makeClaimedData, drawFrames } = await import('../dist/scripts/bench/claimed-data.js');
  if (part === 'clips') {
    const { CLIP_CODECS } = await import('../dist/scripts/bench/clip-figures.js');
    for (const codec of CLIP_CODECS) makeClaimedData(join(guest, `data-${codec}`), RECIPIENTS, join(guest, 'cloud'));
  } else if (part === 'looks') {
    const { LOOK_CODECS, LOOK_SIDES } = await import('../dist/scripts/bench/look-figures.js');
    const { writeLookerFile } = await import('../dist/scripts/bench/looker-file.js');
    for (const name of LOOK_CODECS.flatMap((codec) => LOOK_SIDES.map((side) => `${codec}-${side}`))) {
      const claimed = makeClaimedData(join(guest, `data-${name}`), RECIPIENTS, join(guest, 'cloud'));
      writeLookerFile(join(guest, `${name}.looker`), claimed);
    }
  } else {
    makeClaimedData(join(guest, 'data'), RECIPIENTS, join(guest, 'cloud'), protocol);
    await drawFrames(join(guest, 'frames'), FRAMES);
  }
  if (isFilmed()) {
    const { makeStandInCamera } = await import('../dist/scripts/bench/stand-in-camera.js');
    await makeStandInCamera(join(guest, 'camera'));
  }
  const { wrapRecipients } = await import('../dist/scripts/bench/wrap.js');
  writeFileSync(join(guest, 'recipients'), wrapRecipients());
  const initrd = join(cache, 'initrd.lz4');
  await must('sh', ['-c', 'find . | cpio -o -H newc --quiet | lz4 -lq - > "$0"', initrd], { cwd: guest });
  await must('rm', ['-rf', guest]);
  return initrd;
}

async function boot(kernel, initrd) {
  printProgress('Booting …');
  const folder = join(kernel, 'kernel', 'boot');
  const vmlinuz = join(
    folder,
    readdirSync(folder).find((name) => name.startsWith('vmlinuz')),
  );
  const size = String(machineMiB());
  const machine = ['-M', 'virt', '-cpu', CPU, '-m', size, '-smp', '1', '-nographic', '-no-reboot', '-nic', 'none'];
  const what = ` part=${part} minutes=${minutes} protocol=${protocol}`;
  // Time counts instructions there, 2 ns each, so that other load on this machine does not count; waiting is skipped.
  if (part === 'start' || part === 'stages' || isFilmed()) machine.push('-icount', 'shift=1,sleep=off');
  const files = ['-kernel', vmlinuz, '-initrd', initrd];
  const args = [...machine, ...files, '-append', `console=ttyAMA0 quiet rdinit=/init${what}`];
  const { CLIP_CODECS } = await import('../dist/scripts/bench/clip-figures.js');
  const { LOOK_CODECS, LOOK_SIDES } = await import('../dist/scripts/bench/look-figures.js');
  const cameras = { clips: CLIP_CODECS.length, looks: LOOK_CODECS.length * LOOK_SIDES.length }[part] ?? 1;
  const child = spawn('qemu-system-arm', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const stop = () => child.kill('SIGKILL');
  process.once('exit', stop);
  const timer = setTimeout(stop, EMULATOR_SPARE_MS + cameras * minutes * 60_000);
  const log = createWriteStream(join(cache, 'console.log'));
  const lines = [];
  for await (const line of createInterface({ input: child.stdout })) {
    log.write(`${line}\n`);
    if (!line.startsWith('@')) continue;
    lines.push(line.slice(1).trim());
    printProgress(line.slice(1, 80).trim());
  }
  clearTimeout(timer);
  log.end();
  if (!lines.includes('end')) throw new Obstacle(`the emulated machine did not finish; see ${log.path}`);
  return lines;
}

/** Whether the cameras have the stand-in encoder. */
function isFilmed() {
  return part === 'clips' || part === 'looks';
}

function machineMiB() {
  return part === 'memory' || part === 'start' ? MEMORY_MIB : STAGES_MIB;
}

/** How long a camera takes until it is armed, each start on a machine that has started it before. */
async function saveStart(lines) {
  const { startFigures } = await import('../dist/scripts/bench/guest-figures.js');
  const result = { ...about(), machineMiB: MEMORY_MIB, protocol, ...startFigures(lines) };
  publish(result);
  print(result, JSON.stringify(result));
}

/** What the detector cost, or the stages, the seal suites and a period's wrap. */
function saveBench(lines) {
  const parts = lines.filter((line) => /^bench \w+ [[{]/.test(line)).map((line) => line.split(' '));
  const figures = Object.fromEntries(parts.map(([, name, ...json]) => [name, JSON.parse(json.join(' '))]));
  if (figures[part] === undefined) throw new Obstacle('no figures; see console.log beside the image');
  const result = { ...about(), ...(part === 'detector' ? { figures: figures.detector } : figures) };
  publish(result);
  const rows = Object.values(figures)
    .filter(Array.isArray)
    .flat()
    .map(({ name, floor, ratio }) => `${name.padEnd(58)} ${String(ratio).padStart(8)}  ${floor}`);
  print(result, [...rows, ...(figures.wrap === undefined ? [] : [JSON.stringify(figures.wrap)])].join('\n'));
}

/** Returns the commit that is about to be measured; it ends in `+` where the checkout has changes. */
async function currentCommit() {
  const { output: commit } = await must('git', ['rev-parse', '--short', 'HEAD'], { cwd: root });
  const { output: changes } = await must('git', ['status', '--porcelain', '--untracked-files=no'], { cwd: root });
  return commit.trim() + (changes.trim() === '' ? '' : '+');
}

function about() {
  const options = [
    ...(part === 'stages' ? [] : [`--${part}`]),
    ...(part === 'memory' || isFilmed() ? [`--minutes ${minutes}`] : []),
    ...(protocol === 1 ? ['--protocol 1'] : []),
    ...(isJson ? ['--json'] : []),
    ...(isSaved ? ['--save'] : []),
  ];
  return {
    command: ['npm run bench:armv7', ...(options.length === 0 ? [] : ['--', ...options])].join(' '),
    commit,
    date: new Date().toISOString(),
    machine: `qemu-system-arm virt, ${CPU}, on ${arch()}: memory and ratios only`,
  };
}

function publish(result) {
  if (!isSaved) return;
  const folder = join(root, 'docs', 'results');
  mkdirSync(folder, { recursive: true });
  const name = part === 'stages' ? 'armv7' : `armv7-${part}`;
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
}

function print(result, text) {
  console.log(isJson ? JSON.stringify(result) : text);
}

/** What clips cost beside none. The machine holds the bodies that its cloud stores, so it has more memory than a camera. */
async function saveClips(lines) {
  const { clipFigures, clipLine, guestClipRuns } = await import('../dist/scripts/bench/clip-figures.js');
  const figures = clipFigures(guestClipRuns(lines));
  const result = { ...about(), minutes, machineMiB: machineMiB(), agentIs: FILMED, figures };
  publish(result);
  print(result, figures.map(clipLine).join('\n'));
}

/** What a look costs beside nobody looking. */
async function saveLooks(lines) {
  const { guestLookRuns, lookFigures, lookLine } = await import('../dist/scripts/bench/look-figures.js');
  const figures = lookFigures(guestLookRuns(lines));
  const result = { ...about(), minutes, machineMiB: machineMiB(), agentIs: LOOKED, figures };
  publish(result);
  print(result, figures.map(lookLine).join('\n'));
}

async function saveMemory(lines) {
  const { memoryFigures } = await import('../dist/scripts/bench/memory-figures.js');
  const { guestFigures } = await import('../dist/scripts/bench/guest-figures.js');
  const { samples, ...figures } = guestFigures(lines);
  const result = {
    ...about(),
    minutes,
    protocol,
    machineMiB: MEMORY_MIB,
    agentIs: `claimed by ${RECIPIENTS}, replaying 2 frames a second, publishing and receipted`,
    ...figures,
    ...memoryFigures(samples),
  };
  publish(result);
  print(result, JSON.stringify({ ...result, samples: samples.length }));
}
