import { type JSX, useEffect, useState } from './preact.js';
import { AddMember } from './add-member.js';
import { AddCamera } from './add-camera.js';
import { CamerasView } from './cameras-view.js';
import { Page, useNow, usePage, useSessionView, type PageContext } from './context.js';
import { EventsView } from './events-view.js';
import { ago } from './format.js';
import { Invitations } from './household.js';
import { Logo } from './icons.js';
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
  /** A code that came in the link; the camera dialog opens with it. */
  readonly claimCode: string | null;
  /** The same of somebody who wants to join. */
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

/** What needs to be said above everything: no cloud, a pause, or a cloud that contradicts what is signed. */
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
          <p class="muted small">What is shown was verified before. Trying again by itself.</p>
        </div>
      )}
      {pause !== null && (
        <div class="note note-wait">
          <strong>Looking at events is paused.</strong> The operator says: “{pause.message}”
          <p class="small">{pause.hint} What is shown was verified before. This page goes on by itself.</p>
        </div>
      )}
      {pause === null && notice !== null && (
        <div class="note note-wait">
          <strong>Cameras of another household are paused.</strong> The operator says: “{notice}”
        </div>
      )}
      {alarms.length > 0 && (
        <details class="note note-bad" role="alert">
          <summary>
            <strong>The cloud sent something that is not what your cameras signed.</strong> It is not shown.
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
