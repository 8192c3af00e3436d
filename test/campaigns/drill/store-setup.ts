import { join } from 'node:path';
import { openPostgresStore } from '../../../cloud/store/postgres/postgres-store.js';
import { openSqliteStore } from '../../../cloud/store/sqlite/sqlite-store.js';
import { FilesStore } from '../../../cloud/media/files-store.js';
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
    SEALCLOUD_MEDIA_FOLDER: mediaFolder(folder),
    ...(postgresUrl === null ? {} : { SEALCLOUD_STORE_KIND: 'postgres', SEALCLOUD_STORE_URL: postgresUrl }),
  };
}

/** Opens the drill's store beside its cloud, or after the cloud has stopped. */
export async function openDrillStore({ folder, postgresUrl: url }: StoreSetup): Promise<CloudStore> {
  if (url === null) return openSqliteStore(join(folder, 'cloud.db'));
  return openPostgresStore({ url, password: undefined, connections: 4 });
}

/** Opens the bodies of the drill's clips, without the program of the cloud, which takes longer to load than all else. */
export function openDrillMedia({ folder }: StoreSetup): MediaStore {
  return new FilesStore(join(mediaFolder(folder), 'bodies'));
}

function mediaFolder(folder: string): string {
  return join(folder, 'media');
}
