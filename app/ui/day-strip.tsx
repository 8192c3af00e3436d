import type { JSX } from './preact.js';
import { busiestHour, densityOf, HOURS, timeOfMinute } from '../core/day-density.js';
import type { MergedList } from '../core/merged-list.js';
import { otherDay } from '../core/page-address.js';
import { sortMs } from '../core/timeline.js';
import { minuteTime } from './format.js';
import { counted } from './timeline-words.js';

const HEIGHT = 20;
/** The least height of an hour that is not empty. */
const LEAST = 4;

/** How much happened on a day, hour by hour. */
export function DayStrip({ list, startMs }: { readonly list: MergedList; readonly startMs: number }): JSX.Element {
  const endMs = otherDay(startMs, 1);
  const events = list.events.filter((event) => sortMs(event) >= startMs && sortMs(event) < endMs);
  const counts = densityOf(events);
  const most = Math.max(1, ...counts);
  const busiest = busiestHour(counts);
  // The oldest day of the list may go on in what is not loaded.
  const last = list.events.at(-1);
  const isPart = list.hasOlder && last !== undefined && sortMs(last) >= startMs;
  const total = `${counted(events.length, 'event')}${isPart ? ' so far' : ''}`;
  const peak = busiest === null ? '' : `, most after ${minuteTime(timeOfMinute(startMs, busiest * 60))}`;
  return (
    <div class="day-density">
      <svg
        class="day-strip"
        viewBox={`0 0 ${String(HOURS * 4)} ${String(HEIGHT)}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${total}${peak}`}
      >
        {counts.map((count, hour) => {
          const height = count === 0 ? 1 : LEAST + ((HEIGHT - LEAST) * count) / most;
          return (
            <rect
              key={hour}
              class={count === 0 ? 'strip-empty' : ''}
              x={hour * 4}
              width={3}
              y={HEIGHT - height}
              height={height}
            />
          );
        })}
      </svg>
      <span class="day-count" aria-hidden="true">
        {total}
      </span>
    </div>
  );
}
