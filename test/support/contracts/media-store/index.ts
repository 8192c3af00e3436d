import { expect, it } from 'vitest';
import { Readable } from 'node:stream';
import { realClock } from '../../../../common/adapters/real-clock.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import type { MediaStore } from '../../../../cloud/media/media-store.js';
import { Staging, type StagedBody } from '../../../../cloud/media/staging.js';
import type { SegmentKey } from '../../../../cloud/store/store.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { afterThisTest } from '../../runner/after-test.js';
import { asyncCodeOf } from '../../codes.js';

/** A new, empty place of bodies. */
export interface OpenedMedia {
  readonly store: MediaStore;
  /** Where staged bodies lie. */
  readonly folder: string;
}

const LARGEST = 524_416;

function keyOf(body: Uint8Array, change: Partial<SegmentKey> = {}): SegmentKey {
  return { device: realRandom.bytes(32), epoch: 1, bodyHash: nodeSuite.sha256(body), ...change };
}

/** Stages bytes as if they had arrived. */
async function staged(folder: string, body: Uint8Array): Promise<StagedBody> {
  const staging = new Staging(folder, { clock: realClock, random: realRandom });
  return staging.receive(Readable.from([Buffer.from(body)]), body.length);
}

/** The tests that every place of bodies must pass. `open` returns a new, empty one at each call. */
export function mediaStoreContract(open: () => Promise<OpenedMedia>): void {
  const opened = async (): Promise<OpenedMedia> => {
    const media = await open();
    afterThisTest(() => media.store.close());
    return media;
  };

  it('gives back what was put, from one byte to the largest body, and the SHA-256 of what it stored', async () => {
    const { store, folder } = await opened();
    for (const length of [1, 16_400, LARGEST]) {
      const body = realRandom.bytes(length);
      const key = keyOf(body);
      expect(await store.put(key, await staged(folder, body))).toEqual(nodeSuite.sha256(body));
      expect(await store.get(key)).toEqual(body);
    }
  });

  it('keeps the same hash of two cameras and of two epochs apart', async () => {
    const { store, folder } = await opened();
    const body = realRandom.bytes(4112);
    const key = keyOf(body);
    await store.put(key, await staged(folder, body));
    expect(await store.get({ ...key, epoch: 2 })).toBeUndefined();
    expect(await store.get({ ...key, device: realRandom.bytes(32) })).toBeUndefined();
    await store.put({ ...key, epoch: 2 }, await staged(folder, body));
    await store.remove(key);
    expect(await store.get(key)).toBeUndefined();
    expect(await store.get({ ...key, epoch: 2 })).toEqual(body);
  });

  it('stores a body that is there already once more, also twice at the same time', async () => {
    const { store, folder } = await opened();
    const body = realRandom.bytes(70_000);
    const key = keyOf(body);
    const put = async (): Promise<Uint8Array> => store.put(key, await staged(folder, body));
    expect(await put()).toEqual(key.bodyHash);
    expect(await Promise.all([put(), put()])).toEqual([key.bodyHash, key.bodyHash]);
    expect(await store.get(key)).toEqual(body);
  });

  it('removes a body, and does nothing where it is missing', async () => {
    const { store, folder } = await opened();
    const body = realRandom.bytes(4112);
    const key = keyOf(body);
    await store.remove(key);
    await store.put(key, await staged(folder, body));
    await store.remove(key);
    await store.remove(key);
    expect(await store.get(key)).toBeUndefined();
  });

  it('never says that it stored another body than it did: other bytes have another hash, or are refused', async () => {
    const { store, folder } = await opened();
    const body = realRandom.bytes(4112);
    const key = keyOf(body);
    const other = await staged(folder, realRandom.bytes(4112));
    // What was announced, beside a file with other bytes.
    const said = await store.put(key, { ...other, sha256: key.bodyHash }).catch(() => null);
    expect(said).not.toEqual(key.bodyHash);
  });

  it('rejects with store-unavailable where a staged body is gone', async () => {
    const { store, folder } = await opened();
    const body = realRandom.bytes(4112);
    const gone = { path: `${folder}/gone`, length: body.length, sha256: nodeSuite.sha256(body) };
    expect(await asyncCodeOf(() => store.put(keyOf(body), gone))).toBe('store-unavailable');
    expect(await store.get(keyOf(body))).toBeUndefined();
  });
}
