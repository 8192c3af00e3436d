import { expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import { CloudClient } from '../../../../app/core/cloud-client.js';
import type { PageFetch } from '../../../../app/core/cloud-requests.js';
import { HistoryKeeper } from '../../../../app/core/history-keeper.js';
import { ownerKeys, recipientOf } from '../../../../app/core/owner-keys.js';
import { MemoryStorage } from '../../../../app/core/storage.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';

const ORIGIN = 'https://cloud.example';

it('a page tells the cloud whose invitations its person accepted, with the next session', async () => {
  const clock = new VirtualClock();
  const keys = ownerKeys(nodeSuite, realRandom.bytes(32));
  const history = new HistoryKeeper(nodeSuite, new MemoryStorage(), recipientOf(keys));
  const told: unknown[] = [];
  const answers: Readonly<Record<string, () => unknown>> = {
    '/v1/session/challenge': () => ({ cloudOrigin: ORIGIN, nonce: 'ab'.repeat(32), expiresAtMs: clock.wallMs() }),
    '/v1/session': () => ({ token: 't', expiresAtMs: clock.wallMs() + 86_400_000 }),
    '/v1/cameras': () => ({ cameras: [] }),
  };
  const fetch: PageFetch = (url, { body }) => {
    const path = new URL(url).pathname;
    if (path === '/v1/session' && typeof body === 'string') {
      told.push((JSON.parse(body) as { accepted?: unknown }).accepted);
    }
    return Promise.resolve(Response.json(answers[path]?.()));
  };
  const pageOrigin = 'https://app.example';
  const client = new CloudClient({ suite: nodeSuite, clock, keys, cloudOrigin: ORIGIN, pageOrigin, fetch });
  const ask = async (): Promise<void> => {
    client.acceptHouseholds(history.acceptedAccounts());
    await client.cameras();
  };
  await ask();
  await ask();
  expect(told).toEqual([undefined]);
  const owner = new CameraWorld();
  await history.accept({ ownerKey: owner.owner.publicKey });
  await ask();
  await ask();
  expect(told).toEqual([undefined, [toHex(owner.account)]]);
});
