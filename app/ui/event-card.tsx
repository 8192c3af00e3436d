import { type JSX, useEffect, useRef, useState } from './preact.js';
import type { RecordScene } from '../../protocol/objects/record.js';
import type { EventPicture, TimelineEvent } from '../core/timeline.js';
import type { EventKind } from '../core/timeline-kinds.js';
import { usePage } from './context.js';
import { clockTime, duration } from './format.js';
import { PictureIcon } from './icons.js';
import type { PictureState } from './pictures.js';
import { VerdictChip, verdictSentence } from './verdict-chip.js';

/** Returns the state of a picture, which starts to load once it is `wanted`. */
export function usePicture(picture: EventPicture | null, wanted: boolean): PictureState {
  const { pictures } = usePage();
  const [, setTick] = useState(0);
  useEffect(
    () =>
      pictures.subscribe(() => {
        setTick((tick) => tick + 1);
      }),
    [pictures],
  );
  if (picture === null) return { type: 'none' };
  return wanted ? pictures.get(picture) : { type: 'loading' };
}

/** Returns a ref callback, and whether its element has come near the visible part of the page. */
function useInView(): readonly [(element: HTMLElement | null) => void, boolean] {
  const [isInView, setInView] = useState(false);
  const observer = useRef<IntersectionObserver | null>(null);
  const watch = (element: HTMLElement | null): void => {
    observer.current?.disconnect();
    if (element === null || isInView) return;
    observer.current = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) setInView(true);
      },
      { rootMargin: '300px' },
    );
    observer.current.observe(element);
  };
  return [watch, isInView];
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

/** One event: its picture, time and camera, and the verdict on it. */
export function EventCard({
  event,
  name,
  onOpen,
}: {
  readonly event: TimelineEvent;
  readonly name: string;
  readonly onOpen: () => void;
}): JSX.Element {
  const [watch, isInView] = useInView();
  const state = usePicture(event.picture, isInView);
  const time = clockTime(event.startedAtMs ?? event.receivedAtMs);
  const length =
    event.startedAtMs !== null && event.endedAtMs !== null ? duration(event.endedAtMs - event.startedAtMs) : null;
  return (
    <li class="card" ref={watch}>
      <button type="button" class="card-button" onClick={onOpen} aria-label={`${eventTitle(event)}, ${name}, ${time}`}>
        <div class="frame">
          <Picture state={state} alt={`${name} at ${time}`} />
          {event.isOpen && <span class="live-badge">Happening now</span>}
        </div>
        <div class="card-text">
          <div class="card-line">
            <strong>{name}</strong>
            <time class="card-time">{time}</time>
          </div>
          <div class="card-line">
            <VerdictChip verdict={event.verdict} />
            {EVENT_LOOKS[event.kind].isTitleShown && <span class="muted">{eventTitle(event)}</span>}
            {length !== null && <span class="muted">{length}</span>}
            {event.hasImpossibleTime && <span class="ink-warn">Wrong clock: time received</span>}
          </div>
          <p class="card-sentence">{verdictSentence(event.verdict, event.missing)}</p>
        </div>
      </button>
    </li>
  );
}

/** A picture, or the reason why there is not one. */
export function Picture({ state, alt }: { readonly state: PictureState; readonly alt: string }): JSX.Element {
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
    case 'refused':
      return <div class="frame-note frame-bad">Not shown: this is not the picture your camera signed</div>;
  }
}
