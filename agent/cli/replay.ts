import { createHash } from 'node:crypto';
import { createReadStream, statSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { realClock } from '../../common/adapters/real-clock.js';
import { Counters } from '../../common/counters.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import { silentLog } from '../../common/log.js';
import type { Camera, CameraInfo, Frame } from '../../hal/camera.js';
import { SCENARIOS } from '../../hal/mock-scenarios.js';
import { GOLDEN } from '../../hal/mock/golden.js';
import { MockCamera } from '../../hal/mock/camera.js';
import { buildScript } from '../../hal/mock/scenarios.js';
import { ReplayCamera } from '../../hal/replay/camera.js';
import { captureSettings, recorderSettings } from '../main/settings.js';
import { Capture } from '../capture/capture.js';
import type { Sighting, Transition } from '../capture/event-tracker.js';
import { configureImages, fitThumbnail } from '../capture/jpeg.js';
import { boxWithin, cropFor } from '../capture/picture-choice.js';
import type { ConfigSource } from '../../common/config/load.js';
import { loadAgentConfig, type Config } from '../config/keys.js';
import type { RecorderSettings } from '../record/recorder.js';
import { SheetWriter } from './explain.js';
import type { Output } from './output.js';
import { drawContactSheet, type Cell } from './sheet.js';
import { StretchFinder } from './stretch.js';

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
  const replay = new Replay(path, { info, config, options, output, fileHash: await hashOf(path) });
  let truncated: unknown;
  try {
    for await (const frame of camera.frames(signal)) await replay.inspectFrame(frame);
  } catch (error) {
    // What came before the end of a cut-off file still counts; the error is said after it.
    if (!isSealcamError(error) || error.code !== 'video-truncated') throw error;
    truncated = error;
  }
  await replay.finish();
  if (truncated !== undefined) throw truncated as Error;
  return 0;
}

interface ReplayParts {
  readonly info: CameraInfo;
  readonly config: Config;
  readonly options: ReplayOptions;
  readonly output: Output;
  /** Of the video: ids of events come from it. */
  readonly fileHash: Buffer;
}

/** A video on its way through the detector: events are printed as they end, and sheets drawn of what was seen. */
class Replay {
  private readonly clip: string;
  private readonly fileHash: Buffer;
  private readonly options: ReplayOptions;
  private readonly output: Output;
  private readonly thumbnail: RecorderSettings['thumbnail'];
  private readonly counters = new Counters();
  private readonly capture: Capture;
  private readonly sheets: SheetWriter | null;
  private readonly finder = new StretchFinder();
  private readonly cells: Cell[] = [];
  private readonly startedMs = realClock.monotonicMs();
  /** Of the frame that is looked at. */
  private transitions: Transition<Frame>[] = [];
  private best: Sighting<Frame> | null = null;
  private count = 0;

  constructor(path: string, { info, config, options, output, fileHash }: ReplayParts) {
    this.clip = basename(path, extname(path));
    this.fileHash = fileHash;
    this.options = options;
    this.output = output;
    this.thumbnail = recorderSettings(config).thumbnail;
    this.sheets = options.explain === undefined ? null : new SheetWriter(options.explain, this.clip);
    this.capture = new Capture(info, captureSettings(config), {
      counters: this.counters,
      log: silentLog,
      onScene: () => undefined,
      // A file has no time of day: no schedule applies to it.
      wallMsOf: () => null,
      onTransition: (transition) => {
        this.transitions.push(transition);
      },
    });
  }

  async inspectFrame(frame: Frame): Promise<void> {
    await this.capture.inspectFrame(frame, frame.monotonicMs);
    const transitions = await this.print();
    const { sheets, finder, capture, clip } = this;
    if (sheets === null) return;
    const { lastLook } = capture;
    // A frame that could not be looked at is in no stretch.
    const inspection = lastLook?.index === frame.index ? capture.inspect() : null;
    if (lastLook !== null && inspection !== null) {
      const { observation } = lastLook;
      for (const one of finder.addInspection({ frame, observation, inspection }, transitions)) await sheets.write(one);
    }
    if (frame.index % PROGRESS_FRAMES === PROGRESS_FRAMES - 1) {
      process.stderr.write(`${clip}: ${String(frame.index + 1)} frames\n`);
    }
  }

  async finish(): Promise<void> {
    const { capture, counters, sheets, finder, options, output, clip, cells } = this;
    capture.finish();
    const transitions = await this.print();
    if (sheets !== null) for (const stretch of finder.finish(transitions)) await sheets.write(stretch);
    const seconds = (realClock.monotonicMs() - this.startedMs) / 1000;
    const seen = counters.get('frames.seen');
    const corrupt = counters.get('frames.corrupt');
    output.printLine(
      `${String(this.count)} events in ${String(seen)} frames of ${clip} (${(seen / seconds).toFixed(0)} frames/s` +
        `${corrupt > 0 ? `, ${String(corrupt)} corrupt frames skipped` : ''})`,
    );
    if (sheets !== null) output.printLine(sheets.summary);
    if (options.contactSheet === undefined) return;
    const more = this.count > cells.length ? `, the first ${String(cells.length)}` : '';
    writeFileSync(options.contactSheet, await drawContactSheet(`${clip}: ${String(this.count)} events${more}`, cells));
  }

  /** What the last frame began, bettered or ended; events that ended are printed. */
  private async print(): Promise<readonly Transition<Frame>[]> {
    const transitions = this.transitions.splice(0);
    for (const transition of transitions) {
      this.best = transition.sighting ?? this.best;
      if (transition.type === 'end' && this.best !== null) await this.event(transition, this.best);
    }
    return transitions;
  }

  private async event(
    { span, endFrame, endMs, peakArea, reason }: Extract<Transition<Frame>, { type: 'end' }>,
    sighting: Sighting<Frame>,
  ): Promise<void> {
    const { output, options, cells, thumbnail: settings } = this;
    const number = this.count++;
    const crop = cropFor(settings.crop, sighting.box);
    const thumbnail = await fitThumbnail(sighting.frame.jpeg, settings, settings.maxBytes, crop);
    output.emit({
      clip: this.clip,
      event_id: createHash('sha256').update(this.fileHash).update(String(number)).digest('hex').slice(0, 32),
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
    });
    const time = (ms: number): string => `${(ms / 1000).toFixed(1).padStart(7)} s`;
    output.printLine(
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
    scene: config['mock.scene'],
    framesPerSecond: config['camera.framesPerSecond'],
    durationMs: MOCK_MS,
  };
  // One with a known right answer has its own place, pace and length.
  const golden: Readonly<Record<string, typeof asked>> = GOLDEN;
  const { scene, framesPerSecond, durationMs } = golden[scenario] ?? asked;
  return new MockCamera({
    script: buildScript(scene, scenario, config['mock.seed']),
    framesPerSecond,
    clock: realClock,
    pace: 'fast',
    frameLimit: Math.ceil((durationMs * framesPerSecond) / 1000),
    withLuma: true,
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
