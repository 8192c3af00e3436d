import { type JSX, useEffect, useRef, useState } from './preact.js';
import { mergedList, type MergedList } from '../core/merged-list.js';
import { silentCameras } from '../core/presence.js';
import type { CameraView, SessionView } from '../core/session-view.js';
import { sortMs } from '../core/timeline.js';
import { useChanges, useNames, useNow, usePage, useSessionView } from './context.js';
import { DeletedEvents } from './deleted-events.js';
import { EventBlock, inBlocks, type Item } from './event-block.js';
import { ago, dayName, shortTime, startOfDay } from './format.js';
import { CameraIcon, PlusIcon } from './icons.js';
import { NotLoaded } from './not-loaded.js';
import { EventDialog } from './parts.js';

/** Number of cards at first, and added each time the end of the list comes into view. */
const CARDS_PER_STEP = 48;

/** The live timeline by day, newest first. */
export function EventsView({ onAddCamera }: { readonly onAddCamera: () => void }): JSX.Element {
  const { session, hearing, deletions, isFurther } = usePage();
  const view = useSessionView();
  const { nameOf } = useNames();
  const now = useNow(30_000);
  const [camera, setCamera] = useState<string | null>(null);
  const [opened, setOpened] = useState<string | null>(null);
  const [limit, setLimit] = useState(CARDS_PER_STEP);
  const list = mergedList(view, camera);
  useChanges(deletions);
  const events = list.events.filter((event) => !deletions.isDeleted(event));
  const shown = withMarks({ ...list, events }, limit);
  const index = events.findIndex((event) => event.key === opened);
  const devices = [...new Set(view.cameras.map(({ device }) => device))];
  const hasOlder = events.length > limit || list.hasOlder;
  const more = async (): Promise<void> => {
    setLimit(limit + CARDS_PER_STEP);
    if (events.length <= limit + CARDS_PER_STEP) await session.loadOlder(camera);
  };

  if (view.isLoaded && view.cameras.length === 0) {
    // A further browser shows its code in place of this.
    return isFurther ? <></> : <NoCamera onAddCamera={onAddCamera} />;
  }
  const current = events[index];
  const isOwned = (device: string): boolean => view.cameras.some((one) => one.device === device && one.isOwned);
  const silent = silentCameras(view, camera, hearing.untilMs());
  return (
    <section aria-labelledby="events-heading">
      <div class="section-head">
        <h1 id="events-heading">Events</h1>
        {devices.length > 1 && (
          <div class="filters" role="group" aria-label="Camera">
            <Filter
              label="All cameras"
              isOn={camera === null}
              onClick={() => {
                setCamera(null);
              }}
            />
            {devices.map((device) => (
              <Filter
                key={device}
                label={nameOf(device)}
                isOn={camera === device}
                onClick={() => {
                  setCamera(device);
                }}
              />
            ))}
          </div>
        )}
      </div>
      <DeletedEvents />
      {silent.length > 0 && (
        <ul class="silences">
          {silent.map((one) => (
            <Silence key={one.device} camera={one} name={nameOf(one.device)} nowMs={now} />
          ))}
        </ul>
      )}
      {view.isLoaded && shown.length === 0 && silent.length === 0 && !hasOlder && (
        <NoEvents connection={view.connection} />
      )}
      {byDay(shown, now).map(({ day, items }) => (
        <section key={day} class="day" aria-label={day}>
          <h2 class="day-name">{day}</h2>
          {inBlocks(items).map((block, i) => (
            <EventBlock key={i} items={block} nameOf={nameOf} isOwned={isOwned} onOpen={setOpened} />
          ))}
        </section>
      ))}
      {/* Below what is here already, which it must not push out of sight. */}
      {!view.isLoaded && <NotLoaded what="Events" connection={view.connection} />}
      {view.isLoaded && hasOlder && <MoreButton onMore={more} />}
      {current !== undefined && (
        <EventDialog.View
          event={current}
          name={nameOf(current.device)}
          onClose={() => {
            setOpened(null);
          }}
          onStep={(by) => {
            setOpened(events[index + by]?.key ?? current.key);
          }}
        />
      )}
    </section>
  );
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
    <li class="note note-warn">
      <strong>{name}</strong>{' '}
      {lastWordMs === null
        ? 'has not been heard yet.'
        : `was last heard ${ago(lastWordMs, nowMs)}: from ${shortTime(lastWordMs)} on nothing came. Newer events may be missing.`}
    </li>
  );
}

/** Returns the first events, with the marks between them, newest first. */
function withMarks({ events, marks, hasOlder }: MergedList, limit: number): Item[] {
  const shown = events.slice(0, limit);
  const last = shown.at(-1);
  const isWhole = shown.length === events.length && !hasOlder;
  const fromMs = isWhole || last === undefined ? -Infinity : sortMs(last);
  const items: Item[] = shown.map((event) => ({ type: 'event', atMs: sortMs(event), event }));
  for (const mark of marks) if (mark.atMs >= fromMs) items.push({ type: 'mark', atMs: mark.atMs, mark });
  // A mark stands below the event before which something is missing.
  return items.sort((a, b) => b.atMs - a.atMs || (a.type === 'mark' ? 1 : -1));
}

function byDay(items: readonly Item[], nowMs: number): { day: string; items: Item[] }[] {
  const out: { day: string; items: Item[] }[] = [];
  let startMs = Infinity;
  for (const item of items) {
    const last = out.at(-1);
    // Newest first: what is not before the day's first moment is of the same day.
    if (last !== undefined && item.atMs >= startMs) {
      last.items.push(item);
      continue;
    }
    startMs = startOfDay(item.atMs);
    const day = dayName(item.atMs, nowMs);
    if (last?.day === day) last.items.push(item);
    else out.push({ day, items: [item] });
  }
  return out;
}

function Filter({
  label,
  isOn,
  onClick,
}: {
  readonly label: string;
  readonly isOn: boolean;
  readonly onClick: () => void;
}): JSX.Element {
  return (
    <button type="button" class="filter" aria-pressed={isOn} onClick={onClick}>
      {label}
    </button>
  );
}

/** Loads more when it scrolls into view, or on a click or key for those who do not scroll. */
function MoreButton({ onMore }: { readonly onMore: () => Promise<void> }): JSX.Element {
  const [isBusy, setBusy] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const load = (): void => {
    if (isBusy) return;
    setBusy(true);
    void onMore().finally(() => {
      setBusy(false);
    });
  };
  useEffect(() => {
    const element = button.current;
    if (element === null) return undefined;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) load();
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  });
  return (
    <button type="button" class="button more" ref={button} onClick={load} disabled={isBusy}>
      {isBusy ? 'Loading…' : 'Show older events'}
    </button>
  );
}

function NoEvents({ connection }: Pick<SessionView, 'connection'>): JSX.Element {
  const isLive = connection === 'live';
  return (
    <div class="empty">
      <CameraIcon />
      <h2>{isLive ? 'All quiet' : 'No events loaded'}</h2>
      <p>
        {isLive
          ? 'No motion so far. Events appear here as soon as your camera sends them.'
          : 'There were none while this page was connected. It cannot know of later ones.'}
      </p>
    </div>
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
    </div>
  );
}
