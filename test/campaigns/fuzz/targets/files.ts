import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { concat } from '../../../../common/bytes.js';
import type { ConfigTable } from '../../../../common/config/load.js';
import { SealcamError } from '../../../../common/errors.js';
import type { Random } from '../../../../common/random.js';
import { loadAgentConfig, CONFIG_KEYS } from '../../../../agent/config/keys.js';
import { LumaDecoder } from '../../../../agent/capture/luma-decoder.js';
import { Mirror } from '../../../../agent/outbox/mirror.js';
import { CLOUD_KEYS, loadCloudConfig } from '../../../../cloud/main/config.js';
import { encodeJpeg, jpegSize } from '../../../../hal/image.js';
import { JpegSplitter } from '../../../../hal/jpeg-splitter.js';
import { parseEdge } from '../../../../hal/linux/gpio-tools.js';
import { checkModes, chooseCamera, parseCamList, parseHelloList } from '../../../../hal/linux/offers.js';
import { parseThrottled } from '../../../../hal/linux/throttled.js';
import { chooseFormat, parseFfmpegFormats, parseV4l2Ctl } from '../../../../hal/linux/v4l2-formats.js';
import { listJpegs } from '../../../../hal/replay/jpeg-folder.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { sealVectors } from '../../../../scripts/vectors/seals.js';
import { VectorWorld } from '../../../../scripts/vectors/signed.js';
import { tempFolder } from '../../../support/runner/temp.js';
import type { Target } from '../harness.js';
import { below, mutateBytes, noise } from '../mutate.js';
import { textTarget } from './text.js';

/** Returns a configuration file that sets every setting to its default. */
function tomlOf(table: ConfigTable): string {
  return Object.entries(table)
    .map(([name, { default: initial }]) => `${name} = ${JSON.stringify(initial)}\n`)
    .join('');
}

const ZONES = '[[motion.zones]]\nname = "door"\ncorners = [[0, 0], [1, 0.5], [0.2, 1]]\n';

function configTarget(name: string, seeds: readonly string[], load: (file: string) => unknown): Target {
  let file: string | null = null;
  return textTarget(name, seeds, (text) => {
    file ??= join(tempFolder(), 'config.toml');
    writeFileSync(file, text);
    load(file);
    return undefined;
  });
}

const world = new VectorWorld(nodeSuite);
const sha256 = (data: Uint8Array): Uint8Array => nodeSuite.sha256(data);

/** Returns a mirror file as the agent writes it, with two slots. */
function mirrorSeed(): Uint8Array {
  const path = join(tempFolder(), 'outbox.mirror');
  const mirror = new Mirror(path, sha256);
  mirror.open();
  const { hash, bytes } = world.claim;
  mirror.write({ epoch: 1, claimHash: hash, seq: null, hash: null, claim: bytes });
  mirror.write({ epoch: 1, claimHash: hash, seq: 7, hash, claim: bytes });
  mirror.close();
  return new Uint8Array(readFileSync(path));
}

const SLOT_BYTES = 16 * 1024;

function mirrorTarget(): Target {
  let seed: Uint8Array | null = null;
  let path: string | null = null;
  return {
    name: 'mirror file',
    input: (random) => {
      seed ??= mirrorSeed();
      const mutated = mutateBytes(random, seed);
      if (below(random, 2) === 0) return mutated;
      // The checksum is corrected, so that the parser behind it is reached.
      const slot = mutated.slice(0, SLOT_BYTES);
      return slot.length < SLOT_BYTES ? mutated : concat(sha256(slot.subarray(32)), slot.subarray(32));
    },
    run: (input) => {
      path ??= join(tempFolder(), 'outbox.mirror');
      writeFileSync(path, input);
      const mirror = new Mirror(path, sha256);
      mirror.open();
      mirror.close();
      return undefined;
    },
  };
}

const jpeg = sealVectors(nodeSuite).good[0]?.content.jpeg ?? new Uint8Array(0);

function damagedJpeg(random: Random): Uint8Array {
  return below(random, 4) === 0 ? noise(random, 60) : mutateBytes(random, jpeg);
}

function framesOf(splitter: JpegSplitter, chunks: readonly Uint8Array[]): Uint8Array[] {
  return chunks.flatMap((chunk) => splitter.push(chunk));
}

/**
 * Checks that frames do not depend on how the pipe splits them, and that every byte is in a frame, skipped or pending.
 */
const splitter: Target = {
  name: 'JPEG stream',
  input: (random) => {
    const parts = Array.from({ length: 1 + below(random, 4) }, () =>
      below(random, 2) === 0 ? jpeg : damagedJpeg(random),
    );
    return concat(...parts);
  },
  run: (input) => {
    const one = new JpegSplitter();
    const whole = framesOf(one, [input]);
    const cut = new JpegSplitter();
    const pieces = framesOf(
      cut,
      Array.from({ length: Math.ceil(input.length / 7) }, (_, i) => input.subarray(7 * i, 7 * i + 7)),
    );
    const sizes = (frames: readonly Uint8Array[]): string => frames.map(({ length }) => length).join();
    if (sizes(whole) !== sizes(pieces)) throw new Error(`files of ${sizes(whole)}, or of ${sizes(pieces)}`);
    const total = whole.reduce((sum, { length }) => sum + length, one.skippedBytes + one.pendingBytes);
    if (total !== input.length) throw new Error(`${String(total)} of ${String(input.length)} bytes accounted for`);
    return undefined;
  },
};

const picture: Target = {
  name: 'JPEG header',
  input: (random) => (below(random, 5) === 0 ? jpeg : mutateBytes(random, jpeg)),
  run: (input) => {
    jpegSize(input);
    return undefined;
  },
};

const baselineJpeg = await encodeJpeg(
  { width: 32, height: 16, channels: 3, data: Uint8Array.from({ length: 32 * 16 * 3 }, (_, i) => (i * i) % 251) },
  80,
);

/** The brightness of a small picture; what is damaged or left to libvips counts as refused. */
const luma: Target = {
  name: 'JPEG luma',
  input: (random) => (below(random, 5) === 0 ? baselineJpeg : mutateBytes(random, baselineJpeg)),
  run: (input) => {
    const plane = new LumaDecoder().decode(input, 8);
    if (plane === null || plane === 'damaged')
      throw new SealcamError('frame-corrupt', 'not a picture for this decoder');
    if (plane.data.length !== plane.width * plane.height) throw new Error('a plane of another size');
    return undefined;
  },
};

const NAMES = ['frame1.jpg', 'frame10.JPEG', '.jpg', '..jpg', 'x.jpg.png', 'ä.jpg', '0000000000000000001.jpg', '-.jpg'];

/** The input is the names of a folder's files, one a line. */
function folderTarget(): Target {
  return textTarget('replay folder', [NAMES.join('\n')], async (text) => {
    const folder = tempFolder();
    const names = text.split('\n').map((name) => name.replace(/[/\0]/g, '').slice(0, 80));
    for (const name of names) if (!['', '.', '..'].includes(name)) writeFileSync(join(folder, name), '');
    try {
      await listJpegs(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return undefined;
  });
}

const HELLO = `Available cameras
0 : imx708 [4608x2592 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx708@1a)
    Modes: 'SRGGB10_CSI2P' : 1536x864 [120.13 fps - (768, 432)/3072x1728 crop]
                             2304x1296 [56.03 fps - (0, 0)/4608x2592 crop]
`;
const CAM = "Available cameras:\n1: 'imx708' (/base/soc/i2c0mux/i2c@1/imx708@1a)\n2: External camera 'x' (usb)\n";
const V4L2 = `ioctl: VIDIOC_ENUM_FMT
	[0]: 'MJPG' (Motion-JPEG, compressed)
		Size: Discrete 1280x720
			Interval: Discrete 0.033s (30.000 fps)
	[1]: 'YUYV' (YUYV 4:2:2)
		Size: Stepwise 32x32 - 1920x1080 with step 2/2
			Interval: Continuous 0.011s - 1.000s (1.000-90.000 fps)
`;
const FFMPEG = `[video4linux2,v4l2 @ 0x55] Raw       :     yuyv422 :           YUYV 4:2:2 : 640x480 320x240
[video4linux2,v4l2 @ 0x55] Compressed:       mjpeg :          Motion-JPEG : 1280x720 {32-2592, 2}x{32-1944, 2}
`;
const wanted = { width: 1280, height: 720, framesPerSecond: 10 };

const TOOLS: readonly Target[] = [
  textTarget('rpicam-hello', [HELLO], (text) => {
    checkModes(chooseCamera(parseHelloList(text), ''), wanted);
    return undefined;
  }),
  textTarget('cam -l', [CAM], (text) => {
    chooseCamera(parseCamList(text), '');
    return undefined;
  }),
  textTarget('v4l2-ctl', [V4L2], (text) => {
    chooseFormat('x', parseV4l2Ctl(text), wanted);
    return undefined;
  }),
  textTarget('ffmpeg formats', [FFMPEG], (text) => {
    chooseFormat('x', parseFfmpegFormats(text), wanted);
    return undefined;
  }),
  textTarget('throttled and gpio', ['throttled=0x50005', '1700000000.123 rising gpiochip0 17', '50000'], (text) => {
    parseThrottled(text);
    parseEdge(text);
    return undefined;
  }),
];

/** The input is one environment variable: `NAME=value`. */
function environmentTarget(): Target {
  const seeds = Object.entries(CONFIG_KEYS).map(([name, { default: initial }]) => {
    const variable = name.replace(/[A-Z]/g, '_$&').replace('.', '_').toUpperCase();
    return `SEALCAM_${variable}=${typeof initial === 'string' ? initial : JSON.stringify(initial)}`;
  });
  return textTarget('agent environment', seeds, (text) => {
    const at = text.indexOf('=');
    loadAgentConfig({ file: null, environment: { [text.slice(0, Math.max(0, at))]: text.slice(at + 1) } });
    return undefined;
  });
}

const environment: Readonly<Record<string, string>> = {};

export const FILE_TARGETS: readonly Target[] = [
  configTarget('agent configuration', [tomlOf(CONFIG_KEYS), ZONES], (file) => loadAgentConfig({ file, environment })),
  configTarget('cloud configuration', [tomlOf(CLOUD_KEYS)], (file) => loadCloudConfig({ file, environment })),
  environmentTarget(),
  mirrorTarget(),
  splitter,
  picture,
  luma,
  folderTarget(),
  ...TOOLS,
];
