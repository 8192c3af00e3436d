import { type JSX, useEffect, useState } from './preact.js';
import type { EventName } from '../core/page-address.js';
import { reachEvent, type Reach } from '../core/timeline-reach.js';
import { usePage, useSessionView } from './context.js';
import { EVENT_ENDS } from './timeline-words.js';

/** Looks for the event of an address among what is not loaded yet, and says how that ended. */
export function EventFinder({ name }: { readonly name: EventName }): JSX.Element {
  const { session, addresses } = usePage();
  const { connection, cameras } = useSessionView();
  const [end, setEnd] = useState<Reach | null>(null);
  const [round, setRound] = useState(0);
  const isKnown = cameras.some(({ device, epoch }) => device === name.device && epoch === name.epoch);
  useEffect(() => {
    const controller = new AbortController();
    setEnd(null);
    void reachEvent(session, name, controller.signal).then((reach) => {
      if (!controller.signal.aborted) setEnd(reach);
    });
    return () => {
      controller.abort();
    };
  }, [session, round, isKnown, connection === 'live']);
  const words = !isKnown ? 'This event is of a camera that this browser does not know.' : end && EVENT_ENDS[end];
  return (
    <div class={`note ${words === null ? '' : 'note-wait'} finder`} aria-live="polite">
      <p>{words ?? 'Looking for this event in your history…'}</p>
      <div class="form-buttons">
        {(end === 'stopped' || end === 'offline') && isKnown && (
          <button
            type="button"
            class="button"
            onClick={() => {
              setRound(round + 1);
            }}
          >
            {end === 'stopped' ? 'Search further back' : 'Try again'}
          </button>
        )}
        <button
          type="button"
          class="button"
          onClick={() => {
            addresses.closeEvent();
          }}
        >
          Show all events
        </button>
      </div>
    </div>
  );
}
