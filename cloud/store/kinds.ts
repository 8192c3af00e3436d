import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openPostgresStore } from './postgres/postgres-store.js';
import { openSqliteStore } from './sqlite/sqlite-store.js';
import type { Pace } from './sqlite/writer.js';
import type { CloudStore } from './store.js';

/** Values of the setting `store.kind`. To add a store, see README.md beside this file. */
export const STORE_KINDS = ['sqlite', 'postgres'] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

/** The settings of a store; each kind takes the ones it needs. */
export interface StoreSettings {
  /** `data.folder`, which exists. */
  readonly folder: string;
  /** `store.url`; empty where it is not set. */
  readonly url: string;
  /** `store.connections`. */
  readonly connections: number;
  /** Reads the file that `store.passwordFile` names; undefined where it names none. */
  readonly readPassword: () => string | undefined;
  readonly pace: Pace;
}

export interface StoreDescriptor {
  /** Where the store keeps its data, for the help of `store.kind`. */
  readonly help: string;
  /** Schemes of the `store.url` that this kind needs, such as `postgres:`; empty for a kind without a URL. */
  readonly urlProtocols: readonly string[];
  /** Whether several processes may open one store of this kind. */
  readonly isShared: boolean;
  /**
   * Returns the path of the database if it is missing, else null. Null also where only a server knows: it refuses the
   * name of a database that it does not have.
   */
  readonly findMissing: (settings: StoreSettings) => string | null;
  /** @throws SealcamError `store-unavailable`, `store-newer` */
  readonly open: (settings: StoreSettings) => Promise<CloudStore>;
}

/** Everything that differs between the kinds of store. A kind without an entry does not compile. */
export const STORES = {
  sqlite: {
    help: 'a file in data.folder',
    urlProtocols: [],
    isShared: false,
    findMissing: (settings) => (existsSync(sqlitePath(settings)) ? null : sqlitePath(settings)),
    open: async (settings) => Promise.resolve(openSqliteStore(sqlitePath(settings), settings.pace)),
  },
  postgres: {
    help: 'a PostgreSQL server',
    urlProtocols: ['postgres:', 'postgresql:'],
    isShared: true,
    findMissing: () => null,
    open: ({ url, connections, readPassword }) => openPostgresStore({ url, connections, password: readPassword() }),
  },
} as const satisfies Record<StoreKind, StoreDescriptor>;

export function storeOf(kind: StoreKind): StoreDescriptor {
  return STORES[kind];
}

/** One sentence on every kind, for documentation: "sqlite: a file in data.folder; …". */
export function storeKindsHelp(): string {
  return `${STORE_KINDS.map((kind) => `${kind}: ${STORES[kind].help}`).join('; ')}.`;
}

function sqlitePath({ folder }: StoreSettings): string {
  return join(folder, 'cloud.db');
}
