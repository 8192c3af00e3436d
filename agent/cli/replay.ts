import { createHash } from 'node:crypto';
import { createReadStream, statSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { realClock } from '../../common/adapters/real-clock.js';
import { Counters } from '../../common/counters.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import { silentLog } from '../../common/log.js';
import type { Camera, Frame } from '../../hal/camera.js';
import { SCENARIOS } from '../../hal/driver-names.js';
import { GOLDEN } from '../../hal/mock/golden.js';
import { MockCamera } from '../../hal/mock/camera.js';
import { buildScript } from '../../hal/mock/script.js';
import { ReplayCamera } from '../../hal/replay/camera.js';
import { captureSettings, recorderSettings } from '../settings.js';
import { Capture } from '../capture/capture.js';
import type { Sighting, Transition } from '../capture/event-tracker.js';
import { configureImages, fitThumbnail } from '../capture/jpeg.js';
import { boxWithin, cropAround } from '../capture/picture-choice.js';
import type { ConfigSource } from '../../common/config/load.js';
import { loadAgentConfig, type Config } from '../config/keys.js';
import { SheetWriter } from './explain.js';
import type { Output } from './output.js';
import { drawContactSheet, type Cell } from './sheet.js';
import { StretchFinder } from './stretch.js';

interface FinishedEvent {
  readonly transition: Extract<Transition<Frame>, { type: 'end' }>;
  readonly best: Sighting<Frame>;
}

export interface ReplayOptions {
  readonly framesPerSecond: number;
  /** A folder for a sheet of each event, and of each stretch that might have been one. */
  readonly explain?: string;
  /** A PNG file of all events' pictures. */
  readonly contactSheet?: string;
}

const MOCK = 'mock:';
const MOCK_MS = 60_000;
/** More events than this are not on the contact sheet. */
const CELLS_MAX = 120;
/** Sheets are drawn long after a video seems to be over: it is said how far they are. */
const PROGRESS_FRAMES = 500;

/**
 * `sealcam replay VIDEO`: the file through the camera's own detector; a line per finished event, and nothing is published.
 * Time is the file's and ids come from its content, so two runs print equal bytes.
 */
export async function replayCommand(
  path: string,
  source: ConfigSource,
  options: ReplayOptions,
  output: Output,
): Promise<number> {
  const config = loadAgentConfig(source);
  configureImages();
  const camera = cameraOf(path, config, options.framesPerSecond);
  const { signal } = new AbortController();
  const info = await camera.open(signal);
  const clip = basename(path, extname(path));
  const fileHash = await hashOf(path);
  const counters = new Counters();
  const finished: FinishedEvent[] = [];
  const cells: Cell[] = [];
  const sheets = options.explain === undefined ? null : new SheetWriter(options.explain, clip);
  const finder = new StretchFinder();
  let transitions: Transition<Frame>[] = [];
  let best: Sighting<Frame> | null = null;
  let count = 0;
  const capture = new Capture(info, captureSettings(config), {
    ...{ counters, log: silentLog, onScene: () => undefined },
    // A file has no time of day: no schedule applies to it.
    wallMsOf: () => null,
    onTransition: (transition) => {
      transitions.push(transition);
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
      await explain(frame);
      if (sheets !== null && frame.index % PROGRESS_FRAMES === PROGRESS_FRAMES - 1) {
        process.stderr.write(`${clip}: ${String(frame.index + 1)} frames\n`);
      }
    }
  } catch (error) {
    // What came before the end of a cut-off file still counts; the error is said after it.
    if (!isSealcamError(error) || error.code !== 'video-truncated') throw error;
    truncated = error;
  }
  capture.finish();
  await flush();
  if (sheets !== null) for (const stretch of finder.finish(transitions)) await sheets.write(stretch);
  const seconds = (realClock.monotonicMs() - started) / 1000;
  const seen = counters.get('frames.seen');
  const corrupt = counters.get('frames.corrupt');
  output.say(
    `${String(count)} events in ${String(seen)} frames of ${clip} (${(seen / seconds).toFixed(0)} frames/s` +
      `${corrupt > 0 ? `, ${String(corrupt)} corrupt frames skipped` : ''})`,
  );
  if (sheets !== null) output.say(sheets.summary);
  if (options.contactSheet !== undefined) {
    const more = count > cells.length ? `, the first ${String(cells.length)}` : '';
    writeFileSync(options.contactSheet, await drawContactSheet(`${clip}: ${String(count)} events${more}`, cells));
  }
  if (truncated !== undefined) throw truncated as Error;
  return 0;

  async function flush(): Promise<void> {
    for (const event of finished.splice(0)) await print(event, count++);
  }

  /** A frame that could not be looked at is in no stretch. */
  async function explain(frame: Frame): Promise<void> {
    const now = transitions;
    transitions = [];
    const look = sheets === null || capture.lastLook?.index !== frame.index ? null : capture.inspect();
    if (sheets === null || look === null || capture.lastLook === null) return;
    const { observation } = capture.lastLook;
    for (const stretch of finder.take({ frame, observation, inspection: look }, now)) await sheets.write(stretch);
  }

  async function print({ transition, best: sighting }: FinishedEvent, number: number): Promise<void> {
    const { span, endFrame, endMs, peakArea, reason } = transition;
    const settings = recorderSettings(config).thumbnail;
    const crop = settings.crop === 'subject' && sighting.box !== null ? cropAround(sighting.box) : null;
    const thumbnail = await fitThumbnail(sighting.frame.jpeg, settings, settings.maxBytes, crop);
    const id = createHash('sha256').update(fileHash).update(String(number)).digest('hex').slice(0, 32);
    const line = {
      clip,
      event_id: id,
      start_frame: span.startFrame,
      onset_frame: span.onsetFrame,
      end_frame: endFrame,
      start_ms: span.startMs,
      end_ms: endMs,
      onset_ms: span.onsetMs,
      picture_ms: sighting.timeMs,
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
    if (options.contactSheet === undefined || thumbnail === null || cells.length >= CELLS_MAX) return;
    const box = sighting.box === null || crop === null ? sighting.box : boxWithin(crop, sighting.box);
    cells.push({ thumbnail, box, caption: `${String(number + 1)}: ${time(sighting.timeMs).trim()}` });
  }
}

/** A file, a folder of JPEG files, or a mock scenario: `mock:walk`. */
function cameraOf(path: string, config: Config, folderFramesPerSecond: number): Camera {
  if (!path.startsWith(MOCK)) {
    return new ReplayCamera({ path, clock: realClock, folderFramesPerSecond, pace: 'fast', loop: false });
  }
  const scenario = SCENARIOS.find((name) => name === path.slice(MOCK.length));
  if (scenario === undefined) {
    throw new SealcamError('usage-invalid', `${path}: scenarios are ${SCENARIOS.join(', ')}`);
  }
  const asked = {
    ...{ scene: config['mock.scene'], framesPerSecond: config['camera.framesPerSecond'] },
    durationMs: MOCK_MS,
  };
  // One with a known right answer has its own place, pace and length.
  const golden: Readonly<Record<string, typeof asked>> = GOLDEN;
  const { scene, framesPerSecond, durationMs } = golden[scenario] ?? asked;
  return new MockCamera({
    ...{ script: buildScript(scene, scenario, config['mock.seed']), framesPerSecond, clock: realClock },
    ...{ pace: 'fast', frameLimit: Math.ceil((durationMs * framesPerSecond) / 1000), withLuma: true },
  });
}

async function hashOf(path: string): Promise<Buffer> {
  const hash = createHash('sha256');
  if (path.startsWith(MOCK)) return hash.update(path).digest();
  const files = statSync(path).isDirectory()
    ? (await readdir(path))
        .filter((name) => /\.jpe?g$/i.test(name))
        .sort()
        .map((name) => join(path, name))
    : [path];
  for (const file of files) for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest();
}
