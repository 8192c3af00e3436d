import { realClock } from '../../common/adapters/real-clock.js';
import { SealcamError } from '../../common/errors.js';
import type { Camera } from '../../hal/camera.js';
import type { VideoSource, VideoUnit } from '../../hal/video-source.js';
import type { Config } from '../config/keys.js';
import { cameraOf } from '../main/cameras.js';

const CHECK_TIMEOUT_MS = 25_000;
/** Units that are read, up to the next key unit. */
const UNITS_MIN = 10;

/** Streams the configured video for a moment. Returns what it is. @throws SealcamError as the video does */
export async function checkVideo(config: Config): Promise<string> {
  const { camera, video } = cameraOf(config, realClock);
  if (video === null) throw new SealcamError('video-unsupported', 'clip.codec is off');
  const limit = AbortSignal.timeout(CHECK_TIMEOUT_MS);
  try {
    const { codec, width, height, framesPerSecond } = await video.open(limit);
    const units = await readUnits(camera, video, limit);
    if (units.at(-1)?.isKey !== true || units.length < UNITS_MIN) {
      throw new SealcamError('video-ended', `${String(units.length)} units in ${String(CHECK_TIMEOUT_MS / 1000)} s`);
    }
    const keys = units.filter(({ isKey }) => isKey).length - 1;
    const size = `${String(width)}x${String(height)}`;
    const unitsPerKey = (units.length - 1) / Math.max(1, keys);
    const seconds = (unitsPerKey / framesPerSecond).toFixed(1);
    return `${codec} ${size} at ${String(Math.round(framesPerSecond))} a second, a key unit every ${seconds} s`;
  } finally {
    await camera.close();
  }
}

/** Reads units up to the first key unit after {@link UNITS_MIN}, or to the limit. */
async function readUnits(camera: Camera, video: VideoSource, limit: AbortSignal): Promise<readonly VideoUnit[]> {
  const done = new AbortController();
  const signal = AbortSignal.any([limit, done.signal]);
  const units: VideoUnit[] = [];
  const reading = async (): Promise<void> => {
    for await (const _ of camera.frames(signal));
  };
  const watching = async (): Promise<void> => {
    try {
      for await (const unit of video.units(signal)) {
        units.push(unit);
        if (unit.isKey && units.length > UNITS_MIN) break;
      }
    } finally {
      done.abort();
    }
  };
  await Promise.all([reading(), watching()]);
  return units;
}
