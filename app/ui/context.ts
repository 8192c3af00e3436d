import { realClock } from '../../common/adapters/real-clock.js';
import { createContext, useContext, useEffect, useState } from './preact.js';
import type { KemDependencies } from '../core/claim-maker.js';
import type { Orders } from '../core/orders.js';
import type { CloudClient } from '../core/cloud-client.js';
import type { Deletions } from '../core/deletions.js';
import type { HistoryKeeper } from '../core/history-keeper.js';
import type { LastVisit } from '../core/last-visit.js';
import type { Liveness } from '../core/liveness.js';
import type { HouseholdHeads } from '../core/household-heads.js';
import type { HouseholdSettings } from '../core/household-settings.js';
import type { OpenRoot } from '../core/open-root.js';
import type { Owner } from '../core/owner.js';
import type { OwnerKeys } from '../core/owner-keys.js';
import type { OwnerSession } from '../core/owner-session.js';
import type { Pictures } from '../core/pictures.js';
import { presenceOf, type Hearing, type Presence } from '../core/presence.js';
import type { CameraView, SessionView } from '../core/session-view.js';
import type { PutAway } from '../core/put-away.js';
import type { RootAtRest } from '../core/root-at-rest.js';
import type { StandingOrders } from '../core/standing-orders.js';
import type { ReceiptKeyPins } from '../core/receipt-key-pins.js';
import type { ReviewedMarks } from '../core/reviewed-marks.js';
import type { AppStorage } from '../core/storage.js';
import type { UndoList } from '../core/undo.js';
import type { ZonesSeen } from '../core/zones-seen.js';
import type { Addresses } from './addresses.js';

/** What components of the signed-in page need. Made once the owner's key is loaded. */
export interface PageContext {
  readonly keys: OwnerKeys;
  /** Whether this browser was set up as a further one of its owner. */
  readonly isFurther: boolean;
  /** The root key, where this browser keeps it apart from its own. */
  readonly root: RootHere | null;
  /** Shows the page with the root key until that is locked. */
  readonly useRoot: (root: RootAtRest, open: OpenRoot) => void;
  readonly storage: AppStorage;
  readonly liveness: Liveness;
  readonly client: CloudClient;
  readonly history: HistoryKeeper;
  readonly household: HouseholdHeads;
  readonly receiptKeys: ReceiptKeyPins;
  readonly owner: Owner;
  readonly kem: KemDependencies;
  readonly session: OwnerSession;
  readonly hearing: Hearing;
  readonly orders: Orders;
  readonly standing: StandingOrders;
  readonly deletions: Deletions;
  readonly putAway: PutAway;
  readonly pictures: Pictures;
  /** Loads what the browsers of the household share. @throws where that part of the page could not be loaded */
  readonly settings: () => Promise<HouseholdSettings>;
  readonly addresses: Addresses;
  readonly reviewed: ReviewedMarks;
  readonly lastVisit: LastVisit;
  readonly zonesSeen: ZonesSeen;
  readonly undo: UndoList;
}

/** The root key that rests in this browser; `open` while the page uses it, and null while it is locked. */
export interface RootHere extends RootAtRest {
  readonly open: OpenRoot | null;
}

/** Provides the page context. */
export const Page = createContext<PageContext | null>(null);

/** Returns the page context. */
export function usePage(): PageContext {
  const page = useContext(Page);
  if (page === null) throw new Error('outside of the page');
  return page;
}

/** Returns the session's view and draws again when it changes. */
export function useSessionView(): SessionView {
  const { session } = usePage();
  const [view, setView] = useState(() => session.view());
  useEffect(() => session.subscribe(setView), [session]);
  return view;
}

/** Returns the wall clock, updated every `everyMs`, so that "2 minutes ago" stays true. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => realClock.wallMs());
  useEffect(() => {
    let cancel = (): void => undefined;
    const tick = (): void => {
      setNow(realClock.wallMs());
      cancel = realClock.after(everyMs, tick);
    };
    cancel = realClock.after(everyMs, tick);
    return () => {
      cancel();
    };
  }, [everyMs]);
  return now;
}

/** Draws again after every change of what is subscribed to. */
export function useChanges(source: { readonly subscribe: (listener: () => void) => () => void }): void {
  const [, setTick] = useState(0);
  useEffect(
    () =>
      source.subscribe(() => {
        setTick((tick) => tick + 1);
      }),
    [source],
  );
}

/** Returns whether a camera is there, as far as this page can know now. */
export function usePresence(camera: CameraView): Presence {
  const { hearing } = usePage();
  const { connection } = useSessionView();
  useNow(10_000);
  return presenceOf(camera, connection, hearing.untilMs());
}

/** The names of cameras and members. The browsers of a household share them, sealed: see {@link HouseholdSettings}. */
export function useNames(): {
  /** Returns a camera's name, or one made from its id. */
  readonly nameOf: (device: string) => string;
  /** Returns the name of a camera (hex of its id) or member (hex of the key); null if it has none. */
  readonly labelOf: (id: string) => string | null;
  readonly rename: (device: string, name: string) => Promise<void>;
} {
  const { storage, settings } = usePage();
  const [names, setNames] = useState<Readonly<Record<string, string>>>({});
  useEffect(() => {
    void storage.names().then(setNames);
    const changed = (): void => void storage.names().then(setNames);
    nameListeners.add(changed);
    return () => void nameListeners.delete(changed);
  }, [storage]);
  return {
    labelOf: (id) => names[id] ?? null,
    nameOf: (device) => names[device] ?? `Camera ${device.slice(0, 6)}`,
    rename: async (device, name) => (await settings()).rename(device, name),
  };
}

const nameListeners = new Set<() => void>();

/** Has every name drawn again. */
export function namesChanged(): void {
  for (const listener of [...nameListeners]) listener();
}
