import { type JSX, useEffect, useRef, useState } from './preact.js';
import { mergedList, type MergedList } from '../core/merged-list.js';
import { dayStart, eventKeyOf, eventNameOf, otherDay, type EventFilter } from '../core/page-address.js';
import { silentCameras } from '../core/presence.js';
import type { CameraView, SessionView } from '../core/session-view.js';
import { isFiltering, isShownBy } from '../core/timeline-filter.js';
import { sortMs, type TimelineEvent } from '../core/timeline.js';
import { useChanges, useNames, useNow, usePage, useSessionView } from './context.js';
import { EventBlock, inBlocks } from './event-block.js';
import type { CardState } from './event-card.js';
import { byDay, rowsOf } from './event-days.js';
import { ago, shortTime } from './format.js';
import { CameraIcon, PlusIcon } from './icons.js';
import { MoreButton } from './more-button.js';
import { NotLoaded } from './not-loaded.js';
import { DayStrip, DeletedEvents, EventDialog, EventFinder, NoEvents, TimelineTools } from './parts.js';

/** Number of cards at first, and added each time the end of the list comes into view. */
const CARDS_PER_STEP = 48;

/** The live timeline by day, newest first. */
export function EventsView({ onAddCamera }: { readonly onAddCamera: () => void }): JSX.Element {
  const { session, hearing, deletions, isFurther, addresses, lastVisit } = usePage();
  const view = useSessionView();
  const { nameOf } = useNames();
  const now = useNow(30_000);
  const [limit, setLimit] = useState(CARDS_PER_STEP);
  /** The event that is to be scrolled to. */
  const [target, setTarget] = useState<string | null>(null);
  const { address, behind } = addresses;
  const { filter, day } = behind;
  const { camera } = filter;
  const opened = address.view === 'event' ? eventKeyOf(address.event) : null;
  const { list, stateOf } = useList(view, filter, day, opened);
  useChanges(deletions);
  useChanges(lastVisit);
  const rows = rowsOf(list, limit, lastVisit.sinceMs());
  const { events } = list;
  const hasOlder = events.length > limit || list.hasOlder;
  const current = opened === null ? undefined : view.events.find(({ key }) => key === opened);
  useReturn(opened, target);
  const scrollTo = (key: string): void => {
    const index = events.findIndex((event) => event.key === key);
    if (index >= limit) setLimit(index + CARDS_PER_STEP);
    setTarget(key);
  };
  const more = async (): Promise<void> => {
    setLimit(limit + CARDS_PER_STEP);
    if (events.length <= limit + CARDS_PER_STEP) await session.loadOlder(camera);
  };
  const open = (key: string): void => {
    const event = eventNameOf(key);
    if (event === null) return;
    if (opened === null) addresses.go({ view: 'event', event });
    else addresses.replace({ view: 'event', event });
  };

  if (view.isLoaded && view.cameras.length === 0) {
    // A further browser shows its code in place of this.
    return isFurther ? <></> : <NoCamera onAddCamera={onAddCamera} />;
  }
  const isOwned = (device: string): boolean => view.cameras.some((one) => one.device === device && one.isOwned);
  const silent = silentCameras(view, camera, hearing.untilMs());
  return (
    <section aria-labelledby="events-heading">
      <div class="section-head">
        <h1 id="events-heading">Events</h1>
      </div>
      <div class="tools-space">
        {view.isLoaded && <TimelineTools.View list={list} stateOf={stateOf} onShow={scrollTo} />}
      </div>
      {deletions.list().length > 0 && <DeletedEvents.View />}
      {silent.length > 0 && (
        <div class="note note-warn silences">
          {silent.map((one) => (
            <Silence key={one.device} camera={one} name={nameOf(one.device)} nowMs={now} />
          ))}
          <p>Newer events may be missing.</p>
        </div>
      )}
      {view.isLoaded && rows.length === 0 && silent.length === 0 && !hasOlder && (
        <NoEvents.View connection={view.connection} isFiltered={isFiltering(filter) || day !== null} />
      )}
      {byDay(rows, now).map(({ name, startMs, items }) => (
        <section key={name} class="day" aria-label={name}>
          <div class="day-head">
            <h2 class="day-name">{name}</h2>
            <DayStrip.View list={list} startMs={startMs} />
          </div>
          {inBlocks(items).map((block, i) => (
            <EventBlock
              key={i}
              items={block}
              target={target}
              nameOf={nameOf}
              isOwned={isOwned}
              stateOf={stateOf}
              onOpen={open}
            />
          ))}
        </section>
      ))}
      {/* Below what is here already, which it must not push out of sight. */}
      {!view.isLoaded && <NotLoaded what="Events" connection={view.connection} />}
      {view.isLoaded && hasOlder && (
        <MoreButton key={JSON.stringify(behind)} isAutomatic={!isFiltering(filter) || camera !== null} onMore={more} />
      )}
      {view.isLoaded && address.view === 'event' && (current === undefined || deletions.isDeleted(current)) && (
        <EventFinder.View key={opened} name={address.event} />
      )}
      {current !== undefined && !deletions.isDeleted(current) && (
        <EventDialog.View
          event={current}
          name={nameOf(current.device)}
          onClose={() => {
            addresses.closeEvent();
          }}
          onStep={(by) => {
            const next = neighbour(events, current, by);
            if (next !== undefined) open(next.key);
          }}
        />
      )}
    </section>
  );
}

/** Returns the event before or after another, also where a filter leaves that other one out. */
function neighbour(events: readonly TimelineEvent[], from: TimelineEvent, by: 1 | -1): TimelineEvent | undefined {
  const index = events.findIndex(({ key }) => key === from.key);
  if (index >= 0) return events[index + by];
  const older = events.findIndex((event) => sortMs(event) <= sortMs(from));
  return by === 1 ? events[older] : events.at(older - 1);
}

/** Returns the events that the address asks for, and what a card says of each. */
function useList(
  view: SessionView,
  filter: EventFilter,
  day: string | null,
  opened: string | null,
): { readonly list: MergedList; readonly stateOf: (event: TimelineEvent) => CardState } {
  const { deletions, reviewed, zonesSeen, lastVisit } = usePage();
  useChanges(reviewed);
  useChanges(zonesSeen);
  const whole = mergedList(view, filter.camera);
  const known = {
    isReviewed: (key: string) => reviewed.isReviewed(key),
    zonesOf: (key: string) => zonesSeen.of(key),
  };
  const startMs = day === null ? null : dayStart(day);
  const untilMs = startMs === null ? Infinity : otherDay(startMs, 1);
  const isIn = (event: TimelineEvent): boolean =>
    sortMs(event) < untilMs &&
    !deletions.isDeleted(event) &&
    // What is open stays where it is while it is being marked.
    (event.key === opened || isShownBy(filter, event, known));
  const events = whole.events.filter(isIn);
  const isNarrow = filter.kind !== null || filter.zone !== null || filter.isUnreviewed;
  const marks = isNarrow ? [] : whole.marks.filter(({ atMs }) => atMs < untilMs);
  const sinceMs = lastVisit.sinceMs();
  return {
    list: { events, marks, hasOlder: whole.hasOlder },
    stateOf: ({ key, receivedAtMs }) =>
      reviewed.isReviewed(key) ? 'reviewed' : sinceMs !== null && receivedAtMs > sinceMs ? 'new' : 'seen',
  };
}

/** Gives the focus back to the card of the event that was shown last, and scrolls to one that is asked for. */
function useReturn(opened: string | null, target: string | null): void {
  const before = useRef<string | null>(null);
  useEffect(() => {
    if (opened === null && before.current !== null) cardOf(before.current)?.focus();
    before.current = opened;
  }, [opened]);
  useEffect(() => {
    if (target !== null) cardOf(target)?.scrollIntoView({ block: 'start' });
  }, [target]);
}

function cardOf(key: string): HTMLElement | null {
  return document.querySelector(`[data-event="${key}"] .card-button`);
}

/** Stands where the camera's newest events would be. */
function Silence({
  camera: { lastWordMs },
  name,
  nowMs,
}: {
  readonly camera: CameraView;
  readonly name: string;
  readonly nowMs: number;
}): JSX.Element {
  return (
    <p>
      <strong>{name}</strong>{' '}
      {lastWordMs === null
        ? 'has not been heard yet.'
        : `was last heard ${ago(lastWordMs, nowMs)}: from ${shortTime(lastWordMs)} on nothing came.`}
    </p>
  );
}

function NoCamera({ onAddCamera }: { readonly onAddCamera: () => void }): JSX.Element {
  return (
    <div class="empty">
      <CameraIcon />
      <h1>Add your first camera</h1>
      <p>You need the claim code from its label, or the link behind its QR code.</p>
      <button type="button" class="button button-main" onClick={onAddCamera}>
        <PlusIcon /> Add a camera
      </button>
      <p class="small">Everything it sees is sealed to you on the camera. This page opens it; the cloud cannot.</p>
    </div>
  );
}
