import { IndexedDbStorage } from '../../../app/ui/indexeddb-storage.js';
import { appStorageContract } from './app-storage-contract.js';

declare global {
  interface Window {
    storageContract: () => ReturnType<typeof appStorageContract>;
    storageReopened: () => Promise<string | null>;
  }
}

/** Bundled into a page of its own by the browser suite. */
window.storageContract = () => appStorageContract((name) => IndexedDbStorage.open(name));

/** A second connection reads what the first one wrote, so it is stored and not held in an object. */
window.storageReopened = async () => {
  await (await IndexedDbStorage.open('reopened')).saveSetting('kept', 'yes');
  return (await IndexedDbStorage.open('reopened')).setting('kept');
};
