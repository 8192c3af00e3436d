import { type JSX, useEffect, useLayoutEffect, useRef, useState } from './preact.js';
import type { TimelineEvent } from '../core/timeline.js';
import { EventCard, type CardState } from './event-card.js';
import type { Item } from './event-days.js';
import { shortTime } from './format.js';
import { HistoryMarkRow } from './history-mark.js';

/** Whole rows of 1 to 6 columns. */
const BLOCK_EVENTS = 60;
/** A block this near to the visible part is drawn. */
const NEAR = '1200px';

/** Splits a day into blocks of which those far from the visible part are not drawn. */
export function inBlocks(items: readonly Item[]): Item[][] {
  const blocks: Item[][] = [];
  let events = 0;
  for (const item of items) {
    const last = blocks.at(-1);
    const isFull = item.type === 'event' && events === BLOCK_EVENTS;
    if (last === undefined || isFull) {
      blocks.push([item]);
      events = 0;
    } else {
      last.push(item);
    }
    if (item.type === 'event') events++;
  }
  return blocks;
}

/** Part of a day's events. Far from the visible part only its height is left, so that a long list stays light. */
export function EventBlock({
  items,
  target,
  nameOf,
  isOwned,
  stateOf,
  onOpen,
}: {
  readonly items: readonly Item[];
  /** The key of an event that is about to be scrolled to: it is drawn wherever it is. */
  readonly target: string | null;
  readonly nameOf: (device: string) => string;
  readonly isOwned: (device: string) => boolean;
  readonly stateOf: (event: TimelineEvent) => CardState;
  readonly onOpen: (key: string) => void;
}): JSX.Element {
  const [isInView, setNear] = useState(true);
  const isNear = isInView || items.some((item) => item.type === 'event' && item.event.key === target);
  const element = useRef<HTMLDivElement>(null);
  const height = useRef(0);
  useLayoutEffect(() => {
    if (isNear) height.current = element.current?.offsetHeight ?? height.current;
  });
  useEffect(() => {
    if (element.current === null) return undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        setNear(entries.at(-1)?.isIntersecting === true);
      },
      { rootMargin: NEAR },
    );
    observer.observe(element.current);
    return () => {
      observer.disconnect();
    };
  }, []);
  return (
    <div class="block" ref={element} style={isNear ? undefined : { height: `${String(height.current)}px` }}>
      {isNear && (
        <ul class="grid">
          {items.map((item) => {
            switch (item.type) {
              case 'visit':
                return (
                  <li key="visit" class="visit">
                    Seen until your last visit, {shortTime(item.atMs)}
                  </li>
                );
              case 'mark':
                return (
                  <HistoryMarkRow
                    key={item.mark.key}
                    mark={item.mark}
                    name={nameOf(item.mark.device)}
                    isOwned={isOwned(item.mark.device)}
                  />
                );
              case 'event': {
                const { event } = item;
                const name = nameOf(event.device);
                return <EventCard key={event.key} event={event} name={name} state={stateOf(event)} onOpen={onOpen} />;
              }
            }
          })}
        </ul>
      )}
    </div>
  );
}
