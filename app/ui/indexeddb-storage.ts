import { SealcamError } from '../../common/errors.js';
import type { AppStorage, KnownEpoch } from '../core/storage.js';
import { epochKey } from '../../protocol/objects/ids.js';

const VERSION = 1;
const STORES = ['keys', 'epochs', 'names', 'settings'] as const;
type StoreName = (typeof STORES)[number];

interface WrappedMaster {
  /** AES-GCM key that no script can export. */
  readonly wrapper: CryptoKey;
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly box: ArrayBuffer;
}

/**
 * Storage in IndexedDB. The master key is stored encrypted, under a key that the browser lets scripts use but not
 * export.
 */
export class IndexedDbStorage implements AppStorage {
  private readonly db: IDBDatabase;

  private constructor(db: IDBDatabase) {
    this.db = db;
  }

  /** Opens the database. @throws SealcamError `browser-unsupported` */
  static async open(name = 'sealcam'): Promise<IndexedDbStorage> {
    // The type says that it always exists; outside a secure context it does not.
    const subtle = crypto.subtle as SubtleCrypto | undefined;
    if (subtle === undefined) throw new SealcamError('browser-unsupported', 'this page is not in a secure context');
    const request = indexedDB.open(name, VERSION);
    request.onupgradeneeded = () => {
      for (const store of STORES) {
        if (!request.result.objectStoreNames.contains(store)) request.result.createObjectStore(store);
      }
    };
    try {
      return new IndexedDbStorage(await done(request));
    } catch (cause) {
      throw new SealcamError('browser-unsupported', 'this browser does not let the page store anything', { cause });
    }
  }

  async loadMaster(): Promise<Uint8Array | null> {
    const wrapped = await this.get<WrappedMaster>('keys', 'master');
    if (wrapped === undefined) return null;
    const { wrapper, iv, box } = wrapped;
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, wrapper, box));
  }

  async saveMaster(master: Uint8Array): Promise<void> {
    const wrapper = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const box = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, wrapper, new Uint8Array(master));
    await this.put('keys', 'master', { wrapper, iv, box } satisfies WrappedMaster);
  }

  async loadRoot(): Promise<Uint8Array | null> {
    return (await this.get<Uint8Array>('keys', 'root')) ?? null;
  }

  saveRoot(root: Uint8Array): Promise<void> {
    return this.put('keys', 'root', root);
  }

  async epochs(): Promise<readonly KnownEpoch[]> {
    return (await this.entries<KnownEpoch>('epochs')).map(([, epoch]) => epoch);
  }

  saveEpoch(epoch: KnownEpoch): Promise<void> {
    return this.put('epochs', epochKey(epoch.device, epoch.epoch), epoch);
  }

  async names(): Promise<Readonly<Record<string, string>>> {
    return Object.fromEntries(await this.entries<string>('names'));
  }

  saveName(device: string, name: string): Promise<void> {
    return this.put('names', device, name);
  }

  async setting(name: string): Promise<string | null> {
    return (await this.get<string>('settings', name)) ?? null;
  }

  saveSetting(name: string, value: string): Promise<void> {
    return this.put('settings', name, value);
  }

  async clear(): Promise<void> {
    const transaction = this.db.transaction(STORES, 'readwrite');
    for (const store of STORES) transaction.objectStore(store).clear();
    await finished(transaction);
  }

  private async get<T>(store: StoreName, key: string): Promise<T | undefined> {
    return (await done(this.db.transaction(store).objectStore(store).get(key))) as T | undefined;
  }

  private async put(store: StoreName, key: string, value: unknown): Promise<void> {
    const transaction = this.db.transaction(store, 'readwrite', { durability: 'strict' });
    transaction.objectStore(store).put(value, key);
    await finished(transaction);
  }

  private async entries<T>(store: StoreName): Promise<[string, T][]> {
    const objects = this.db.transaction(store).objectStore(store);
    const [keys, values] = await Promise.all([done(objects.getAllKeys()), done(objects.getAll())]);
    return keys.map((key, i) => [key as string, values[i] as T]);
  }
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new Error('IndexedDB'));
    };
  });
}

function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => {
      resolve();
    };
    transaction.onerror = transaction.onabort = () => {
      reject(transaction.error ?? new Error('IndexedDB'));
    };
  });
}
