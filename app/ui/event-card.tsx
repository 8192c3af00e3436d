import { type ComponentChildren, type JSX, type RefObject, useLayoutEffect, useRef, useState } from './preact.js';
import type { RecordScene } from '../../protocol/objects/record.js';
import type { PictureState } from '../core/pictures.js';
import { pictureKey, type EventPicture, type TimelineEvent } from '../core/timeline.js';
import type { EventKind } from '../core/timeline-kinds.js';
import { useChanges, usePage } from './context.js';
import { clockTime, duration, minuteTime } from './format.js';
import { PictureIcon } from './icons.js';
import { VerdictChip, verdictSentence } from './verdict-chip.js';

/** Returns the state of a picture. While it is `shown`, it is loaded and kept. */
export function usePicture(picture: EventPicture | null, shown: boolean): PictureState {
  const { pictures } = usePage();
  const key = picture === null ? null : pictureKey(picture);
  useChanges(pictures);
  useLayoutEffect(() => (picture === null || !shown ? undefined : pictures.show(picture)), [pictures, key, shown]);
  return picture === null ? { type: 'none' } : pictures.stateOf(picture);
}

/** Returns a ref, and whether its element is near the visible part of the page. */
function useInView(): readonly [RefObject<HTMLLIElement>, boolean] {
  const [isInView, setInView] = useState(false);
  const element = useRef<HTMLLIElement>(null);
  useLayoutEffect(() => {
    if (element.current === null) return undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        setInView(entries.at(-1)?.isIntersecting === true);
      },
      { rootMargin: '300px' },
    );
    observer.observe(element.current);
    return () => {
      observer.disconnect();
    };
  }, []);
  return [element, isInView];
}

const SCENE_TITLES = {
  startup: 'Camera started',
  illumination: 'Light changed',
  'ir-cut': 'Night view switched',
  tamper: 'Camera touched or covered',
  overlay: 'Overlay changed',
  stall: 'Picture froze',
  'clock-jump': 'Clock was set',
  'rate-limit': 'Too many events',
} as const satisfies Record<RecordScene['class'], string>;

/** How the page presents each kind of event. */
interface EventLook {
  readonly title: (event: TimelineEvent) => string;
  /** Whether the card shows the title; motion is so frequent that the word would only repeat itself. */
  readonly isTitleShown: boolean;
}

const EVENT_LOOKS = {
  motion: { title: ({ isOpen }) => (isOpen ? 'Motion now' : 'Motion'), isTitleShown: false },
  snapshot: { title: () => 'Snapshot', isTitleShown: true },
  scene: { title: ({ scene }) => (scene === null ? 'Scene changed' : SCENE_TITLES[scene]), isTitleShown: true },
} as const satisfies Record<EventKind, EventLook>;

/** Returns the heading of an event, for cards, dialogs and screen readers. */
export function eventTitle(event: TimelineEvent): string {
  return EVENT_LOOKS[event.kind].title(event);
}

/** What this person has seen of an event: `new` since the visit before this one. */
export type CardState = 'new' | 'seen' | 'reviewed';

/** One event: its picture, time and camera, and a word only where the verdict on it is not the best. */
export function EventCard({
  event,
  name,
  state,
  onOpen,
}: {
  readonly event: TimelineEvent;
  readonly name: string;
  readonly state: CardState;
  /** Called with the event's key. */
  readonly onOpen: (key: string) => void;
}): JSX.Element {
  const [element, isInView] = useInView();
  const picture = usePicture(event.picture, isInView);
  const atMs = event.startedAtMs ?? event.receivedAtMs;
  const length =
    event.startedAtMs !== null && event.endedAtMs !== null ? duration(event.endedAtMs - event.startedAtMs) : null;
  const facts = [
    EVENT_LOOKS[event.kind].isTitleShown ? eventTitle(event) : null,
    length,
    event.clips.length > 0 ? 'Video' : null,
  ].filter((fact) => fact !== null);
  const isIntact = event.verdict === 'intact';
  return (
    <li class={`card card-${state}`} ref={element} data-event={event.key}>
      <button
        type="button"
        class="card-button"
        onClick={() => {
          onOpen(event.key);
        }}
      >
        <div class="frame">
          <Picture state={picture} alt="" />
          {event.isOpen && <span class="live-badge">Happening now</span>}
        </div>
        <div class="card-text">
          <div class="card-line">
            {!EVENT_LOOKS[event.kind].isTitleShown && <Spoken>{eventTitle(event)}, </Spoken>}
            <span class="card-name">{name}</span>
            <time class="card-time">
              <span aria-hidden="true">{minuteTime(atMs)}</span>
              <Spoken>
                {clockTime(atMs)}
                {state === 'reviewed' ? ', reviewed' : ''}
              </Spoken>
            </time>
          </div>
          {(facts.length > 0 || state === 'new') && (
            <div class="card-facts">
              {state === 'new' && <span class="card-new">New</span>}
              {facts.map((fact) => (
                <span key={fact}>{fact}</span>
              ))}
            </div>
          )}
          {event.hasImpossibleTime && <p class="card-sentence ink-warn">Wrong clock: time received</p>}
          {!isIntact && (
            <>
              <div>
                <VerdictChip verdict={event.verdict} />
              </div>
              <p class="card-sentence">{verdictSentence(event.verdict, event.missing)}</p>
            </>
          )}
        </div>
      </button>
    </li>
  );
}

/** Words for who does not see the card: what its place and its picture tell the others. */
function Spoken({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <span class="visually-hidden">{children}</span>;
}

const WAITING = {
  offline: 'Not opened yet: this page has no connection',
  paused: 'Not opened yet: viewing is paused',
  key: 'Not opened yet: the key of this time has not come from the camera',
} as const;

const REFUSED = {
  altered: 'Not shown: this is not the picture your camera signed',
  'not-sealed': 'Not shown: the camera did not seal this to you',
  'two-keys': 'Not shown: there are two keys for this time, and only one can be the camera’s',
} as const;

/** A picture, or the reason why there is not one. */
export function Picture({
  state,
  alt,
  onRetry,
}: {
  readonly state: PictureState;
  readonly alt: string;
  /** Omitted inside of a button. */
  readonly onRetry?: () => void;
}): JSX.Element {
  switch (state.type) {
    case 'ready':
      return <img src={state.url} alt={alt} decoding="async" />;
    case 'loading':
      return <div class="frame-note shimmer">Opening…</div>;
    case 'none':
      return (
        <div class="frame-note">
          <PictureIcon />
          No picture
        </div>
      );
    case 'waiting':
      return <div class="frame-note">{WAITING[state.why]}</div>;
    case 'failed':
      return (
        <div class="frame-note">
          <span>Could not be opened: {state.message}.</span>
          {onRetry === undefined ? (
            <span>Select it to try again.</span>
          ) : (
            <button type="button" class="button" onClick={onRetry}>
              Try again
            </button>
          )}
        </div>
      );
    case 'refused':
      return <div class="frame-note frame-bad">{REFUSED[state.why]}</div>;
  }
}
