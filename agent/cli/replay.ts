import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { realClock } from '../../common/adapters/real-clock.js';
import { Counters } from '../../common/counters.js';
import { isSealcamError } from '../../common/errors.js';
import { silentLog } from '../../common/log.js';
import type { Frame } from '../../hal/camera.js';
import { ReplayCamera } from '../../hal/replay/camera.js';
import { captureSettings, recorderSettings } from '../settings.js';
import { Capture } from '../capture/capture.js';
import type { Sighting, Transition } from '../capture/event-tracker.js';
import { configureImages, fitThumbnail } from '../capture/jpeg.js';
import type { ConfigSource } from '../../common/config/load.js';
import { loadAgentConfig } from '../config/keys.js';
import { PICTURE_MAX_BYTES } from '../record/sealer.js';
import type { Output } from './output.js';

interface FinishedEvent {
  readonly transition: Extract<Transition<Frame>, { type: 'end' }>;
  readonly best: Sighting<Frame>;
}

/**
 * `sealcam replay VIDEO`: the file through the camera's own detector; a line per finished event, and nothing is published.
 * Time is the file's and ids come from its content, so two runs print equal bytes.
 */
export async function replayCommand(
  path: string,
  source: ConfigSource,
  options: { readonly framesPerSecond: number },
  output: Output,
): Promise<number> {
  const config = loadAgentConfig(source);
  configureImages();
  const camera = new ReplayCamera({
    ...{ path, clock: realClock, folderFramesPerSecond: options.framesPerSecond },
    ...{ pace: 'fast', loop: false },
  });
  const { signal } = new AbortController();
  const info = await camera.open(signal);
  const clip = basename(path, extname(path));
  const fileHash = await hashOf(path);
  const counters = new Counters();
  const finished: FinishedEvent[] = [];
  let best: Sighting<Frame> | null = null;
  let count = 0;
  const capture = new Capture(info, captureSettings(config), {
    ...{ counters, log: silentLog, onScene: () => undefined },
    // A file has no time of day: no schedule applies to it.
    wallMsOf: () => null,
    onTransition: (transition) => {
      best = transition.sighting ?? best;
      if (transition.type === 'end' && best !== null) finished.push({ transition, best });
    },
  });

  let truncated: unknown;
  const started = realClock.monotonicMs();
  try {
    for await (const frame of camera.frames(signal)) {
      await capture.look(frame, frame.monotonicMs);
      await flush();
    }
  } catch (error) {
    // What came before the end of a cut-off file still counts; the error is said after it.
    if (!isSealcamError(error) || error.code !== 'video-truncated') throw error;
    truncated = error;
  }
  capture.finish();
  await flush();
  const seconds = (realClock.monotonicMs() - started) / 1000;
  const seen = counters.get('frames.seen');
  const corrupt = counters.get('frames.corrupt');
  output.say(
    `${String(count)} events in ${String(seen)} frames of ${clip} (${(seen / seconds).toFixed(0)} frames/s` +
      `${corrupt > 0 ? `, ${String(corrupt)} corrupt frames skipped` : ''})`,
  );
  if (truncated !== undefined) throw truncated as Error;
  return 0;

  async function flush(): Promise<void> {
    for (const event of finished.splice(0)) await print(event, count++);
  }

  async function print({ transition, best: sighting }: FinishedEvent, number: number): Promise<void> {
    const { span, endFrame, endMs, peakArea, reason } = transition;
    const settings = recorderSettings(config).thumbnail;
    const thumbnail = await fitThumbnail(sighting.frame.jpeg, settings, PICTURE_MAX_BYTES);
    const id = createHash('sha256').update(fileHash).update(String(number)).digest('hex').slice(0, 32);
    const line = {
      clip,
      event_id: id,
      start_frame: span.startFrame,
      onset_frame: span.onsetFrame,
      end_frame: endFrame,
      start_ms: span.startMs,
      end_ms: endMs,
      peak_area: Math.round(peakArea * 10_000) / 10_000,
      thumb_bytes: thumbnail?.jpeg.length ?? 0,
      reason,
    };
    output.emit(line);
    const time = (ms: number): string => `${(ms / 1000).toFixed(1).padStart(7)} s`;
    output.say(
      `event ${String(number + 1).padStart(3)}  ${time(span.startMs)} –${time(endMs)}  frames ${String(span.startFrame)}–${String(endFrame)}` +
        `  area ${(peakArea * 100).toFixed(1)} %  ${reason}`,
    );
  }
}

async function hashOf(path: string): Promise<Buffer> {
  const hash = createHash('sha256');
  const files = statSync(path).isDirectory()
    ? (await readdir(path))
        .filter((name) => /\.jpe?g$/i.test(name))
        .sort()
        .map((name) => join(path, name))
    : [path];
  for (const file of files) for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest();
}
