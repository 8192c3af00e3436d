import { realClock } from '../../common/adapters/real-clock.js';
import { SealcamError } from '../../common/errors.js';
import { CAMERA_DRIVERS } from '../../hal/camera-drivers.js';
import type { Camera } from '../../hal/camera.js';
import type { VideoSource, VideoUnit } from '../../hal/video-source.js';
import { Segmenter } from '../clip/segmenter.js';
import { UnitRing } from '../clip/unit-ring.js';
import type { Config } from '../config/keys.js';
import { cameraOf } from '../main/cameras.js';
import { runningAgent } from './running-agent.js';

const CHECK_TIMEOUT_MS = 25_000;
/** Beyond the pre-roll: up to two groups of pictures are dropped at a time. */
const READ_MORE_MS = 5000;

/** Streams the configured video for a moment. Returns what it is, and what a clip of it would be. @throws SealcamError as the video does */
export async function checkVideo(config: Config): Promise<string> {
  if (CAMERA_DRIVERS[config['camera.driver']].isHardware && (await runningAgent(config)) !== undefined) {
    return 'the running agent has the camera; `clip status` on its console tells';
  }
  const { camera, video } = cameraOf(config, realClock);
  if (video === null) throw new SealcamError('video-unsupported', 'clip.codec is off');
  const prerollMs = config['clip.prerollSeconds'] * 1000;
  const limit = AbortSignal.timeout(CHECK_TIMEOUT_MS + prerollMs);
  try {
    const { codec, width, height, framesPerSecond } = await video.open(limit);
    const ring = new UnitRing({ prerollMs, maxBytes: config['clip.ringBytes'] });
    const units = await readUnits({ camera, video, readMs: prerollMs + READ_MORE_MS, limit });
    for (const unit of units) ring.add(unit);
    if (units.length === 0) throw new SealcamError('video-ended', 'no unit of video came in time');
    const segmenter = new Segmenter(codec, framesPerSecond);
    const segments = [...units.flatMap((unit) => segmenter.add(unit)), ...segmenter.flush()];
    const largest = Math.max(...segments.map(({ bytes }) => bytes.length));
    const size = `${String(width)}x${String(height)} at ${String(Math.round(framesPerSecond))} a second`;
    const keys = units.filter(({ isKey }) => isKey).length;
    return (
      `${codec} ${size}, ${String(keys)} key units of ${String(units.length)}; pre-roll ${(ring.heldMs / 1000).toFixed(1)} s, ` +
      `segments up to ${String(Math.ceil(largest / 1024))} KiB`
    );
  } finally {
    await camera.close();
  }
}

interface Reading {
  readonly camera: Camera;
  readonly video: VideoSource;
  /** Length of video that is read. */
  readonly readMs: number;
  readonly limit: AbortSignal;
}

async function readUnits({ camera, video, readMs, limit }: Reading): Promise<readonly VideoUnit[]> {
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
        if (unit.monotonicMs - (units[0]?.monotonicMs ?? 0) >= readMs) break;
      }
    } finally {
      done.abort();
    }
  };
  await Promise.all([reading(), watching()]);
  return units;
}
