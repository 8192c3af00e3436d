import { type JSX, useState } from './preact.js';
import { minuteOfDay, timeOfMinute } from '../core/day-density.js';
import type { MergedList } from '../core/merged-list.js';
import { dayOf, otherDay } from '../core/page-address.js';
import { sortMs, type TimelineEvent } from '../core/timeline.js';
import { useNames, usePage, useSessionView } from './context.js';
import { minuteTime } from './format.js';
import { counted } from './timeline-words.js';

const MINUTES = 24 * 60;
/** Events of a camera within as many minutes are drawn as one bar. */
const BIN_MINUTES = 5;
/** Further cameras share the last lane. */
const LANES_MAX = 8;
const LANE_HEIGHT = 10;
const HOUR_MARKS = [0, 3, 6, 9, 12, 15, 18, 21, 24] as const;

const STEPS: Readonly<Record<string, number>> = {
  ArrowLeft: -15,
  ArrowRight: 15,
  ArrowDown: -15,
  ArrowUp: 15,
  PageDown: -180,
  PageUp: 180,
  Home: -MINUTES,
  End: MINUTES,
};

/** A day from left to right, a lane for each camera. The list follows the handle. */
export function Scrubber({
  list,
  startMs,
  onShow,
}: {
  readonly list: MergedList;
  /** The day's first moment, UTC. */
  readonly startMs: number;
  readonly onShow: (key: string) => void;
}): JSX.Element {
  const { addresses } = usePage();
  const { nameOf } = useNames();
  const endMs = otherDay(startMs, 1);
  const events = list.events.filter((event) => sortMs(event) >= startMs && sortMs(event) < endMs);
  const [chosen, setChosen] = useState<number | null>(null);
  const [newest] = events;
  const minute = chosen ?? (newest === undefined ? MINUTES - 1 : minuteOfDay(sortMs(newest)));
  const devices = useLanes();
  const unknownUntil = useNotLoaded(startMs);
  const show = (next: number): void => {
    const kept = Math.max(0, Math.min(MINUTES - 1, next));
    setChosen(kept);
    // What is not loaded yet comes with the day's own address.
    if (kept < unknownUntil) addresses.replace({ ...addresses.behind, day: dayOf(startMs) });
    const found = eventAt(events, timeOfMinute(startMs, kept + 1));
    if (found !== undefined) onShow(found.key);
  };
  const onKey = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    show(minute + step);
  };
  const minuteUnder = (event: PointerEvent): number => {
    const { left, width } = (event.currentTarget as Element).getBoundingClientRect();
    return Math.floor(((event.clientX - left) / width) * MINUTES);
  };
  const height = Math.max(1, devices.length) * LANE_HEIGHT;
  const at = (value: number): string => `${((value / MINUTES) * 100).toFixed(3)}%`;
  return (
    <div class="scrub">
      <div class="scrub-names" aria-hidden="true">
        {devices.length > 1 && devices.map((device) => <span key={device}>{nameOf(device)}</span>)}
      </div>
      <div
        class="scrub-track"
        role="slider"
        tabIndex={0}
        aria-label="Time of day"
        aria-valuemin={0}
        aria-valuemax={MINUTES - 1}
        aria-valuenow={minute}
        aria-valuetext={`${minuteTime(timeOfMinute(startMs, minute))}, ${around(events, startMs, minute)}`}
        onKeyDown={onKey}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          show(minuteUnder(event));
        }}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) show(minuteUnder(event));
        }}
      >
        <svg viewBox={`0 0 ${String(MINUTES)} ${String(height)}`} preserveAspectRatio="none" aria-hidden="true">
          {HOUR_MARKS.map((hour) => (
            <line key={hour} class="scrub-hour" x1={hour * 60} x2={hour * 60} y1={0} y2={height} />
          ))}
          {unknownUntil > 0 && <rect class="scrub-unknown" x={0} y={0} width={unknownUntil} height={height} />}
          {binsOf(events, devices).map(({ lane, bin, count }) => (
            <rect
              key={`${String(lane)} ${String(bin)}`}
              class="scrub-bin"
              x={bin * BIN_MINUTES}
              y={lane * LANE_HEIGHT + 1.5}
              width={BIN_MINUTES}
              height={LANE_HEIGHT - 3}
              opacity={Math.min(1, 0.45 + count * 0.18)}
            />
          ))}
        </svg>
        <span class="scrub-handle" style={{ left: at(minute) }} />
      </div>
      <div class="scrub-marks" aria-hidden="true">
        {HOUR_MARKS.map((hour) => (
          <span key={hour} class={hour % 6 === 0 ? '' : 'scrub-mark-more'} style={{ left: at(hour * 60) }}>
            {hour}
          </span>
        ))}
      </div>
    </div>
  );
}

/** The cameras that have a lane, as hex of their device ids. */
function useLanes(): readonly string[] {
  const { addresses } = usePage();
  const { cameras } = useSessionView();
  const { camera } = addresses.behind.filter;
  if (camera !== null) return [camera];
  return [...new Set(cameras.map(({ device }) => device))].slice(0, LANES_MAX);
}

/** Returns up to which minute of a day events may exist that are not loaded. */
function useNotLoaded(startMs: number): number {
  const { addresses } = usePage();
  const { cameras } = useSessionView();
  const { camera } = addresses.behind.filter;
  const from = cameras
    .filter(({ device, hasOlder }) => hasOlder && (camera === null || device === camera))
    .map(({ loadedFromMs }) => loadedFromMs ?? Infinity);
  const fromMs = Math.max(-Infinity, ...from);
  if (fromMs <= startMs) return 0;
  return fromMs >= otherDay(startMs, 1) ? MINUTES : minuteOfDay(fromMs);
}

interface Bin {
  readonly lane: number;
  readonly bin: number;
  readonly count: number;
}

function binsOf(events: readonly TimelineEvent[], devices: readonly string[]): readonly Bin[] {
  const bins = new Map<string, Bin>();
  for (const event of events) {
    const found = devices.indexOf(event.device);
    const lane = found < 0 ? Math.max(0, devices.length - 1) : found;
    const bin = Math.floor(minuteOfDay(sortMs(event)) / BIN_MINUTES);
    const key = `${String(lane)} ${String(bin)}`;
    bins.set(key, { lane, bin, count: (bins.get(key)?.count ?? 0) + 1 });
  }
  return [...bins.values()];
}

/** Returns the last event that began before a time, or the first of the day. `events` are newest first. */
function eventAt(events: readonly TimelineEvent[], beforeMs: number): TimelineEvent | undefined {
  return events.find((event) => sortMs(event) < beforeMs) ?? events.at(-1);
}

/** What happened in the hour of a minute, in words. */
function around(events: readonly TimelineEvent[], startMs: number, minute: number): string {
  const hour = Math.floor(minute / 60);
  const count = events.filter((event) => Math.floor(minuteOfDay(sortMs(event)) / 60) === hour).length;
  const from = minuteTime(timeOfMinute(startMs, hour * 60));
  return count === 0 ? `nothing in the hour from ${from}` : `${counted(count, 'event')} in the hour from ${from}`;
}
