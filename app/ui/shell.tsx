import { type JSX, useEffect, useLayoutEffect, useState } from './preact.js';
import { realClock } from '../../common/adapters/real-clock.js';
import type { SessionView } from '../core/session-view.js';
import { Banners, Connection } from './banners.js';
import { Page, type PageContext } from './context.js';
import { EventsView } from './events-view.js';
import { Logo } from './icons.js';
import { followNetwork } from './network-events.js';
import { AddCamera, AddMember, CamerasView, preloadParts, SettingsView } from './parts.js';
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
  const [isOwnBrowser, setOwnBrowser] = useState(false);
  useTheme(page.storage);
  // The cloud is asked while the frame is drawn.
  useLayoutEffect(() => {
    const controller = new AbortController();
    void page.session.run(controller.signal);
    return () => {
      controller.abort();
    };
  }, [page]);
  useEffect(() => preloadLater(page), [page]);
  useEffect(() => followAccount(page), [page]);
  useEffect(() => followNetwork(page.liveness, () => page.client.probe()), [page]);
  const add = (): void => {
    setAdding('');
  };
  const addMember = (isOwn: boolean): void => {
    setOwnBrowser(isOwn);
    setAddingMember('');
  };
  return (
    <Page.Provider value={page} key={page.keys}>
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
        {adding !== null && (
          <AddCamera.View
            initialCode={adding}
            onClose={() => {
              setAdding(null);
            }}
          />
        )}
        {addingMember !== null && (
          <AddMember.View
            initialCode={addingMember}
            isOwnBrowser={isOwnBrowser}
            onClose={() => {
              setAddingMember(null);
            }}
          />
        )}
        {view === 'events' && <EventsView onAddCamera={add} />}
        {view === 'cameras' && (
          <CamerasView.View
            onAddCamera={add}
            onAddMember={() => {
              addMember(false);
            }}
          />
        )}
        {view === 'settings' && (
          <SettingsView.View
            onForget={onForget}
            onAddBrowser={() => {
              addMember(true);
            }}
          />
        )}
      </main>
    </Page.Provider>
  );
}

/** Leaves the connection to the first events and their pictures. */
const PRELOAD_AFTER_MS = 3000;

/** Loads the other parts of the page once the events are there. */
function preloadLater(page: PageContext): () => void {
  let cancel: (() => void) | null = null;
  const unsubscribe = page.session.subscribe(({ isLoaded }) => {
    if (isLoaded) {
      cancel ??= realClock.after(PRELOAD_AFTER_MS, () => {
        preloadParts(page);
      });
    }
  });
  return () => {
    unsubscribe();
    cancel?.();
  };
}

/** Asks whether the account is deleted, each time the connection changes: then nothing of it can be read. */
function followAccount({ session, deletions }: PageContext): () => void {
  let before: SessionView['connection'] | null = null;
  return session.subscribe(({ connection }) => {
    if (connection === before) return;
    before = connection;
    if (connection !== 'connecting') void deletions.refreshAccount();
  });
}
