import { epochKey } from '../../protocol/objects/ids.js';

/** A claim that this owner signed or verified, and how far this device has followed its history. */
export interface KnownEpoch {
  /** Hex of the device id. */
  readonly device: string;
  readonly epoch: number;
  /** The signed claim. */
  readonly claim: Uint8Array;
  /** Whether a record of the camera proved that it accepted the claim. */
  readonly isAccepted: boolean;
  /** The highest verified record; the cloud may never show an older one. */
  readonly head: { readonly seq: number; readonly hash: Uint8Array } | null;
}

/**
 * What the page keeps on this device: the master key, the epochs it verified, names of cameras. Nothing of it is ever sent.
 * Two implementations, in memory and in IndexedDB, pass one contract suite.
 */
export interface AppStorage {
  loadMaster(): Promise<Uint8Array | null>;
  saveMaster(master: Uint8Array): Promise<void>;
  epochs(): Promise<readonly KnownEpoch[]>;
  saveEpoch(epoch: KnownEpoch): Promise<void>;
  /** Names that the owner gave, by hex of the device. */
  names(): Promise<Readonly<Record<string, string>>>;
  saveName(device: string, name: string): Promise<void>;
  /** Small settings: theme, whether the recovery file was saved. */
  setting(name: string): Promise<string | null>;
  saveSetting(name: string, value: string): Promise<void>;
  /** Forgets everything on this device. */
  clear(): Promise<void>;
}

export class MemoryStorage implements AppStorage {
  private master: Uint8Array | null = null;
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
    for (const map of [this.known, this.nameOf, this.settings]) map.clear();
    return Promise.resolve();
  }
}
