import type { CloudStore } from '../../../cloud/store/store.js';

/** Returns a store that counts every key as a member and names another account: the incident, at the read. */
export function crossed(store: CloudStore): CloudStore {
  return {
    ...store,
    claims: {
      ...store.claims,
      isMember: () => Promise.resolve(true),
      row: async (device, epoch) => {
        const row = await store.claims.row(device, epoch);
        return row === undefined ? undefined : { ...row, account: new Uint8Array(16) };
      },
    },
  };
}
