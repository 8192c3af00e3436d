import type { JSX } from './preact.js';
import { isUnorderedLook, isWithheld, type Alarm } from '../core/alarms.js';
import { useNames, useNow, usePage, useSessionView } from './context.js';
import { ago } from './format.js';

/** Looks that no member ordered, what the cloud holds back, and what it sent that contradicts the signatures: one banner each. */
export function AlarmBanners(): JSX.Element {
  const { alarms } = useSessionView();
  return (
    <>
      <AlarmBanner
        alarms={alarms.filter(isUnorderedLook)}
        title="A camera let somebody look without an order of your household."
        rest="It signed that itself. Unplug it, and claim it again."
      />
      <AlarmBanner
        alarms={alarms.filter(isWithheld)}
        title="The cloud does not show everything that your cameras signed."
        rest="What is missing is marked among the events."
      />
      <AlarmBanner
        alarms={alarms.filter((alarm) => !isWithheld(alarm) && !isUnorderedLook(alarm))}
        title="The cloud sent something that contradicts what your cameras signed."
        rest="It is not shown."
      />
    </>
  );
}

function AlarmBanner({
  alarms,
  title,
  rest,
}: {
  readonly alarms: readonly Alarm[];
  readonly title: string;
  readonly rest: string;
}): JSX.Element | null {
  const { session } = usePage();
  const { nameOf } = useNames();
  const now = useNow(30_000);
  if (alarms.length === 0) return null;
  return (
    <details class="note note-bad" role="alert">
      <summary>
        <strong>{title}</strong> {rest}
      </summary>
      <ul>
        {alarms.map(({ id, verdict, message, about, atMs }) => (
          <li key={id}>
            {about !== null && <strong>{nameOf(about.device)}: </strong>}
            {verdict}: {message} ({ago(atMs, now)})
          </li>
        ))}
      </ul>
      <button type="button" class="text-button" onClick={() => void session.refresh()}>
        Ask the cloud again
      </button>
    </details>
  );
}
