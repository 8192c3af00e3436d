import { type JSX, useEffect, useRef, useState } from './preact.js';
import type { EventPicture, TimelineEvent } from '../core/timeline.js';
import { usePage } from './context.js';
import { clockTime, duration } from './format.js';
import { PictureIcon } from './icons.js';
import type { PictureState } from './pictures.js';
import { VerdictChip, verdictSentence } from './verdict-chip.js';

/** The state of a picture; loading begins when `wanted`. */
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

const SCENES: Readonly<Record<string, string>> = {
  startup: 'Camera started',
  illumination: 'Light changed',
  'ir-cut': 'Night view switched',
  tamper: 'Camera touched or covered',
  overlay: 'Overlay changed',
  stall: 'Picture stood still',
  'clock-jump': 'Clock was set',
  'rate-limit': 'Too many events',
};

export function eventTitle(event: TimelineEvent): string {
  if (event.kind === 'snapshot') return 'Snapshot';
  if (event.kind === 'scene') return SCENES[event.scene ?? ''] ?? 'Scene changed';
  return event.isOpen ? 'Motion now' : 'Motion';
}

/** One event: picture, when, where, and what the page found out about it. */
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
            {event.kind !== 'motion' && <span class="muted">{eventTitle(event)}</span>}
            {length !== null && <span class="muted">{length}</span>}
          </div>
          <p class="card-sentence">{verdictSentence(event.verdict, event.missing)}</p>
        </div>
      </button>
    </li>
  );
}

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
      return <div class="frame-note frame-bad">Not shown: it is not what your camera signed</div>;
  }
}
