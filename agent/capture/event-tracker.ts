import type { Box, Observation } from './detector.js';

export interface EventSettings {
  /** An event ends when nothing moved for this long. */
  readonly holdMs: number;
  /** So long after the end of an event what was seen in it starts no other one; somebody new does. */
  readonly cooldownMs: number;
  /** A longer event is ended, and another may start. */
  readonly maxDurationMs: number;
}

export type EndReason = 'motion-ended' | 'max-duration' | 'stream-ended';

/** A frame of an event with what was seen in it; `F` is whatever the caller needs to find the picture again. */
export interface Sighting<F> {
  readonly frame: F;
  readonly index: number;
  readonly timeMs: number;
  readonly area: number;
  readonly box: Box | null;
  readonly zones: readonly string[];
}

export interface EventSpan {
  readonly startFrame: number;
  readonly startMs: number;
  /** Where the motion began, before it was long enough to be an event. */
  readonly onsetFrame: number;
  readonly onsetMs: number;
}

export type Transition<F> =
  | { readonly type: 'start'; readonly span: EventSpan; readonly sighting: Sighting<F> }
  | { readonly type: 'update'; readonly span: EventSpan; readonly sighting: Sighting<F> }
  | {
      readonly type: 'end';
      readonly span: EventSpan;
      readonly endFrame: number;
      readonly endMs: number;
      readonly peakArea: number;
      readonly reason: EndReason;
      /** The best frame if it is better than what was sent; null for "the same". */
      readonly sighting: Sighting<F> | null;
    };

interface OpenEvent<F> {
  readonly span: EventSpan;
  lastMotion: { readonly index: number; readonly timeMs: number };
  peakArea: number;
  best: Sighting<F>;
  sent: Sighting<F>;
}

/** A better picture is sent as an update when its score grew this much, and no sooner than this after the last one. */
const UPDATE_GROWTH = 1.4;
const UPDATE_AFTER_MS = 1500;
/** At the end a smaller gain is worth it. */
const END_GROWTH = 1.1;
const EDGE = 0.01;

/** By area; somebody cut off by the edge of the picture counts half. */
function score({ area, box }: Sighting<unknown>): number {
  const isCut =
    box !== null &&
    (box.left < EDGE || box.top < EDGE || box.left + box.width > 1 - EDGE || box.top + box.height > 1 - EDGE);
  return isCut ? area / 2 : area;
}

/** From what single frames show to events with a start, better pictures and an end. Pure: time comes with the frames. */
export class EventTracker<F> {
  private readonly settings: EventSettings;
  private open: OpenEvent<F> | null = null;
  private quietUntilMs = -Infinity;
  /** Who was seen in the last event, by the numbers of their tracks. */
  private known = new Set<number>();

  constructor(settings: EventSettings) {
    this.settings = settings;
  }

  get isOpen(): boolean {
    return this.open !== null;
  }

  step(observation: Observation, frame: F, index: number, timeMs: number): Transition<F>[] {
    const { area, box, zones } = observation;
    const sighting: Sighting<F> = { frame, index, timeMs, area, box, zones };
    if (this.open === null) {
      if (!observation.motion) return [];
      const isQuiet = timeMs < this.quietUntilMs && observation.subjects.every((subject) => this.known.has(subject));
      return isQuiet ? [] : [this.start(observation, sighting)];
    }
    const { open } = this;
    if (observation.motion) {
      open.lastMotion = { index, timeMs };
      for (const subject of observation.subjects) this.known.add(subject);
      open.peakArea = Math.max(open.peakArea, area);
      if (score(sighting) > score(open.best)) open.best = sighting;
    } else if (timeMs - open.lastMotion.timeMs >= this.settings.holdMs) {
      return [this.end(open.lastMotion.index, open.lastMotion.timeMs, 'motion-ended')];
    }
    if (timeMs - open.span.startMs >= this.settings.maxDurationMs) return [this.end(index, timeMs, 'max-duration')];
    const isBetter = score(open.best) >= UPDATE_GROWTH * score(open.sent);
    if (!isBetter || timeMs - open.sent.timeMs < UPDATE_AFTER_MS) return [];
    open.sent = open.best;
    return [{ type: 'update', span: open.span, sighting: open.best }];
  }

  /** The stream is over: an event that is still open ends at the last frame. */
  finish(index: number, timeMs: number): Transition<F>[] {
    return this.open === null ? [] : [this.end(index, timeMs, 'stream-ended')];
  }

  private start(observation: Observation, sighting: Sighting<F>): Transition<F> {
    const span = {
      startFrame: sighting.index,
      startMs: sighting.timeMs,
      onsetFrame: observation.sinceFrame,
      onsetMs: observation.sinceMs,
    };
    this.known = new Set(observation.subjects);
    this.open = { span, lastMotion: sighting, peakArea: sighting.area, best: sighting, sent: sighting };
    return { type: 'start', span, sighting };
  }

  private end(endFrame: number, endMs: number, reason: EndReason): Transition<F> {
    const { open } = this;
    if (open === null) throw new Error('no event is open');
    this.open = null;
    this.quietUntilMs = endMs + this.settings.cooldownMs;
    const isBetter = score(open.best) >= END_GROWTH * score(open.sent);
    return {
      ...{ type: 'end', span: open.span, endFrame, endMs, peakArea: open.peakArea, reason },
      sighting: isBetter ? open.best : null,
    };
  }
}
