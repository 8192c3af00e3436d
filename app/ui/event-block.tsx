import { type JSX, useEffect, useLayoutEffect, useRef, useState } from './preact.js';
import type { HistoryMark } from '../core/camera-log.js';
import type { TimelineEvent } from '../core/timeline.js';
import { EventCard } from './event-card.js';
import { HistoryMarkRow } from './history-mark.js';

export type Item =
  | { readonly type: 'event'; readonly atMs: number; readonly event: TimelineEvent }
  | { readonly type: 'mark'; readonly atMs: number; readonly mark: HistoryMark };

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
  nameOf,
  isOwned,
  onOpen,
}: {
  readonly items: readonly Item[];
  readonly nameOf: (device: string) => string;
  readonly isOwned: (device: string) => boolean;
  readonly onOpen: (key: string) => void;
}): JSX.Element {
  const [isNear, setNear] = useState(true);
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
          {items.map((item) =>
            item.type === 'mark' ? (
              <HistoryMarkRow
                key={item.mark.key}
                mark={item.mark}
                name={nameOf(item.mark.device)}
                isOwned={isOwned(item.mark.device)}
              />
            ) : (
              <EventCard key={item.event.key} event={item.event} name={nameOf(item.event.device)} onOpen={onOpen} />
            ),
          )}
        </ul>
      )}
    </div>
  );
}
