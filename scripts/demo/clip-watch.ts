import type { Clock } from '../../common/clock.js';
import { ClipLoader, type ClipLoaderDependencies } from '../../app/core/clip-loader.js';
import { judgeClip, type ClipVerdict } from '../../app/core/clip-verdict.js';
import { clipsOf, type Clip } from '../../app/core/clips.js';
import type { SessionView } from '../../app/core/session-view.js';
import { percentiles, type Percentiles } from './stages.js';

/** What the clips of a run came to, as the owner's own modules loaded, opened and judged them. */
export interface ClipSummary {
  /** Clips that ended, and whose parts all came or never will. */
  readonly count: number;
  readonly verified: number;
  readonly preroll_ms_min: number | null;
  /** From the first frame of the event to a second that plays, by one machine's clock. */
  readonly first_playable_ms: Pick<Percentiles, 'p50' | 'p95'>;
  /** Opened. */
  readonly bytes: number;
  readonly codecs: readonly string[];
}

interface Watched {
  clip: Clip;
  readonly loader: ClipLoader;
  verdict: ClipVerdict;
  firstPlayableMs: number | null;
}

const PLAYABLE_MS = 1000;

/** Loads every clip of owners while it grows, as the page does for the one that is watched. */
export class ClipWatch {
  private readonly clock: Clock;
  private readonly watched = new Map<string, Watched>();
  private readonly onEnded: () => void;

  /** @param onEnded called when a clip has ended and all of it was judged */
  constructor(clock: Clock, onEnded: () => void) {
    this.clock = clock;
    this.onEnded = onEnded;
  }

  /** Takes what an owner's session shows now. */
  update(view: SessionView, deps: Omit<ClipLoaderDependencies, 'clock'>): void {
    for (const event of view.events) {
      for (const clip of clipsOf(event)) {
        const watched = this.watched.get(clip.key) ?? this.watch(clip, event.startedAtMs, deps);
        watched.clip = clip;
        watched.loader.update(clip, event.lostSegments);
        this.judge(watched, view);
      }
    }
  }

  /** How many clips ended, and are intact. */
  get verified(): number {
    return this.judged().filter(({ verdict }) => verdict === 'intact').length;
  }

  /** Ends all attempts to load. */
  stop(): void {
    for (const { loader } of this.watched.values()) loader.stop();
  }

  summary(): ClipSummary {
    const ended = this.judged();
    // A clip that follows another one of its event begins where that ended.
    const first = ended.filter(({ clip }) => clip.number === 0);
    const { p50, p95 } = percentiles(first.map(({ firstPlayableMs }) => firstPlayableMs ?? Infinity));
    const parts = ended.flatMap(({ loader }) => loader.parts());
    return {
      count: ended.length,
      verified: this.verified,
      preroll_ms_min: first.length === 0 ? null : Math.min(...first.map(({ clip }) => clip.prerollMs)),
      first_playable_ms: { p50, p95 },
      bytes: parts.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0),
      codecs: [...new Set(ended.map(({ loader }) => loader.form?.codec ?? 'none'))].sort(),
    };
  }

  private judged(): readonly Watched[] {
    const isOpen = (verdict: ClipVerdict): boolean => verdict === 'coming' || verdict === 'signed';
    return [...this.watched.values()].filter(({ clip, verdict }) => clip.hasEnd && !isOpen(verdict));
  }

  private watch(clip: Clip, startedAtMs: number | null, deps: Omit<ClipLoaderDependencies, 'clock'>): Watched {
    const loader = new ClipLoader({ ...deps, clock: this.clock }, clip);
    const watched: Watched = { clip, loader, verdict: 'coming', firstPlayableMs: null };
    this.watched.set(clip.key, watched);
    loader.subscribe(() => {
      if (watched.firstPlayableMs === null && startedAtMs !== null && loader.playableMs() >= PLAYABLE_MS)
        watched.firstPlayableMs = this.clock.wallMs() - startedAtMs;
      this.judge(watched, null);
    });
    loader.start();
    return watched;
  }

  private judge(watched: Watched, view: SessionView | null): void {
    const { clip, loader } = watched;
    const lastWordMs = view?.cameras.find(({ device }) => device === clip.device)?.lastWordMs ?? null;
    const around = { lastWordMs, marks: view?.marks ?? [], nowMs: this.clock.wallMs() };
    watched.verdict = judgeClip(clip, loader.parts(), around).verdict;
    if (clip.hasEnd && watched.verdict === 'intact') this.onEnded();
  }
}
