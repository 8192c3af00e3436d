import type { JSX } from './preact.js';
import { dayStart } from '../core/page-address.js';
import { summaryOf, type ListSummary } from '../core/list-summary.js';
import type { MergedList } from '../core/merged-list.js';
import { sortMs, type TimelineEvent } from '../core/timeline.js';
import { useNow, usePage } from './context.js';
import type { CardState } from './event-card.js';
import { shortTime, startOfDay } from './format.js';
import { CheckIcon, ShieldIcon } from './icons.js';
import { Scrubber } from './scrubber.js';
import { DayPicker } from './timeline-day.js';
import { TimelineFilters } from './timeline-filters.js';
import { counted, summaryWords } from './timeline-words.js';

/** Events that one press marks as reviewed. */
const MARKED_AT_ONCE_MAX = 2000;

const INKS = { intact: 'ink-good', coming: 'muted', noted: 'ink-warn' } as const satisfies Record<
  ListSummary['state'],
  string
>;

interface ToolsProps {
  readonly list: MergedList;
  readonly stateOf: (event: TimelineEvent) => CardState;
  /** Scrolls to an event of the list. */
  readonly onShow: (key: string) => void;
}

/** What stands above the list: what is new, the day, the hours of it, and filters. */
export function TimelineTools({ list, stateOf, onShow }: ToolsProps): JSX.Element {
  const { addresses } = usePage();
  const now = useNow(60_000);
  const { day } = addresses.behind;
  const [newest] = list.events;
  const chosenMs = day === null ? null : dayStart(day);
  const startMs = chosenMs ?? startOfDay(newest === undefined ? now : sortMs(newest));
  return (
    <div class="tools">
      <Summary list={list} stateOf={stateOf} />
      <TimelineFilters list={list} />
      <div class="scrub-panel">
        <DayPicker startMs={startMs} nowMs={now} />
        <Scrubber key={startMs} list={list} startMs={startMs} onShow={onShow} />
      </div>
    </div>
  );
}

/** What is new since the visit before this one, and whether everything shown is intact. */
function Summary({ list, stateOf }: Pick<ToolsProps, 'list' | 'stateOf'>): JSX.Element | null {
  const { lastVisit, reviewed, undo } = usePage();
  const { events } = list;
  const sinceMs = lastVisit.sinceMs();
  const fresh = events.filter((event) => stateOf(event) === 'new');
  const left = fresh.length > 0 ? fresh : events.filter((event) => stateOf(event) !== 'reviewed');
  const summary = summaryOf(list);
  if (events.length === 0) return null;
  const mark = (): void => {
    const keys = left.slice(0, MARKED_AT_ONCE_MAX).map(({ key }) => key);
    void reviewed.markReviewed(keys, true);
    undo.offer({
      text: `${counted(keys.length, 'event')} marked as reviewed.`,
      undo: () => reviewed.markReviewed(keys, false),
    });
  };
  return (
    <div class="summary">
      <p class="summary-new">
        {sinceMs === null
          ? counted(events.length, 'event')
          : `${fresh.length === 0 ? 'Nothing new' : `${String(fresh.length)} new`} since your last visit, ${shortTime(sinceMs)}`}
      </p>
      <p class={`summary-verdict ${INKS[summary.state]}`}>
        {summary.state === 'intact' && <ShieldIcon />} {summaryWords(summary)}
      </p>
      {left.length > 0 && (
        <button type="button" class="text-button" onClick={mark}>
          <CheckIcon /> Mark {Math.min(left.length, MARKED_AT_ONCE_MAX)} as reviewed
        </button>
      )}
    </div>
  );
}
