import { Counters } from '../../../common/counters.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toHex } from '../../../common/bytes.js';
import type { SealcamError } from '../../../common/errors.js';
import type { Transition } from '../../../agent/capture/event-tracker.js';
import { Clips, type ClipsDependencies, type Forbidden } from '../../../agent/clip/clips.js';
import type { ClipContent, NewSegment } from '../../../agent/outbox/outbox.js';
import type { Frame } from '../../../hal/camera.js';
import { VideoFeed } from '../../../hal/video-feed.js';
import type { VideoInfo, VideoSource, VideoUnit } from '../../../hal/video-source.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { AnyClaim } from '../../../protocol/objects/claim.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { testLog, type LogEntry } from './test-agent.js';
import { CameraWorld } from './camera-world.js';
import { letPromisesRun } from './period-world.js';
import { VirtualClock } from '../runner/virtual-clock.js';

/** Returns bytes that begin as a JPEG of this size. */
export function jpegOf(bytes = 2000, width = 160, fill = 0x55): Uint8Array {
  const out = new Uint8Array(bytes).fill(fill);
  out.set([0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 90, 0, width, 1, 1, 0x11, 0]);
  return out;
}

/** A clip record as it came to the outbox, its segments as they were before they were sealed. */
export interface Filmed {
  readonly event: string;
  readonly number: number;
  readonly phase: ClipContent['clip']['phase'];
  readonly atMs: number;
  readonly indexes: readonly number[];
  readonly durationMs: number;
  readonly contents: readonly Uint8Array[];
  readonly claim: string;
}

export interface ClipOf {
  readonly number: number;
  readonly phases: readonly string[];
  readonly durationMs: number;
  readonly file: Uint8Array;
}

/** The clips of a camera whose units and events a test gives; nothing is really sealed. */
export class FilmingWorld {
  readonly clock = new VirtualClock(10_000);
  readonly counters = new Counters();
  readonly log: LogEntry[] = [];
  readonly records: Filmed[] = [];
  readonly losses: number[] = [];
  readonly camera = new CameraWorld();
  readonly clips: Clips;
  claim: Verified<AnyClaim> | null = this.camera.claimV2();
  info: VideoInfo = { codec: 'jpeg', width: 160, height: 90, framesPerSecond: 4, keyIntervalMs: 250 };
  forbidden: Forbidden | null = null;
  /** Whether there is a period to seal in. */
  hasPeriod = true;
  /** Thrown in place of storing a record. */
  failure: SealcamError | null = null;
  eventsRecorded: Promise<void> = Promise.resolve();
  feed = new VideoFeed();
  opened = 0;
  private readonly contents = new Map<string, Uint8Array>();
  private wake: (isReady: boolean) => void = () => undefined;

  constructor(change: Partial<ClipsDependencies> = {}, make = (deps: ClipsDependencies) => new Clips(deps)) {
    const video: VideoSource = {
      open: () => {
        this.opened++;
        return Promise.resolve(this.info);
      },
      units: (signal) => this.feed.units(signal),
    };
    this.clips = make({
      video,
      limits: { prerollMs: 5000, maxBytes: 1024 ** 2 },
      clock: this.clock,
      counters: this.counters,
      log: testLog(this.log),
      outbox: {
        currentClaim: () => this.claim,
        countLoss: (_reason, count) => void this.losses.push(count ?? 1),
        appendClip: (content, segments, sealedFor) => this.append(content, segments, sealedFor),
      },
      sealer: {
        sealSegment: (_claim, _eventId, content) => this.seal(content),
        ready: () => new Promise((resolve) => (this.wake = resolve)),
      },
      timeOf: (monotonicMs) => this.camera.time(monotonicMs),
      eventsRecorded: () => this.eventsRecorded,
      forbidden: () => this.forbidden,
      ...change,
    });
  }

  /** Opens the camera; units may come. */
  async open(): Promise<void> {
    this.clips.cameraOpened();
    await letPromisesRun();
  }

  /** Lets the video go on for this long, one unit each period. */
  async film(ms: number, unit: Partial<VideoUnit> = {}, periodMs = 250): Promise<void> {
    for (let passed = 0; passed < ms; passed += periodMs) {
      this.clock.advance(periodMs);
      this.feed.put({ bytes: jpegOf(), isKey: true, monotonicMs: this.clock.monotonicMs(), ...unit });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await letPromisesRun();
  }

  /** An event starts now. */
  start(id = realRandom.bytes(16)): Uint8Array {
    const nowMs = this.clock.monotonicMs();
    const span = { startFrame: 0, startMs: nowMs, onsetFrame: 0, onsetMs: nowMs };
    const frame = { jpeg: jpegOf(), monotonicMs: nowMs, index: 0 };
    const sighting = { frame, index: 0, timeMs: nowMs, area: 0.1, box: null, zones: [] };
    this.queue({ type: 'start', span, sighting }, id);
    return id;
  }

  /** The motion of an event ended now. */
  end(id: Uint8Array, endMs = this.clock.monotonicMs()): void {
    const span = { startFrame: 0, startMs: 0, onsetFrame: 0, onsetMs: 0 };
    this.queue({ type: 'end', span, endFrame: 0, endMs, peakArea: 0.1, reason: 'motion-ended', sighting: null }, id);
  }

  /** There is a period now, or there will be none. */
  async ready(isReady: boolean): Promise<void> {
    this.hasPeriod = isReady;
    this.wake(isReady);
    await letPromisesRun();
  }

  /** Returns the clips of an event, as they could be played. */
  clipsOf(id: Uint8Array): ClipOf[] {
    const records = this.records.filter(({ event }) => event === toHex(id));
    return [...new Set(records.map(({ number }) => number))].map((number) => {
      const own = records.filter((record) => record.number === number);
      return {
        number,
        phases: own.map(({ phase }) => phase),
        durationMs: own.reduce((sum, { durationMs }) => sum + durationMs, 0),
        file: new Uint8Array(Buffer.concat(own.flatMap(({ contents }) => contents))),
      };
    });
  }

  private queue(transition: Transition<Frame>, id: Uint8Array): void {
    if (this.claim !== null) this.clips.eventQueued(transition, id, this.claim);
  }

  private seal(content: Uint8Array) {
    if (!this.hasPeriod) return null;
    const mediaId = realRandom.bytes(16);
    const bodyHash = nodeSuite.sha256(content);
    this.contents.set(toHex(bodyHash), content);
    return { mediaId, header: new Uint8Array(50), body: content, bodyHash, periodId: new Uint8Array(16) };
  }

  private append({ time, clip }: ClipContent, segments: readonly NewSegment[], sealedFor: Uint8Array) {
    if (this.failure !== null) throw this.failure;
    this.records.push({
      event: toHex(clip.eventId),
      number: clip.number,
      phase: clip.phase,
      atMs: time.monotonicMs,
      indexes: segments.map(({ entry }) => entry[0]),
      durationMs: segments.reduce((sum, { entry }) => sum + entry[6], 0),
      contents: segments.map(({ body }) => body),
      claim: toHex(sealedFor),
    });
    return this.camera.recordV2(this.camera.claimV2(), this.records.length, new Uint8Array(32), {
      kind: 'clip',
      clip: { ...clip, segments: segments.map(({ entry }) => entry) },
    });
  }
}
