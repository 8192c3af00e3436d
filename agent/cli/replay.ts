import { createHash } from 'node:crypto';
import { createReadStream, statSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { realClock } from '../../common/adapters/real-clock.js';
import { toHex } from '../../common/bytes.js';
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
import { fitThumbnail } from '../capture/jpeg.js';
import { boxWithin, cropFor } from '../capture/picture-choice.js';
import type { ConfigSource } from '../../common/config/load.js';
import { loadAgentConfig, type Config } from '../config/keys.js';
import type { RecorderSettings } from '../record/recorder.js';
import { ReplayClips } from './replay-clips.js';
import { SheetWriter } from './explain.js';
import type { Output } from './output.js';
import { drawContactSheet, type Cell } from './sheet.js';
import { StretchFinder } from './stretch.js';

export interface ReplayOptions {
  readonly framesPerSecond: number;
  /** Folder for a sheet of each event and of each near miss. */
  readonly explain?: string;
  /** PNG file with the pictures of all events. */
  readonly contactSheet?: string;
  /** Folder for the sealed clips of the events. */
  readonly clips?: string;
  /** File with the master key of the owner to whom they are sealed, to open them as well. */
  readonly open?: string;
}

const MOCK_PREFIX = 'mock:';
const MOCK_DURATION_MS = 60_000;
/** Events on the contact sheet; later ones are omitted. */
const CONTACT_SHEET_CELLS_MAX = 120;
/** With sheets a video takes long: progress is printed after this many frames. */
const PROGRESS_FRAMES = 500;
const EVENT_ID_BYTES = 16;

/**
 * Runs `sealcam replay VIDEO`: plays the file through the camera's detector and prints a line for each event that ended.
 * Publishes nothing. Time comes from the file and ids from its content, so two runs print the same bytes.
 */
export async function replayCommand(
  path: string,
  source: ConfigSource,
  options: ReplayOptions,
  output: Output,
): Promise<number> {
  const config = loadAgentConfig(source);
  const camera = cameraOf(path, config, options.framesPerSecond);
  const { signal } = new AbortController();
  const info = await camera.open(signal);
  const { clips: folder, open } = options;
  if (folder === undefined && open !== undefined) throw new SealcamError('usage-invalid', '--open goes with --clips');
  const clips =
    folder === undefined
      ? null
      : await ReplayClips.of(path, { info, config, options: { clips: folder, open }, output, signal });
  const replay = new Replay(path, { info, config, options, output, clips, fileHash: await hashOf(path) });
  let truncated: unknown;
  try {
    for await (const frame of camera.frames(signal)) await replay.inspectFrame(frame);
  } catch (error) {
    // The events before the end of a truncated file still count; the error is reported after them.
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
  readonly clips: ReplayClips | null;
  /** Hash of the video; event ids are derived from it. */
  readonly fileHash: Buffer;
}

/** Plays a video through the detector: prints events as they end, and draws their sheets. */
class Replay {
  private readonly clip: string;
  private readonly fileHash: Buffer;
  private readonly options: ReplayOptions;
  private readonly output: Output;
  private readonly clips: ReplayClips | null;
  private readonly thumbnail: RecorderSettings['thumbnail'];
  private readonly counters = new Counters();
  private readonly capture: Capture;
  private readonly sheets: SheetWriter | null;
  private readonly finder = new StretchFinder();
  private readonly cells: Cell[] = [];
  private readonly startedMs = realClock.monotonicMs();
  /** Transitions that the frame under inspection caused. */
  private transitions: Transition<Frame>[] = [];
  private best: Sighting<Frame> | null = null;
  private count = 0;

  constructor(path: string, { info, config, options, output, clips, fileHash }: ReplayParts) {
    this.clip = basename(path, extname(path));
    this.fileHash = fileHash;
    this.options = options;
    this.output = output;
    this.clips = clips;
    this.thumbnail = recorderSettings(config).thumbnail;
    this.sheets = options.explain === undefined ? null : new SheetWriter(options.explain, this.clip);
    this.capture = new Capture(info, captureSettings(config), {
      counters: this.counters,
      log: silentLog,
      onScene: () => undefined,
      // A file has no time of day, so no schedule applies.
      wallMsOf: () => null,
      onTransition: (transition) => {
        this.transitions.push(transition);
      },
    });
  }

  /** Inspects a frame, prints the events that it ended, and writes the sheets of stretches that are complete. */
  async inspectFrame(frame: Frame): Promise<void> {
    await this.clips?.addFrame(frame);
    await this.capture.inspectFrame(frame, frame.monotonicMs);
    const transitions = await this.printEvents();
    const { sheets, finder, capture, clip } = this;
    if (sheets === null) return;
    const { lastInspection: lastLook } = capture;
    // A frame that could not be decoded belongs to no stretch.
    const inspection = lastLook?.index === frame.index ? capture.inspect() : null;
    if (lastLook !== null && inspection !== null) {
      const { observation } = lastLook;
      const ended = finder.addInspection({ frame, observation, inspection }, transitions);
      for (const stretch of ended) await sheets.write(stretch);
    }
    if (frame.index % PROGRESS_FRAMES === PROGRESS_FRAMES - 1) {
      process.stderr.write(`${clip}: ${String(frame.index + 1)} frames\n`);
    }
  }

  /** Ends open events and prints the summary. */
  async finish(): Promise<void> {
    const { capture, counters, sheets, finder, options, output, clip, cells } = this;
    capture.finish();
    const transitions = await this.printEvents();
    if (sheets !== null) for (const stretch of finder.finish(transitions)) await sheets.write(stretch);
    const seconds = (realClock.monotonicMs() - this.startedMs) / 1000;
    const seen = counters.get('frames.seen');
    const corrupt = counters.get('frames.corrupt');
    output.printLine(
      `${String(this.count)} events in ${String(seen)} frames of ${clip} (${(seen / seconds).toFixed(0)} frames/s` +
        `${corrupt > 0 ? `, ${String(corrupt)} corrupt frames skipped` : ''})`,
    );
    if (sheets !== null) output.printLine(sheets.summary);
    await this.clips?.finish();
    if (options.contactSheet === undefined) return;
    const more = this.count > cells.length ? `, the first ${String(cells.length)}` : '';
    writeFileSync(options.contactSheet, await drawContactSheet(`${clip}: ${String(this.count)} events${more}`, cells));
  }

  /** Prints the events that the last frame ended. Returns all transitions that it caused. */
  private async printEvents(): Promise<readonly Transition<Frame>[]> {
    const transitions = this.transitions.splice(0);
    for (const transition of transitions) {
      await this.clips?.addTransition(transition, this.eventId());
      this.best = transition.sighting ?? this.best;
      if (transition.type === 'end' && this.best !== null) await this.printEvent(transition, this.best);
    }
    return transitions;
  }

  /** Id of the event that is open, or ends now: it follows from the file. */
  private eventId(): Uint8Array {
    const hash = createHash('sha256').update(this.fileHash).update(String(this.count)).digest();
    return new Uint8Array(hash).slice(0, EVENT_ID_BYTES);
  }

  private async printEvent(
    { span, endFrame, endMs, peakArea, reason }: Extract<Transition<Frame>, { type: 'end' }>,
    sighting: Sighting<Frame>,
  ): Promise<void> {
    const { output, options, cells, thumbnail: settings } = this;
    const id = toHex(this.eventId());
    const number = this.count++;
    const crop = cropFor(settings.crop, sighting.box);
    const thumbnail = await fitThumbnail(sighting.frame.jpeg, settings, settings.maxBytes, crop);
    output.emit({
      clip: this.clip,
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
    });
    const time = (ms: number): string => `${(ms / 1000).toFixed(1).padStart(7)} s`;
    output.printLine(
      `event ${String(number + 1).padStart(3)}  ${time(span.startMs)} –${time(endMs)}  frames ${String(span.startFrame)}–${String(endFrame)}` +
        `  area ${(peakArea * 100).toFixed(1)} %  ${reason}`,
    );
    if (options.contactSheet === undefined || thumbnail === null || cells.length >= CONTACT_SHEET_CELLS_MAX) return;
    const box = sighting.box === null || crop === null ? sighting.box : boxWithin(crop, sighting.box);
    cells.push({ thumbnail, box, caption: `${String(number + 1)}: ${time(sighting.timeMs).trim()}` });
  }
}

/** Returns the camera for a video file, a folder of JPEG files, or a mock scenario such as `mock:walk`. */
function cameraOf(path: string, config: Config, folderFramesPerSecond: number): Camera {
  if (!path.startsWith(MOCK_PREFIX)) {
    return new ReplayCamera({ path, clock: realClock, folderFramesPerSecond, pace: 'fast', loop: false });
  }
  const scenario = SCENARIOS.find((name) => name === path.slice(MOCK_PREFIX.length));
  if (scenario === undefined) {
    throw new SealcamError('usage-invalid', `${path}: scenarios are ${SCENARIOS.join(', ')}`);
  }
  const requested = {
    scene: config['mock.scene'],
    framesPerSecond: config['camera.framesPerSecond'],
    durationMs: MOCK_DURATION_MS,
  };
  // A scenario with a known right answer has a scene, frame rate and duration of its own.
  const golden: Readonly<Record<string, typeof requested>> = GOLDEN;
  const { scene, framesPerSecond, durationMs } = golden[scenario] ?? requested;
  return new MockCamera({
    script: buildScript(scene, scenario, config['mock.seed']),
    framesPerSecond,
    clock: realClock,
    pace: 'fast',
    frameLimit: Math.ceil((durationMs * framesPerSecond) / 1000),
    withLuma: true,
  });
}

/** Returns the SHA-256 of a video: of its file, of all files of a folder, or of a mock scenario's name. */
async function hashOf(path: string): Promise<Buffer> {
  const hash = createHash('sha256');
  if (path.startsWith(MOCK_PREFIX)) return hash.update(path).digest();
  const files = statSync(path).isDirectory()
    ? (await readdir(path))
        .filter((name) => /\.jpe?g$/i.test(name))
        .sort()
        .map((name) => join(path, name))
    : [path];
  for (const file of files) for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest();
}
