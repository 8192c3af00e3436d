import type { Observation, Reason } from '../capture/detect/observation.js';
import type { EventSpan, Transition } from '../capture/event-tracker.js';
import type { Inspection } from '../capture/detect/inspection.js';
import type { Frame } from '../../hal/camera.js';

/** A frame with what the detector found in it. */
export interface InspectedFrame {
  readonly frame: Frame;
  readonly observation: Observation;
  readonly inspection: Inspection;
}

export interface Moment {
  readonly timeMs: number;
  readonly reason: Reason;
  /** Share of the picture: of the motion, or of the largest patch that did not count as motion. */
  readonly area: number;
}

/** A part of a video that gets a sheet: an event, or patches that raised none. */
export interface Stretch {
  readonly kind: 'event' | Reason;
  /** Start and onset of the event, or of the first patch. */
  readonly span: EventSpan;
  readonly endMs: number;
  /** Why the event ended, or why none was raised. */
  readonly reason: string;
  readonly moments: readonly Moment[];
  readonly first: InspectedFrame;
  readonly best: InspectedFrame;
  readonly last: InspectedFrame;
}

/** Reasons of frames that might have been an event. `too-small` is not one: a sheet would show nothing. */
const CANDIDATE_REASONS: ReadonlySet<Reason> = new Set(['light', 'erratic', 'too-short', 'left', 'outside-zones']);
/** How much of the timeline before a stretch its sheet shows. */
const LEAD_MS = 2000;
/** A candidate ends when no frame had a candidate reason for this long. */
const CANDIDATE_GAP_MS = 1000;
/** Fewer frames are noise. */
const CANDIDATE_MIN_FRAMES = 3;
const CANDIDATE_MAX_MS = 60_000;
/** A longer timeline keeps every other moment. */
const MOMENTS_MAX = 4000;

interface OpenStretch {
  readonly span: EventSpan;
  moments: Moment[];
  readonly first: InspectedFrame;
  best: InspectedFrame;
  last: InspectedFrame;
  readonly counts: Map<Reason, number>;
}

/** Divides a video into stretches while it plays. Holds three frames of each open stretch. */
export class StretchFinder {
  /** Keyed by frame, so that an entry lives as long as the tracker holds the frame as the best of its event. */
  private readonly inspections = new WeakMap<Frame, InspectedFrame>();
  private lead: Moment[] = [];
  private event: OpenStretch | null = null;
  private candidate: OpenStretch | null = null;

  /** Adds a frame and the transitions it caused. Returns the stretches that ended with it. */
  addInspection(inspected: InspectedFrame, transitions: readonly Transition<Frame>[]): Stretch[] {
    const { frame, observation, inspection } = inspected;
    this.inspections.set(frame, inspected);
    const timeMs = frame.monotonicMs;
    const area = observation.motion ? observation.area : (inspection.patches[0]?.area ?? 0);
    const moment: Moment = { timeMs, reason: observation.reason, area };
    const before = this.lead;
    this.lead = [...before.filter((one) => timeMs - one.timeMs <= LEAD_MS), moment];
    if (this.event !== null) addMoment(this.event, moment);
    if (this.candidate !== null) addMoment(this.candidate, moment);
    if (this.event !== null && observation.motion) this.event.last = inspected;
    const over = transitions.flatMap((transition) => this.applyTransition(transition, inspected, before));
    if (this.event === null) return [...over, ...this.extendCandidate(inspected, moment, before)];
    // Frames just before an event are on its sheet already.
    const isLead = (this.candidate?.span.onsetMs ?? 0) >= this.event.span.onsetMs - LEAD_MS;
    if (isLead) this.candidate = null;
    return [...over, ...this.closeCandidate()];
  }

  /** Returns the stretches that end with the video. */
  finish(transitions: readonly Transition<Frame>[]): Stretch[] {
    const over = transitions.flatMap((transition) => (transition.type === 'end' ? this.endEvent(transition) : []));
    return [...over, ...this.closeCandidate()];
  }

  private applyTransition(
    transition: Transition<Frame>,
    inspected: InspectedFrame,
    before: readonly Moment[],
  ): Stretch[] {
    if (transition.type === 'start')
      this.event = openStretch(inspected, transition.span, [...before, ...this.lead.slice(-1)]);
    if (transition.type === 'update' && this.event !== null)
      this.event.best = this.inspectedOf(transition.sighting.frame, inspected);
    return transition.type === 'end' ? this.endEvent(transition) : [];
  }

  private inspectedOf(frame: Frame, otherwise: InspectedFrame): InspectedFrame {
    return this.inspections.get(frame) ?? otherwise;
  }

  private endEvent({ sighting, endMs, reason }: Extract<Transition<Frame>, { type: 'end' }>): Stretch[] {
    const { event } = this;
    this.event = null;
    if (event === null) return [];
    const best = sighting === null ? event.best : this.inspectedOf(sighting.frame, event.best);
    const { span, moments, first, last } = event;
    return [{ kind: 'event', span, endMs, reason, moments, first, best, last }];
  }

  private extendCandidate(inspected: InspectedFrame, moment: Moment, before: readonly Moment[]): Stretch[] {
    const { timeMs, reason } = moment;
    const isCandidate = this.event === null && CANDIDATE_REASONS.has(reason);
    if (isCandidate) {
      const { index } = inspected.frame;
      const span = { onsetFrame: index, onsetMs: timeMs, startFrame: index, startMs: timeMs };
      this.candidate ??= openStretch(inspected, span, [...before, moment]);
      const { candidate } = this;
      candidate.counts.set(reason, (candidate.counts.get(reason) ?? 0) + 1);
      candidate.last = inspected;
      if (areaOf(inspected) > areaOf(candidate.best)) candidate.best = inspected;
      return timeMs - candidate.span.onsetMs >= CANDIDATE_MAX_MS ? this.closeCandidate() : [];
    }
    const { candidate } = this;
    return candidate !== null && timeMs - candidate.last.frame.monotonicMs > CANDIDATE_GAP_MS
      ? this.closeCandidate()
      : [];
  }

  private closeCandidate(): Stretch[] {
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

function openStretch(inspected: InspectedFrame, span: EventSpan, moments: Moment[]): OpenStretch {
  return { span, moments, first: inspected, best: inspected, last: inspected, counts: new Map() };
}

function addMoment(open: OpenStretch, moment: Moment): void {
  open.moments.push(moment);
  if (open.moments.length > MOMENTS_MAX) open.moments = open.moments.filter((_, i) => i % 2 === 0);
}

function areaOf({ inspection }: InspectedFrame): number {
  return inspection.patches[0]?.area ?? 0;
}
