import { type JSX, useEffect, useState } from './preact.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { firstChoices, type PushChoices } from '../core/push-choices.js';
import type { PushAnswer } from '../core/push-client.js';
import { loadPush, subscribePush, unsubscribePush, type KeptPush } from '../core/push-subscription.js';
import { usePage } from './context.js';
import { NotificationBrowsers } from './notification-browsers.js';
import { NotificationChoices } from './notification-choices.js';
import { NOTIFICATION_WORDS as WORDS } from './notification-words.js';
import { Problem } from './problem.js';
import { pushClient, pushSupport, pushWorker, subscribing } from './push-browser.js';

/** What a person reads where this browser cannot be notified. */
const REASONS = { 'home-screen': WORDS.homeScreen, denied: WORDS.denied, no: WORDS.unsupported } as const;

/** Notifications of this browser: on or off, of what, and when not. */
export function Notifications(): JSX.Element {
  const page = usePage();
  const [client] = useState(() => pushClient(page));
  const [kept, setKept] = useState<KeptPush | null>(null);
  const [answer, setAnswer] = useState<PushAnswer | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<SealcamError | null>(null);
  const support = pushSupport();
  const run = async (work: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await work();
    } catch (error) {
      setProblem(asSealcamError(error, 'browser-unsupported'));
    }
    setBusy(false);
  };
  const refresh = async (): Promise<void> => {
    setKept(await loadPush(page.storage));
    setAnswer(await client.push());
  };
  useEffect(() => void run(refresh), []);
  const subscribe = (choices: PushChoices): Promise<void> =>
    run(async () => {
      setKept(await subscribePush(await subscribing(page.storage, client), choices));
      setAnswer(await client.push());
    });
  const turnOn = async (): Promise<void> => {
    // The browser asks its person only in answer to a click.
    const permission = await Notification.requestPermission();
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    if (permission === 'granted') await subscribe(firstChoices(timeZone));
    else setProblem(null);
  };
  const turnOff = (): Promise<void> =>
    run(async () => {
      await unsubscribePush(await subscribing(page.storage, client));
      await refresh();
    });
  const isOff = kept === null;
  return (
    <div class="panel form" id="notifications">
      <h2>{WORDS.heading}</h2>
      <p>{WORDS.intro}</p>
      {problem !== null && <Problem error={problem} />}
      {support !== 'yes' && <p class="note note-wait">{REASONS[support]}</p>}
      {support === 'yes' && answer?.key === null && <p class="note note-wait">{WORDS.noPush}</p>}
      {support === 'yes' && isOff && (answer?.key ?? null) !== null && (
        <div class="form-buttons">
          <button type="button" class="button button-main" disabled={isBusy} onClick={() => void turnOn()}>
            {isBusy ? WORDS.asking : WORDS.turnOn}
          </button>
        </div>
      )}
      {support === 'yes' && !isOff && (
        <ThisBrowser
          key={kept.id}
          choices={kept.choices}
          isBusy={isBusy}
          onSave={subscribe}
          onOff={() => void turnOff()}
          onTest={() => void run(showTest)}
        />
      )}
      <NotificationBrowsers
        browsers={answer?.subscriptions ?? []}
        ownId={kept?.id ?? null}
        isBusy={isBusy}
        onEnd={(id) =>
          void run(async () => {
            await client.unsubscribe(id);
            await refresh();
          })
        }
      />
      <p class="muted small">
        {WORDS.carrier(isOff ? null : new URL(kept.endpoint).host)} {WORDS.unlocked}
      </p>
    </div>
  );
}

function ThisBrowser({
  choices,
  isBusy,
  onSave,
  onOff,
  onTest,
}: {
  readonly choices: PushChoices;
  readonly isBusy: boolean;
  readonly onSave: (choices: PushChoices) => Promise<void>;
  readonly onOff: () => void;
  readonly onTest: () => void;
}): JSX.Element {
  const [next, setNext] = useState(choices);
  const isSame = JSON.stringify(next) === JSON.stringify(choices);
  return (
    <>
      <p class="note note-good" role="status">
        {WORDS.on}
      </p>
      <NotificationChoices choices={next} onChange={setNext} />
      <div class="form-buttons">
        <button
          type="button"
          class="button button-main"
          disabled={isBusy || isSame}
          onClick={() => {
            // The zone of where this person is now.
            const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
            void onSave({ ...next, timeZone });
          }}
        >
          {WORDS.save}
        </button>
        <button type="button" class="button" disabled={isBusy} onClick={onTest}>
          {WORDS.test}
        </button>
        <button type="button" class="button" disabled={isBusy} onClick={onOff}>
          {WORDS.turnOff}
        </button>
      </div>
    </>
  );
}

async function showTest(): Promise<void> {
  await (await pushWorker()).showNotification(WORDS.testTitle, { body: WORDS.testBody, tag: 'test' });
}
