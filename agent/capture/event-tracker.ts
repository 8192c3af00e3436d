import type { Box, Observation } from './detect/observation.js';
import { PictureChoice } from './picture-choice.js';

export interface EventSettings {
  /** An event ends when nothing moved for this long. */
  readonly holdMs: number;
  /** For this long after an event its subjects start no other one; a new subject does. */
  readonly cooldownMs: number;
  /** A longer event is ended, and another may start. */
  readonly maxDurationMs: number;
}

export type EndReason = 'motion-ended' | 'max-duration' | 'stream-ended';

/** A frame for the tracker. Times never run backwards; sharpness compares only with other frames of the same event. */
export interface TrackerFrame<F> {
  readonly frame: F;
  readonly index: number;
  readonly timeMs: number;
  /** Of what moves, 1 where it is missing. */
  readonly sharpness?: number;
}

/** A frame of an event with what was seen in it; `F` is what the caller needs to find the picture again. */
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
      /** The best frame, where it is better than the ones that were sent; null otherwise. */
      readonly sighting: Sighting<F> | null;
    };

interface OpenEvent<F> {
  readonly span: EventSpan;
  lastMotion: { readonly index: number; readonly timeMs: number };
  peakArea: number;
  readonly pictures: PictureChoice<Sighting<F>>;
}

/** Turns observations into events with a start, better pictures and an end. Pure: time comes with the frames. */
export class EventTracker<F> {
  private readonly settings: EventSettings;
  private open: OpenEvent<F> | null = null;
  private quietUntilMs = -Infinity;
  /** Subjects of the last event, by the numbers of their tracks. */
  private known = new Set<number>();

  constructor(settings: EventSettings) {
    this.settings = settings;
  }

  get isOpen(): boolean {
    return this.open !== null;
  }

  /** Adds what was seen in a frame, and returns the transitions that follow from it. */
  advance(observation: Observation, { frame, index, timeMs, sharpness = 1 }: TrackerFrame<F>): Transition<F>[] {
    const { area, box, zones } = observation;
    const sighting: Sighting<F> = { frame, index, timeMs, area, box, zones };
    if (this.open === null) {
      if (!observation.motion) return [];
      const isQuiet = timeMs < this.quietUntilMs && observation.subjects.every((subject) => this.known.has(subject));
      return isQuiet ? [] : [this.start(observation, sighting, sharpness)];
    }
    const { open } = this;
    if (observation.motion) {
      open.lastMotion = { index, timeMs };
      for (const subject of observation.subjects) this.known.add(subject);
      open.peakArea = Math.max(open.peakArea, area);
      open.pictures.offer(sighting, sharpness);
    } else if (timeMs - open.lastMotion.timeMs >= this.settings.holdMs) {
      return [this.end(open.lastMotion.index, open.lastMotion.timeMs, 'motion-ended')];
    }
    if (timeMs - open.span.startMs >= this.settings.maxDurationMs) return [this.end(index, timeMs, 'max-duration')];
    const better = open.pictures.update(timeMs);
    return better === null ? [] : [{ type: 'update', span: open.span, sighting: better }];
  }

  /** The stream is over: an open event ends at this frame. */
  finish(index: number, timeMs: number): Transition<F>[] {
    return this.open === null ? [] : [this.end(index, timeMs, 'stream-ended')];
  }

  private start(observation: Observation, sighting: Sighting<F>, sharpness: number): Transition<F> {
    const span = {
      startFrame: sighting.index,
      startMs: sighting.timeMs,
      onsetFrame: observation.sinceFrame,
      onsetMs: observation.sinceMs,
    };
    this.known = new Set(observation.subjects);
    const pictures = new PictureChoice(sighting, sharpness);
    this.open = { span, lastMotion: sighting, peakArea: sighting.area, pictures };
    return { type: 'start', span, sighting };
  }

  private end(endFrame: number, endMs: number, reason: EndReason): Transition<F> {
    const { open } = this;
    if (open === null) throw new Error('no event is open');
    this.open = null;
    this.quietUntilMs = endMs + this.settings.cooldownMs;
    const { span, peakArea, pictures } = open;
    return { type: 'end', span, endFrame, endMs, peakArea, reason, sighting: pictures.last() };
  }
}
