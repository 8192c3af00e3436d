import { epochKey } from '../../protocol/objects/ids.js';
import { withLearned } from '../core/learned-epoch.js';
import type { KnownEpoch } from '../core/storage.js';

/** The page's database and store; `IndexedDbStorage` makes them. */
const DATABASE = 'sealcam';
const STORE = 'epochs';

/**
 * Stores what the service worker learned of an epoch, in one transaction with reading what is there: a page in another thread may
 * have followed the history further meanwhile. Open an `IndexedDbStorage` first.
 */
export async function learnEpoch(learned: KnownEpoch, database = DATABASE): Promise<void> {
  const db = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(database);
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new Error('IndexedDB'));
    };
  });
  try {
    await change(db, learned);
  } finally {
    db.close();
  }
}

function change(db: IDBDatabase, learned: KnownEpoch): Promise<void> {
  const key = epochKey(learned.device, learned.epoch);
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(STORE, 'readwrite', { durability: 'strict' });
    transaction.oncomplete = () => {
      resolve();
    };
    transaction.onerror = transaction.onabort = () => {
      reject(transaction.error ?? new Error('IndexedDB'));
    };
    const store = transaction.objectStore(STORE);
    const reading = store.get(key) as IDBRequest<KnownEpoch | undefined>;
    reading.onsuccess = () => {
      store.put(withLearned(reading.result, learned), key);
    };
  });
}
