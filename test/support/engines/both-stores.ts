import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { openPostgresStore } from '../../../cloud/store/postgres/postgres-store.js';
import { openSqliteStore } from '../../../cloud/store/sqlite/sqlite-store.js';
import type { StoreKind } from '../../../cloud/store/kinds.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { afterThisTest } from '../runner/after-test.js';
import { keptFolder, tempFolder } from '../runner/temp.js';
import { postgres, queryDirectly, type TestPostgres } from './postgres.js';

/** New, empty stores of either kind, for a test file that starts one PostgreSQL server. */
export class BothStores {
  private server: TestPostgres | null = null;
  private databases = 0;
  private readonly places = new Map<CloudStore, string>();

  /** Starts the PostgreSQL server; call it in `beforeAll`. */
  async start(): Promise<void> {
    this.server = postgres(keptFolder());
    await this.server.start();
  }

  async stop(): Promise<void> {
    await this.server?.stop();
  }

  /** Opens a new store; it closes with the test. */
  async open(kind: StoreKind): Promise<CloudStore> {
    if (kind === 'sqlite') {
      const path = join(tempFolder(), 'cloud.db');
      return this.at(path, openSqliteStore(path));
    }
    if (this.server === null) throw new Error('the server was not started');
    const url = await this.server.database(`store_${String(++this.databases)}`);
    const store = await openPostgresStore({ url, password: undefined, connections: 4 });
    afterThisTest(() => store.close());
    return this.at(url, store);
  }

  /** Changes the database past the store, by one statement with SQLite's `x'…'` for bytes. */
  async change(store: CloudStore, statement: string): Promise<void> {
    const place = this.places.get(store) ?? '';
    if (place.startsWith('postgres:')) {
      const text = statement.replaceAll(/x'([0-9a-f]*)'/g, String.raw`'\x$1'::bytea`);
      await queryDirectly(place, (query) => query(text));
      return;
    }
    const db = new Sqlite(place);
    db.exec(statement);
    db.close();
  }

  private at(place: string, store: CloudStore): CloudStore {
    this.places.set(store, place);
    return store;
  }
}
