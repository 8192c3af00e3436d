/** Where the drill's cloud keeps what it takes; what crosses to other processes. */
export interface StoreSetup {
  readonly folder: string;
  /** Null for SQLite, in the folder. */
  readonly postgresUrl: string | null;
}

export function storeEnvironment({ folder, postgresUrl }: StoreSetup): Readonly<Record<string, string>> {
  return {
    SEALCLOUD_DATA_FOLDER: folder,
    ...(postgresUrl === null ? {} : { SEALCLOUD_STORE_KIND: 'postgres', SEALCLOUD_STORE_URL: postgresUrl }),
  };
}
