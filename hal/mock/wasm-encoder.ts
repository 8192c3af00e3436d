import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { concat } from '../../common/bytes.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import { readJpegSize } from '../../common/jpeg-size.js';
import type { Frame } from '../camera.js';
import { NAL, nalType } from '../h264/nal.js';
import { H264Track } from '../h264/track.js';
import { decodeRgba } from '../image.js';
import type { FrameEncoder, FrameEncoderOptions } from './frame-encoder.js';

/** Time between two key units. The encoder gives its units group by group, so it is also how late they come. */
export const WASM_KEY_INTERVAL_MS = 1000;
/** With this many groups of frames in hand, the encoder is too slow and frames are lost. */
const GROUPS_MAX = 3;

const START_CODE = Uint8Array.of(0, 0, 0, 1);
const DELIMITER = Uint8Array.of(0, 0, 0, 1, NAL.delimiter, 0xf0);

/**
 * The thread of the encoder, as text: this file runs as TypeScript in tests, where a thread could not. Takes the pixels of one frame
 * each, null at the end; gives one MP4 file for each group of frames, since parameter sets and the last pictures come only when a file
 * is done.
 */
const THREAD = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { createH264MP4Encoder } = require(workerData.path);
  const settings = workerData.settings;
  let encoder = null;
  let count = 0;
  let work = Promise.resolve();
  const flush = () => {
    if (encoder === null) return;
    encoder.finalize();
    parentPort.postMessage(encoder.FS.readFile(encoder.outputFilename));
    encoder.FS.unlink(encoder.outputFilename);
    encoder.delete();
    encoder = null;
    count = 0;
  };
  const add = async (pixels) => {
    if (encoder === null) {
      encoder = await createH264MP4Encoder();
      Object.assign(encoder, settings);
      encoder.initialize();
    }
    encoder.addFrameRgba(pixels);
    if (++count >= settings.groupOfPictures) flush();
  };
  parentPort.on('message', (pixels) => {
    work = work.then(async () => {
      if (pixels !== null) return add(pixels);
      flush();
      parentPort.close();
    });
  });
`;

/** Returns where the encoder is: a tool of developers, which no camera carries. Null where it is not installed. */
export function findWasmEncoder(): string | null {
  try {
    return createRequire(import.meta.url).resolve('h264-mp4-encoder');
  } catch {
    return null;
  }
}

/** minih264 in WebAssembly as an encoder, where there is no ffmpeg: in a thread of its own, and a second late. */
export class WasmEncoder implements FrameEncoder {
  private readonly thread: Worker;
  private readonly track: H264Track;
  private readonly groupFrames: number;
  /** Frames whose units have not come, and the times of those that are in the thread. */
  private inHand = 0;
  private readonly times: number[] = [];
  private work: Promise<void> = Promise.resolve();

  /** @param path as {@link findWasmEncoder} returns it */
  constructor(path: string, { width, height, framesPerSecond, onUnit, onFault }: FrameEncoderOptions) {
    this.groupFrames = Math.max(1, Math.round((framesPerSecond * WASM_KEY_INTERVAL_MS) / 1000));
    this.track = new H264Track({ onUnit, onFault });
    const settings = {
      width,
      height,
      frameRate: framesPerSecond,
      groupOfPictures: this.groupFrames,
      speed: 10,
      quantizationParameter: 28,
    };
    this.thread = new Worker(THREAD, { eval: true, workerData: { path, settings } });
    this.thread.on('message', (file: Uint8Array) => {
      this.addUnits(file);
    });
    this.thread.once('error', (error) => {
      onFault(new SealcamError('video-ended', `the encoder failed: ${asSealcamError(error).message}`));
    });
    this.thread.once('exit', () => {
      onFault(new SealcamError('video-ended', 'the encoder ended'));
    });
  }

  add({ jpeg, monotonicMs }: Frame): void {
    if (this.inHand >= GROUPS_MAX * this.groupFrames || readJpegSize(jpeg) === null) return;
    this.inHand++;
    this.work = this.work.then(async () => {
      const pixels = await decodeRgba(jpeg);
      if (pixels === null) {
        this.inHand--;
        return;
      }
      this.times.push(monotonicMs);
      this.thread.postMessage(pixels, [pixels.buffer]);
    });
  }

  end(): void {
    void this.work.then(() => {
      this.thread.postMessage(null);
    });
  }

  kill(): void {
    void this.thread.terminate();
  }

  private addUnits(file: Uint8Array): void {
    const { sets, pictures } = readMp4(file);
    for (const picture of pictures) {
      const isKey = nalType(picture) === NAL.idr;
      const bytes = concat(DELIMITER, ...(isKey ? sets : []).flatMap(withStartCode), ...withStartCode(picture));
      this.inHand--;
      this.track.add({ bytes, isKey, isBidirectional: false, beganMs: this.times.shift() ?? 0 });
    }
  }
}

function withStartCode(nal: Uint8Array): readonly Uint8Array[] {
  return [START_CODE, nal];
}

interface Mp4 {
  readonly sets: readonly Uint8Array[];
  readonly pictures: readonly Uint8Array[];
}

/** Reads a file of the encoder, which has one track, and one slice for each picture. */
function readMp4(file: Uint8Array): Mp4 {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  return {
    sets: parameterSets(boxIn(bytes, bytes.lastIndexOf('avcC'))),
    pictures: nalsIn(boxIn(bytes, bytes.indexOf('mdat'))),
  };
}

/** Returns the content of the box whose name stands at a place. */
function boxIn(bytes: Buffer, nameAt: number): Buffer {
  return nameAt < 4 ? Buffer.alloc(0) : bytes.subarray(nameAt + 4, nameAt - 4 + bytes.readUInt32BE(nameAt - 4));
}

/** Returns the units of the track, each with its length in front. */
function nalsIn(content: Buffer): readonly Uint8Array[] {
  const nals: Uint8Array[] = [];
  for (let at = 0; at + 4 < content.length;) {
    const end = at + 4 + content.readUInt32BE(at);
    nals.push(content.subarray(at + 4, end));
    at = end;
  }
  return nals;
}

/** Returns the parameter sets of the decoder's configuration (ISO 14496-15, 5.3.3.1): one of each kind. */
function parameterSets(content: Buffer): readonly Uint8Array[] {
  const sets: Uint8Array[] = [];
  for (let at = 5; at + 3 < content.length;) {
    const end = at + 3 + content.readUInt16BE(at + 1);
    sets.push(content.subarray(at + 3, end));
    at = end;
  }
  return sets;
}
