import { join } from 'node:path';
import { openPostgresStore } from '../../../cloud/store/postgres/postgres-store.js';
import { openSqliteStore } from '../../../cloud/store/sqlite/sqlite-store.js';
import type { StoreKind } from '../../../cloud/store/kinds.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { afterThisTest } from '../runner/after-test.js';
import { keptFolder, tempFolder } from '../runner/temp.js';
import { postgres, type TestPostgres } from './postgres.js';

/** New, empty stores of either kind, for a test file that starts one PostgreSQL server. */
export class BothStores {
  private server: TestPostgres | null = null;
  private databases = 0;

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
    if (kind === 'sqlite') return openSqliteStore(join(tempFolder(), 'cloud.db'));
    if (this.server === null) throw new Error('the server was not started');
    const url = await this.server.database(`store_${String(++this.databases)}`);
    const store = await openPostgresStore({ url, password: undefined, connections: 4 });
    afterThisTest(() => store.close());
    return store;
  }
}
