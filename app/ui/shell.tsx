import { type JSX, useEffect, useState } from './preact.js';
import { AddMember } from './add-member.js';
import { AddCamera } from './add-camera.js';
import { CamerasView } from './cameras-view.js';
import { Page, useNow, usePage, useSessionView, type PageContext } from './context.js';
import { EventsView } from './events-view.js';
import { ago } from './format.js';
import { Invitations } from './household.js';
import { Logo } from './icons.js';
import { followNetwork } from './network-events.js';
import { Problem } from './problem.js';
import { SettingsView } from './settings-view.js';
import { useTheme } from './theme.js';

const VIEWS = [
  ['events', 'Events'],
  ['cameras', 'Cameras'],
  ['settings', 'Settings'],
] as const;
type View = (typeof VIEWS)[number][0];

/** The signed-in page. */
export function Shell({
  page,
  claimCode,
  memberCode,
  onForget,
}: {
  readonly page: PageContext;
  /** A claim code from the link; the dialog for cameras opens with it. */
  readonly claimCode: string | null;
  /** A member code from the link; the dialog for members opens with it. */
  readonly memberCode: string | null;
  readonly onForget: () => void;
}): JSX.Element {
  const [view, setView] = useState<View>('events');
  const [adding, setAdding] = useState<string | null>(claimCode);
  const [addingMember, setAddingMember] = useState<string | null>(memberCode);
  useTheme(page.storage);
  useEffect(() => {
    const controller = new AbortController();
    void page.session.run(controller.signal);
    return () => {
      controller.abort();
    };
  }, [page]);
  useEffect(() => followNetwork(page.liveness, () => page.client.probe()), [page]);
  const add = (): void => {
    setAdding('');
  };
  const addMember = (): void => {
    setAddingMember('');
  };
  return (
    <Page.Provider value={page}>
      <a class="skip" href="#content">
        Skip to content
      </a>
      <header class="top">
        <div class="top-inner">
          <div class="brand">
            <Logo />
            <span class="wordmark">sealcam</span>
          </div>
          <nav aria-label="Main">
            {VIEWS.map(([id, label]) => (
              <button
                type="button"
                key={id}
                class="tab"
                aria-current={view === id ? 'page' : undefined}
                onClick={() => {
                  setView(id);
                }}
              >
                {label}
              </button>
            ))}
          </nav>
          <Connection />
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        <Banners />
        {view === 'events' && <EventsView onAddCamera={add} />}
        {view === 'cameras' && <CamerasView onAddCamera={add} onAddMember={addMember} />}
        {view === 'settings' && <SettingsView onForget={onForget} />}
      </main>
      {adding !== null && (
        <AddCamera
          initialCode={adding}
          onClose={() => {
            setAdding(null);
          }}
        />
      )}
      {addingMember !== null && (
        <AddMember
          initialCode={addingMember}
          onClose={() => {
            setAddingMember(null);
          }}
        />
      )}
    </Page.Provider>
  );
}

const CONNECTIONS = {
  live: ['Live', 'good'],
  connecting: ['Connecting', 'wait'],
  offline: ['Offline', 'warn'],
  paused: ['Paused', 'wait'],
} as const;

function Connection(): JSX.Element {
  const { connection } = useSessionView();
  const [text, tone] = CONNECTIONS[connection];
  return (
    <span class={`connection connection-${tone}`} role="status">
      <span class="dot" aria-hidden="true" />
      {text}
    </span>
  );
}

/** Messages above every view: no connection, a pause, or a cloud that contradicts what is signed. */
function Banners(): JSX.Element {
  const { problem, alarms, connection, notice } = useSessionView();
  const pause = connection === 'paused' && problem !== null ? problem : null;
  const { session } = usePage();
  const now = useNow(30_000);
  return (
    <div class="banners" aria-live="polite">
      <Invitations />
      {connection === 'offline' && problem !== null && (
        <div>
          <Problem error={problem} />
          <p class="muted small">Everything shown here was verified before. This page keeps trying to reconnect.</p>
        </div>
      )}
      {pause !== null && (
        <div class="note note-wait">
          <strong>Viewing events is paused.</strong> Message from the operator: “{pause.message}”
          <p class="small">{pause.hint} Everything shown here was verified before. This page continues by itself.</p>
        </div>
      )}
      {pause === null && notice !== null && (
        <div class="note note-wait">
          <strong>Cameras of another household are paused.</strong> Message from the operator: “{notice}”
        </div>
      )}
      {alarms.length > 0 && (
        <details class="note note-bad" role="alert">
          <summary>
            <strong>The cloud sent something that contradicts what your cameras signed.</strong> It is not shown.
          </summary>
          <ul>
            {alarms.map(({ id, verdict, message, atMs }) => (
              <li key={id}>
                {verdict}: {message} ({ago(atMs, now)})
              </li>
            ))}
          </ul>
          <button type="button" class="text-button" onClick={() => void session.refresh()}>
            Ask the cloud again
          </button>
        </details>
      )}
    </div>
  );
}
