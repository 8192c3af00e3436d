import type { ClaimRow, CloudStore } from '../../../cloud/store/store.js';

type ReadRow = (device: Uint8Array, epoch: number) => Promise<ClaimRow | undefined>;

/**
 * Returns a store whose claim rows come from `readRow`, wherever the cloud asks for them: by themselves, or in the
 * transaction that stores a record. This is where a cache or a wrong key would sit.
 */
export function withRows(store: CloudStore, readRow: ReadRow): CloudStore {
  return {
    ...store,
    claims: { ...store.claims, row: readRow },
    records: {
      ...store.records,
      put: async (record, media, atMs, bind) => {
        const { device, epoch } = record.value;
        const row = bind === undefined ? undefined : await readRow(device, epoch);
        const crossed = bind && ((standing: Parameters<typeof bind>[0]): boolean => bind({ ...standing, row }));
        return store.records.put(record, media, atMs, crossed);
      },
    },
  };
}
