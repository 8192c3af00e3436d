import type { Observation, Reason } from '../capture/detect/observation.js';
import type { EventSpan, Transition } from '../capture/event-tracker.js';
import type { Inspection } from '../capture/detect/inspection.js';
import type { Frame } from '../../hal/camera.js';

/** One frame with all that was thought of it. */
export interface Look {
  readonly frame: Frame;
  readonly observation: Observation;
  readonly inspection: Inspection;
}

export interface Moment {
  readonly timeMs: number;
  readonly reason: Reason;
  /** Of what moves, or of the largest patch that was not taken for motion. */
  readonly area: number;
}

/** A stretch of a video that is worth a sheet: an event, or what might have been one. */
export interface Stretch {
  readonly kind: 'event' | Reason;
  /** For an event; else where the first patch was. */
  readonly span: EventSpan;
  readonly endMs: number;
  /** Of an event why it ended, else why it was none. */
  readonly reason: string;
  readonly moments: readonly Moment[];
  readonly first: Look;
  readonly best: Look;
  readonly last: Look;
}

/** What might have been an event. Too small is no candidate: there is nothing to be seen in it. */
const SUPPRESSED: ReadonlySet<Reason> = new Set(['light', 'erratic', 'too-short', 'left', 'outside-zones']);
const LEAD_MS = 2000;
const GAP_MS = 1000;
/** Shorter ones are single frames of noise. */
const CANDIDATE_MIN_FRAMES = 3;
const CANDIDATE_MAX_MS = 60_000;
/** A longer timeline is thinned out. */
const MOMENTS_MAX = 4000;

interface Open {
  readonly span: EventSpan;
  moments: Moment[];
  readonly first: Look;
  best: Look;
  last: Look;
  readonly counts: Map<Reason, number>;
}

/** Parts a video into stretches as it is played; holds three frames of the one that is going on. */
export class StretchFinder {
  /** Lives as long as the tracker holds the frame as the best one of its event. */
  private readonly inspections = new WeakMap<Frame, Look>();
  private lead: Moment[] = [];
  private event: Open | null = null;
  private candidate: Open | null = null;

  /** Takes a frame and what it began, bettered or ended; gives the stretches that are over with it. */
  addInspection(look: Look, transitions: readonly Transition<Frame>[]): Stretch[] {
    const { frame, observation, inspection } = look;
    this.inspections.set(frame, look);
    const timeMs = frame.monotonicMs;
    const area = observation.motion ? observation.area : (inspection.patches[0]?.area ?? 0);
    const moment: Moment = { timeMs, reason: observation.reason, area };
    const before = this.lead;
    this.lead = [...before.filter((one) => timeMs - one.timeMs <= LEAD_MS), moment];
    for (const open of [this.event, this.candidate]) if (open !== null) addMoment(open, moment);
    if (this.event !== null && observation.motion) this.event.last = look;
    const over = transitions.flatMap((transition) => this.applyTransition(transition, look, before));
    if (this.event === null) return [...over, ...this.suppress(look, moment, before)];
    // What led up to an event is on its own sheet.
    const isLead = (this.candidate?.span.onsetMs ?? 0) >= this.event.span.onsetMs - LEAD_MS;
    if (isLead) this.candidate = null;
    return [...over, ...this.close()];
  }

  /** The video is over. */
  finish(transitions: readonly Transition<Frame>[]): Stretch[] {
    const over = transitions.flatMap((transition) => (transition.type === 'end' ? this.end(transition) : []));
    return [...over, ...this.close()];
  }

  private applyTransition(transition: Transition<Frame>, look: Look, before: readonly Moment[]): Stretch[] {
    if (transition.type === 'start')
      this.event = openStretch(look, transition.span, [...before, ...this.lead.slice(-1)]);
    if (transition.type === 'update' && this.event !== null)
      this.event.best = this.lookOf(transition.sighting.frame, look);
    return transition.type === 'end' ? this.end(transition) : [];
  }

  private lookOf(frame: Frame, otherwise: Look): Look {
    return this.inspections.get(frame) ?? otherwise;
  }

  private end({ sighting, endMs, reason }: Extract<Transition<Frame>, { type: 'end' }>): Stretch[] {
    const { event } = this;
    this.event = null;
    if (event === null) return [];
    const best = sighting === null ? event.best : this.lookOf(sighting.frame, event.best);
    const { span, moments, first, last } = event;
    return [{ kind: 'event', span, endMs, reason, moments, first, best, last }];
  }

  private suppress(look: Look, moment: Moment, before: readonly Moment[]): Stretch[] {
    const { timeMs, reason } = moment;
    const isCandidate = this.event === null && SUPPRESSED.has(reason);
    if (isCandidate) {
      const { index } = look.frame;
      const span = { onsetFrame: index, onsetMs: timeMs, startFrame: index, startMs: timeMs };
      this.candidate ??= openStretch(look, span, [...before, moment]);
      const { candidate } = this;
      candidate.counts.set(reason, (candidate.counts.get(reason) ?? 0) + 1);
      candidate.last = look;
      if (areaOf(look) > areaOf(candidate.best)) candidate.best = look;
      return timeMs - candidate.span.onsetMs >= CANDIDATE_MAX_MS ? this.close() : [];
    }
    const { candidate } = this;
    return candidate !== null && timeMs - candidate.last.frame.monotonicMs > GAP_MS ? this.close() : [];
  }

  private close(): Stretch[] {
    const { candidate } = this;
    this.candidate = null;
    const counts = [...(candidate?.counts ?? [])].sort(([, a], [, b]) => b - a);
    const frames = counts.reduce((sum, [, count]) => sum + count, 0);
    const [[kind] = []] = counts;
    if (candidate === null || kind === undefined || frames < CANDIDATE_MIN_FRAMES) return [];
    const { span, moments, first, best, last } = candidate;
    return [{ kind, span, endMs: last.frame.monotonicMs, reason: kind, moments, first, best, last }];
  }
}

function openStretch(look: Look, span: EventSpan, moments: Moment[]): Open {
  return { span, moments, first: look, best: look, last: look, counts: new Map() };
}

function addMoment(open: Open, moment: Moment): void {
  open.moments.push(moment);
  if (open.moments.length > MOMENTS_MAX) open.moments = open.moments.filter((_, i) => i % 2 === 0);
}

function areaOf({ inspection }: Look): number {
  return inspection.patches[0]?.area ?? 0;
}
