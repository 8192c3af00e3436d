import { join } from 'node:path';
import { openPostgresStore } from '../../../cloud/store/postgres/postgres-store.js';
import { openSqliteStore } from '../../../cloud/store/sqlite/sqlite-store.js';
import { loadCloudConfig } from '../../../cloud/main/config.js';
import { openMedia } from '../../../cloud/main/compose.js';
import type { MediaStore } from '../../../cloud/media/media-store.js';
import type { CloudStore } from '../../../cloud/store/store.js';

/** Store of the drill's cloud, as it is passed to other processes. */
export interface StoreSetup {
  readonly folder: string;
  /** Null for SQLite in the folder. */
  readonly postgresUrl: string | null;
}

export function storeEnvironment({ folder, postgresUrl }: StoreSetup): Readonly<Record<string, string>> {
  return {
    SEALCLOUD_DATA_FOLDER: folder,
    ...(postgresUrl === null ? {} : { SEALCLOUD_STORE_KIND: 'postgres', SEALCLOUD_STORE_URL: postgresUrl }),
  };
}

/** Opens the drill's store beside its cloud, or after the cloud has stopped. */
export async function openDrillStore({ folder, postgresUrl: url }: StoreSetup): Promise<CloudStore> {
  if (url === null) return openSqliteStore(join(folder, 'cloud.db'));
  return openPostgresStore({ url, password: undefined, connections: 4 });
}

/** Opens the bodies of the drill's clips. */
export function openDrillMedia(setup: StoreSetup): MediaStore {
  return openMedia(loadCloudConfig({ file: null, environment: storeEnvironment(setup) })).store;
}
