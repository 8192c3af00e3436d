import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { nextTurn } from '../../../common/adapters/next-turn.js';
import { realClock } from '../../../common/adapters/real-clock.js';
import { storeOf, type StoreKind } from '../../../cloud/store/kinds.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { queryDirectly } from '../../support/engines/postgres.js';

/** Where a cloud keeps its records. */
export interface StorePlace {
  readonly store: StoreKind;
  /** Of a store in a file. */
  readonly folder: string;
  /** Of a store on a server. */
  readonly url: string;
}

/** Opens the store of a life, as the cloud does. */
export function openCloudStore({ store, folder, url }: StorePlace): Promise<CloudStore> {
  const settings = { folder, url, connections: 2, readPassword: () => undefined, pace: { clock: realClock, nextTurn } };
  return storeOf(store).open(settings);
}

/** Key records look like others to retention from here on: it passes over them by this column alone. */
export async function forgetKeys({ store, folder, url }: StorePlace): Promise<void> {
  if (store === 'postgres') {
    await queryDirectly(url, (query) => query("UPDATE record_key SET kind = 'scene' WHERE kind = 'key'"));
    return;
  }
  const db = new Sqlite(join(folder, 'cloud.db'));
  db.exec("UPDATE record SET kind = 'scene' WHERE kind = 'key'");
  db.close();
}
