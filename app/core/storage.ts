import { epochKey } from '../../protocol/objects/ids.js';

/** A claim that this device verified, and how far it has followed the history of that epoch. */
export interface KnownEpoch {
  /** Hex of the device id. */
  readonly device: string;
  readonly epoch: number;
  /** The signed claim. */
  readonly claim: Uint8Array;
  /** Whether a record of the camera proved that it accepted the claim. */
  readonly isAccepted: boolean;
  /** The highest verified record. The cloud must never show a history that ends before it. */
  readonly head: KnownHead | null;
  /** The camera's signed accept record: with the claim, all that a cloud needs to know this epoch again. */
  readonly accept?: Uint8Array;
}

export interface KnownHead {
  readonly seq: number;
  readonly hash: Uint8Array;
  /** UTC of the record, as the page sorts it; absent where an earlier version of the page or another browser noted it. */
  readonly atMs?: number;
}

/**
 * What the page stores on this device: its master key, the wrapped root key, verified epochs, names and settings. The keys are never
 * sent; names go sealed to the household, as household-settings.ts says.
 * The implementations in memory and in IndexedDB pass one contract suite.
 */
export interface AppStorage {
  /** Returns the master key; null on a new device. */
  loadMaster(): Promise<Uint8Array | null>;
  saveMaster(master: Uint8Array): Promise<void>;
  /** Returns the root key as `encodeRoot` wrapped it; null where the master key above is the root's, or another browser has it. */
  loadRoot(): Promise<Uint8Array | null>;
  saveRoot(root: Uint8Array): Promise<void>;
  epochs(): Promise<readonly KnownEpoch[]>;
  /** Adds an epoch, or replaces the one of the same device and number. */
  saveEpoch(epoch: KnownEpoch): Promise<void>;
  /** Returns the names the owner gave to cameras and members, by hex of the device id or of the member's key. */
  names(): Promise<Readonly<Record<string, string>>>;
  saveName(device: string, name: string): Promise<void>;
  /** Returns a small setting such as the theme; null if it was never saved. */
  setting(name: string): Promise<string | null>;
  saveSetting(name: string, value: string): Promise<void>;
  /** Deletes everything the page stored on this device. */
  clear(): Promise<void>;
}

/** What verifying takes of the storage. The service worker has one of its own, which never takes back what a page learned. */
export type HistoryStorage = Pick<AppStorage, 'epochs' | 'saveEpoch' | 'setting' | 'saveSetting'>;

/** Storage for tests, tools and the demo; nothing survives the process or tab. */
export class MemoryStorage implements AppStorage {
  private master: Uint8Array | null = null;
  private root: Uint8Array | null = null;
  private readonly known = new Map<string, KnownEpoch>();
  private readonly nameOf = new Map<string, string>();
  private readonly settings = new Map<string, string>();

  loadMaster(): Promise<Uint8Array | null> {
    return Promise.resolve(this.master?.slice() ?? null);
  }

  saveMaster(master: Uint8Array): Promise<void> {
    this.master = master.slice();
    return Promise.resolve();
  }

  loadRoot(): Promise<Uint8Array | null> {
    return Promise.resolve(this.root?.slice() ?? null);
  }

  saveRoot(root: Uint8Array): Promise<void> {
    this.root = root.slice();
    return Promise.resolve();
  }

  epochs(): Promise<readonly KnownEpoch[]> {
    return Promise.resolve([...this.known.values()]);
  }

  saveEpoch(epoch: KnownEpoch): Promise<void> {
    this.known.set(epochKey(epoch.device, epoch.epoch), epoch);
    return Promise.resolve();
  }

  names(): Promise<Readonly<Record<string, string>>> {
    return Promise.resolve(Object.fromEntries(this.nameOf));
  }

  saveName(device: string, name: string): Promise<void> {
    this.nameOf.set(device, name);
    return Promise.resolve();
  }

  setting(name: string): Promise<string | null> {
    return Promise.resolve(this.settings.get(name) ?? null);
  }

  saveSetting(name: string, value: string): Promise<void> {
    this.settings.set(name, value);
    return Promise.resolve();
  }

  clear(): Promise<void> {
    this.master = null;
    this.root = null;
    for (const map of [this.known, this.nameOf, this.settings]) map.clear();
    return Promise.resolve();
  }
}
