import type { CancelTimer, Clock } from '../../common/clock.js';
import { asSealcamError } from '../../common/errors.js';
import type { PeriodState } from '../../protocol/verify/history.js';
import { durationOf, segmentId, type Clip, type NamedSegment } from './clips.js';
import { readFragment, readInitialisation, type ClipForm, type FragmentSample } from './fragments.js';
import type { EpochName } from './history-keeper.js';
import { REFUSALS } from './pictures.js';

/**
 * Where a segment is. `asked`: on its way. `coming`: the cloud does not have it yet, or its key, or there is no connection.
 * `here`: opened, and what the record names. `lost`: the camera signed its loss. `missing`: a day later nobody brought it.
 * `refused`: something else came in its place. `unnamed`: no record names it, though one names a later one.
 */
export type SegmentState = 'named' | 'asked' | 'coming' | 'here' | 'lost' | 'missing' | 'refused' | 'unnamed';

/** One segment of a clip, and where it plays. */
export interface ClipPart {
  readonly index: number;
  readonly state: SegmentState;
  /** From the start of the clip; of one that is not here, by the parts before it. */
  readonly startMs: number;
  readonly durationMs: number;
  /** Whether it plays without the one before it. */
  readonly isSync: boolean;
  /** As the camera made it; null unless it is here. */
  readonly bytes: Uint8Array | null;
  /** Its pictures, in order; none in the initialisation. */
  readonly samples: readonly FragmentSample[];
}

export interface ClipLoaderDependencies {
  /** Fetches and opens a segment, as `Owner.openSegment` does: all checks are made there. */
  readonly open: (segment: NamedSegment) => Promise<Uint8Array>;
  /** Returns what is known of the key record that a segment needs which was opened; null without one. */
  readonly keyStateOf: (segment: NamedSegment) => PeriodState['state'] | null;
  /** Raises the alarm for a segment that is not what its record names. */
  readonly refuse: (message: string, code: string, about: EpochName) => void;
  readonly clock: Clock;
}

interface Loaded {
  readonly bytes: Uint8Array;
  readonly samples: readonly FragmentSample[];
}

const CONCURRENT_LOADS_MAX = 2;
/** Between two attempts for a segment that is not there: each wait is twice the one before. */
const RETRY_FIRST_MS = 400;
const RETRY_MAX_MS = 15_000;
/** A camera that was offline brings segments this much later at most, as the page expects it. */
const LATE_AFTER_MS = 86_400_000;

/**
 * Loads a clip segment by segment while it grows. Only what the owner's keys opened for this very place in this very record comes
 * out of it: a crossed, repeated, cut or swapped segment is refused, and leaves a hole.
 */
export class ClipLoader {
  private readonly deps: ClipLoaderDependencies;
  private named: Clip;
  private lost: ReadonlySet<string> = new Set();
  private readonly states = new Map<number, SegmentState>();
  private readonly loaded = new Map<number, Loaded>();
  private readonly failures = new Map<number, number>();
  private readonly timers = new Map<number, CancelTimer>();
  private readonly listeners = new Set<() => void>();
  private loading = 0;
  private isStarted = false;
  private made: ClipForm | null = null;

  constructor(deps: ClipLoaderDependencies, clip: Clip) {
    this.deps = deps;
    this.named = clip;
  }

  /** Calls `listener` after every change. Returns the function that ends the subscription. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /** The clip as its records name it: its parts are of this. */
  get clip(): Clip {
    return this.named;
  }

  /** What the initialisation says; null before it is here. */
  get form(): ClipForm | null {
    return this.made;
  }

  /** Takes what is known of the clip now, and which segments the camera lost. */
  update(clip: Clip, lostSegments: readonly string[]): void {
    this.named = clip;
    this.lost = new Set(lostSegments);
    const isContested = clip.segments.some((segment) => segment !== null && this.isContested(segment));
    if (isContested) this.refuseAll('there are two key records of its period');
    this.load();
    this.notifyListeners();
  }

  /** Begins to load; what is named later is loaded too. */
  start(): void {
    this.isStarted = true;
    this.load();
    this.notifyListeners();
  }

  /** Ends all attempts. What is here stays. */
  stop(): void {
    this.isStarted = false;
    for (const cancel of this.timers.values()) cancel();
    this.timers.clear();
    for (const [index, state] of this.states) if (state === 'coming') this.states.delete(index);
  }

  /** Returns every segment of the clip, in order. */
  parts(): readonly ClipPart[] {
    let endMs = 0;
    return this.clip.segments.map((segment, index) => {
      const { bytes = null, samples = [] } = this.loaded.get(index) ?? {};
      const startMs = samples[0]?.startMs ?? endMs;
      const durationMs = segment === null ? 0 : durationOf(segment.entry);
      endMs = startMs + durationMs;
      const isSync = segment?.entry[5] === true;
      return { index, state: this.stateOf(segment, index), startMs, durationMs, isSync, bytes, samples };
    });
  }

  /** Returns how much plays from the start of the clip without a hole, in milliseconds. */
  playableMs(): number {
    let playableMs = 0;
    for (const { state, startMs, durationMs } of this.parts()) {
      if (state !== 'here') break;
      playableMs = startMs + durationMs;
    }
    return playableMs;
  }

  private stateOf(segment: NamedSegment | null, index: number): SegmentState {
    if (segment === null) return 'unnamed';
    const state = this.states.get(index) ?? 'named';
    const isOpen = state === 'named' || state === 'coming';
    return isOpen && this.lost.has(segmentId(segment.entry)) ? 'lost' : state;
  }

  private load(): void {
    for (const [index, segment] of this.clip.segments.entries()) {
      if (!this.isStarted || this.loading >= CONCURRENT_LOADS_MAX) return;
      if (segment === null || this.stateOf(segment, index) !== 'named') continue;
      this.loading++;
      this.states.set(index, 'asked');
      void this.loadOne(segment, index).finally(() => {
        this.loading--;
        this.load();
        this.notifyListeners();
      });
    }
  }

  private async loadOne(segment: NamedSegment, index: number): Promise<void> {
    const { open, refuse } = this.deps;
    try {
      const bytes = await open(segment);
      if (index === 0) this.made = readInitialisation(bytes);
      this.loaded.set(index, { bytes, samples: index === 0 ? [] : readFragment(bytes) });
      this.states.set(index, 'here');
      // What was waited for is likely to be there too.
      this.retry(index + 1);
    } catch (error) {
      const { code, message } = asSealcamError(error);
      if (REFUSALS.includes(code)) {
        this.states.set(index, 'refused');
        const { device, epoch } = this.clip;
        refuse(`segment ${String(index)} of a clip: ${message}`, code, { device, epoch });
      } else if (code === 'not-found' && this.deps.clock.wallMs() - segment.receivedAtMs > LATE_AFTER_MS) {
        this.states.set(index, 'missing');
      } else {
        this.states.set(index, 'coming');
        this.retryLater(index);
      }
    }
  }

  private retryLater(index: number): void {
    if (!this.isStarted) return;
    const failures = this.failures.get(index) ?? 0;
    this.failures.set(index, failures + 1);
    const delayMs = Math.min(RETRY_FIRST_MS * 2 ** failures, RETRY_MAX_MS);
    this.timers.set(
      index,
      this.deps.clock.after(delayMs, () => {
        this.retry(index);
        this.load();
      }),
    );
  }

  private retry(index: number): void {
    this.timers.get(index)?.();
    this.timers.delete(index);
    if (this.states.get(index) === 'coming') this.states.delete(index);
  }

  private isContested(segment: NamedSegment): boolean {
    return this.states.get(segment.entry[0]) === 'here' && this.deps.keyStateOf(segment) === 'equivocation';
  }

  private refuseAll(message: string): void {
    this.made = null;
    this.loaded.clear();
    for (const index of this.clip.segments.keys()) this.states.set(index, 'refused');
    const { device, epoch } = this.clip;
    this.deps.refuse(`a clip: ${message}`, 'cloud-lied', { device, epoch });
  }

  private notifyListeners(): void {
    for (const listener of [...this.listeners]) listener();
  }
}
