import { type JSX, useEffect, useState } from './preact.js';
import { dayOf, dayStart, otherDay } from '../core/page-address.js';
import { loadBackTo, type Reach } from '../core/timeline-reach.js';
import { usePage, useSessionView } from './context.js';
import { dayName, startOfDay } from './format.js';
import { LeftIcon, RightIcon } from './icons.js';
import { DAY_ENDS } from './timeline-words.js';

/** The day that is shown, with the ways to another one. */
export function DayPicker({ startMs, nowMs }: { readonly startMs: number; readonly nowMs: number }): JSX.Element {
  const { addresses } = usePage();
  const { filter, day } = addresses.behind;
  const todayMs = startOfDay(nowMs);
  const words = useDay(day);
  const go = (next: string | null): void => {
    addresses.go({ view: 'events', filter, day: next });
  };
  const name = dayName(startMs, nowMs);
  return (
    <>
      <div class="day-picker" role="group" aria-label="Day">
        <button
          type="button"
          class="icon-button"
          aria-label="The day before"
          onClick={() => {
            go(dayOf(otherDay(startMs, -1)));
          }}
        >
          <LeftIcon />
        </button>
        <span class="day-now" aria-live="polite">
          {name}
        </span>
        <button
          type="button"
          class="icon-button"
          aria-label="The day after"
          disabled={startMs >= todayMs}
          onClick={() => {
            const next = otherDay(startMs, 1);
            go(next >= todayMs ? null : dayOf(next));
          }}
        >
          <RightIcon />
        </button>
        <label class="day-jump">
          <span class="visually-hidden">Jump to a date</span>
          <input
            type="date"
            value={dayOf(startMs)}
            max={dayOf(nowMs)}
            onChange={(event) => {
              const chosen = event.currentTarget.value;
              // A date that is half typed has no such day.
              if (dayStart(chosen) !== null) go(chosen === dayOf(nowMs) ? null : chosen);
            }}
          />
        </label>
        {day !== null && (
          <button
            type="button"
            class="text-button"
            onClick={() => {
              go(null);
            }}
          >
            Newest
          </button>
        )}
      </div>
      {words !== null && (
        <p class="muted small" aria-live="polite">
          {words}
        </p>
      )}
    </>
  );
}

/** Loads the day that an address names. Returns what to say about it. */
function useDay(day: string | null): string | null {
  const { session, addresses } = usePage();
  const { connection, isLoaded } = useSessionView();
  const { camera } = addresses.behind.filter;
  const [end, setEnd] = useState<Reach | null>('here');
  useEffect(() => {
    const startMs = day === null ? null : dayStart(day);
    if (startMs === null || !isLoaded) return undefined;
    const controller = new AbortController();
    setEnd(null);
    void loadBackTo(session, camera, startMs, controller.signal).then((reach) => {
      if (!controller.signal.aborted) setEnd(reach);
    });
    return () => {
      controller.abort();
    };
  }, [session, day, camera, isLoaded, connection === 'live']);
  if (day === null) return null;
  return end === null ? 'Loading this day…' : DAY_ENDS[end];
}
