import { type JSX, useEffect, useLayoutEffect, useState } from './preact.js';
import { realClock } from '../../common/adapters/real-clock.js';
import type { SessionView } from '../core/session-view.js';
import { Banners, Connection } from './banners.js';
import { Page, useChanges, type PageContext } from './context.js';
import { EventsView } from './events-view.js';
import { CameraIcon, GearIcon, ListIcon, Logo } from './icons.js';
import { followNetwork } from './network-events.js';
import { AddCamera, AddMember, CamerasView, preloadParts, SettingsView, UndoNote } from './parts.js';
import { useTheme } from './theme.js';

const VIEWS = [
  ['events', 'Events', ListIcon],
  ['cameras', 'Cameras', CameraIcon],
  ['settings', 'Settings', GearIcon],
] as const;

/** The codes of a link into the page; null without one. A dialog opens with each. */
export interface LinkCodes {
  readonly claimCode: string | null;
  readonly memberCode: string | null;
}

/** The signed-in page. */
export function Shell({
  page,
  codes,
  onForget,
}: {
  readonly page: PageContext;
  readonly codes: LinkCodes;
  readonly onForget: () => void;
}): JSX.Element {
  const [adding, setAdding] = useState<string | null>(codes.claimCode);
  const [addingMember, setAddingMember] = useState<string | null>(codes.memberCode);
  const [isOwnBrowser, setOwnBrowser] = useState(false);
  const { addresses, undo } = page;
  useChanges(addresses);
  useChanges(undo);
  useTheme(page.storage);
  useEffect(() => {
    if (codes.claimCode !== null) setAdding(codes.claimCode);
    if (codes.memberCode !== null) setAddingMember(codes.memberCode);
  }, [codes]);
  useEffect(() => addresses.followHistory(), [addresses]);
  const { address } = addresses;
  const view = address.view === 'event' ? 'events' : address.view;
  const label = VIEWS.find(([id]) => id === view)?.[1] ?? '';
  useEffect(() => {
    // The dialog of an event names that.
    if (address.view !== 'event') document.title = `${label} · sealcam`;
  }, [address]);
  useEffect(() => followSight(page), [page]);
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
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          // The fragment is the page's address.
          event.preventDefault();
          document.getElementById('content')?.focus();
        }}
      >
        Skip to content
      </a>
      <header class="top">
        <div class="top-inner">
          <div class="brand">
            <Logo />
            <span class="wordmark">sealcam</span>
          </div>
          <nav aria-label="Main">
            {VIEWS.map(([id, name, Icon]) => (
              <button
                type="button"
                key={id}
                class="tab"
                aria-current={view === id ? 'page' : undefined}
                onClick={() => {
                  addresses.go(id === 'events' ? addresses.behind : { view: id });
                }}
              >
                <Icon />
                {name}
              </button>
            ))}
          </nav>
          <Connection />
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        <Banners />
        {addresses.isUnknown && (
          <p class="note note-wait" aria-live="polite">
            That address names nothing on this page. These are your events.
          </p>
        )}
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
      {undo.current() !== null && <UndoNote.View />}
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

/** Time between two notes that the events were shown. */
const SHOWN_EVERY_MS = 20_000;

/** Notes until when this person saw what comes, which is where "since your last visit" begins. */
function followSight({ lastVisit, session }: PageContext): () => void {
  const note = (): void => {
    if (document.visibilityState === 'visible' && session.view().connection === 'live') void lastVisit.noteShown();
  };
  let cancel = (): void => undefined;
  const tick = (): void => {
    note();
    cancel = realClock.after(SHOWN_EVERY_MS, tick);
  };
  cancel = realClock.after(SHOWN_EVERY_MS, tick);
  const unsubscribe = session.subscribe(({ connection }) => {
    if (connection !== 'live') return;
    note();
    unsubscribe();
  });
  const follow = (): void => {
    if (document.visibilityState === 'hidden') lastVisit.leave();
    else lastVisit.comeBack();
  };
  document.addEventListener('visibilitychange', follow);
  return () => {
    cancel();
    unsubscribe();
    document.removeEventListener('visibilitychange', follow);
  };
}
