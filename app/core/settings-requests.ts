import { toBase64, toHex } from '../../common/bytes.js';
import * as v from '../../common/schema.js';
import { ID_BYTES } from '../../protocol/objects/ids.js';
import type { CloudClient } from './cloud-client.js';

const settingsAnswer = v.object({
  households: v.pipe(
    v.array(v.object({ account: v.hexBytes(ID_BYTES), settings: v.pipe(v.array(v.base64Bytes), v.maxLength(16)) })),
    v.maxLength(64),
  ),
});
type ServedHousehold = v.InferOutput<typeof settingsAnswer>['households'][number];

/** What is asked of the cloud for household settings: apart from the client, because the first paint does without. */
export interface SettingsRequests {
  /** Returns the newest settings objects of each household of this person, not yet verified. @throws SealcamError `not-found` by an older cloud */
  readonly settings: () => Promise<readonly ServedHousehold[]>;
  /** Sends a signed settings object. @throws SealcamError `statement-refused` where others wrote meanwhile */
  readonly sendSettings: (account: Uint8Array, settings: Uint8Array) => Promise<void>;
}

/** Returns the requests, through the session of a client. */
export function settingsRequests(client: Pick<CloudClient, 'call' | 'request'>): SettingsRequests {
  return {
    settings: async () => (await client.call({ method: 'GET', path: '/v1/settings' }, settingsAnswer)).households,
    sendSettings: (account, settings) => {
      const body = { account: toHex(account), settings: toBase64(settings) };
      return client.request({ method: 'PUT', path: '/v1/settings', body }, () => Promise.resolve());
    },
  };
}
