import type { JSX } from './preact.js';
import type { SubscribedBrowser } from '../core/push-client.js';
import { useNow } from './context.js';
import { ago, dayName } from './format.js';
import { NOTIFICATION_WORDS as WORDS } from './notification-words.js';

/** The browsers of this person that the cloud notifies. One that was lost is ended here. */
export function NotificationBrowsers({
  browsers,
  ownId,
  isBusy,
  onEnd,
}: {
  readonly browsers: readonly SubscribedBrowser[];
  /** Of this browser's subscription; null while it has none. */
  readonly ownId: string | null;
  readonly isBusy: boolean;
  readonly onEnd: (id: string) => void;
}): JSX.Element | null {
  const nowMs = useNow(30_000);
  if (browsers.length === 0) return null;
  return (
    <>
      <h3>{WORDS.browsers}</h3>
      <ul class="members">
        {browsers.map(({ id, endpointHost, createdAtMs, lastOkMs }) => {
          const name = id === ownId ? WORDS.thisBrowser : WORDS.otherBrowser(endpointHost);
          const since = WORDS.since(dayName(createdAtMs, nowMs));
          return (
            <li key={id}>
              <span>
                {name}
                <br />
                <span class="muted small">
                  {since}, {lastOkMs === null ? WORDS.notReached : WORDS.reached(ago(lastOkMs, nowMs))}
                </span>
              </span>
              {id !== ownId && (
                <button
                  type="button"
                  class="text-button"
                  disabled={isBusy}
                  aria-label={`${WORDS.end}: ${name}, ${since}`}
                  onClick={() => {
                    onEnd(id);
                  }}
                >
                  {WORDS.end}
                </button>
              )}
            </li>
          );
        })}
      </ul>
    </>
  );
}
