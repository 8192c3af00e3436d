import { describe, expect, it } from 'vitest';
import { fromBase64, toHex } from '../../../../common/bytes.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import type { CloudStore } from '../../../../cloud/store/store.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { anyReceiptKind, checkReceiptAgainstClaim } from '../../../../protocol/objects/receipt.js';
import { openSigned } from '../../../../protocol/objects/signed-object.js';
import { ApiWorld } from '../../../support/worlds/api-world.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { deletionOf, DeletionWorld } from '../../../support/worlds/deletion-world.js';
import { stored, type Stored } from '../../../support/worlds/stored-event.js';

const receiptsOf = ({ world }: Stored, range = 'from=0&limit=10'): string =>
  `/v1/cameras/${toHex(world.deviceId)}/1/receipts?${range}`;

/** The seqs that receipts name, each verified against the claim, as a page does. */
async function receipted(api: ApiWorld, own: Stored, range?: string): Promise<readonly number[]> {
  const { status, body } = await api.get(receiptsOf(own, range), own.token);
  expect(status).toBe(200);
  const { receipts } = body as { receipts: readonly string[] };
  return receipts.flatMap((text) => {
    const receipt = openSigned(anyReceiptKind, nodeSuite, fromBase64(text) ?? new Uint8Array(0));
    checkReceiptAgainstClaim(receipt, own.claim);
    return receipt.value.ranges.map(([from, to]) => {
      expect(from).toBe(to);
      return from;
    });
  });
}

describe('receipts for evidence', () => {
  it('name the records of the range that are stored whole, each by its own hash', async () => {
    const api = await ApiWorld.open();
    const own = await stored(api);
    expect(await receipted(api, own)).toEqual([1, 0]);
    expect(await receipted(api, own, 'from=1&limit=1')).toEqual([1]);
    expect(await receipted(api, own, 'from=2&limit=8')).toEqual([]);
    const { body } = await api.get(receiptsOf(own, 'from=1&limit=1'), own.token);
    const [text = ''] = (body as { receipts: readonly string[] }).receipts;
    const { value } = openSigned(anyReceiptKind, nodeSuite, fromBase64(text) ?? new Uint8Array(0));
    expect(value.ranges).toEqual([[1, 1, own.last.hash]]);
  });

  it('name no record whose picture was exchanged in the store', async () => {
    const swapped = (store: CloudStore): CloudStore => ({
      ...store,
      records: {
        ...store.records,
        media: async (device, epoch, id) => {
          const found = await store.records.media(device, epoch, id);
          return found && { ...found, sealed: { ...found.sealed, body: realRandom.bytes(found.sealed.body.length) } };
        },
      },
    });
    const api = await ApiWorld.open(swapped);
    expect(await receipted(api, await stored(api))).toEqual([0]);
  });

  it('name nothing that its owner deleted, and nothing where the claim names no key of this cloud', async () => {
    const world = await DeletionWorld.open();
    const own = await world.owner();
    await world.mark(own.token, deletionOf(own));
    expect(await receipted(world.api, own)).toEqual([0]);
    const api = await ApiWorld.open();
    expect(await receipted(api, await stored(api, new CameraWorld()))).toEqual([]);
  });

  it('are for those alone who may read the epoch, and for few records at once', async () => {
    const api = await ApiWorld.open();
    const own = await stored(api);
    const stranger = await stored(api);
    expect((await api.get(receiptsOf(own), stranger.token)).status).toBe(404);
    expect((await api.get(receiptsOf(own), own.token)).status).toBe(200);
    for (const range of ['from=0&limit=201', 'limit=0', 'from=-1']) {
      expect((await api.get(receiptsOf(own, range), own.token)).status).toBe(400);
    }
    expect((await api.get(receiptsOf(own, 'from=0&limit=200'), own.token)).status).toBe(200);
  });
});
