import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import type { CloudStore } from '../../../../cloud/store/store.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { Signer } from '../../../../protocol/crypto/suite.js';
import { revocationKind } from '../../../../protocol/objects/revocation.js';
import { openSigned } from '../../../../protocol/objects/signed-object.js';
import { asyncCodeOf } from '../../../support/codes.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';
import { ApiWorld } from '../../../support/worlds/api-world.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { DAY_MS, listOf } from '../../../support/worlds/maker-list-world.js';
import { PageOnApi } from '../../../support/worlds/page-on-api.js';

/** Stores a camera of this owner, and returns its id. */
async function cameraOf(api: ApiWorld, owner: Signer): Promise<Uint8Array> {
  const world = new CameraWorld({ owner, cloud: api.receiptSigner });
  const claim = world.claim();
  await api.store.claims.accept(claim, world.record(claim, 0, claim.hash, { kind: 'accept' }), 1);
  return world.deviceId;
}

async function versionOf(store: CloudStore, { publicKey }: Signer): Promise<number> {
  const stored = await store.revocations.newest(publicKey);
  return stored === undefined ? 0 : openSigned(revocationKind, nodeSuite, stored.list).value.listVersion;
}

describe("the version of an owner's revocation list", () => {
  it('counts from one, whatever the clock says, also from another browser', async () => {
    const api = await ApiWorld.open();
    const master = realRandom.bytes(32);
    const clock = new VirtualClock();
    const pages = [new PageOnApi(api, clock, master), new PageOnApi(api, clock, master)];
    for (const [i, errorMs] of [0, 3650 * DAY_MS, -3650 * DAY_MS, 0].entries()) {
      const page = pages[i % 2];
      if (page === undefined) throw new Error('no page');
      const device = await cameraOf(api, page.keys.signer);
      clock.wallStartMs += errorMs;
      await page.owner.revoke(device, 1);
      clock.wallStartMs -= errorMs;
      expect(await versionOf(api.store, page.keys.signer)).toBe(i + 1);
      expect((await api.store.claims.row(device, 1))?.state).toBe('revoked');
    }
    // The newest list repeats the earlier ones: another browser of the owner learns of each.
    const list = (await api.store.revocations.newest(pages[0]?.keys.signer.publicKey ?? new Uint8Array(32)))?.list;
    const { entries } = openSigned(revocationKind, nodeSuite, list ?? new Uint8Array(0)).value;
    expect(entries).toHaveLength(4);
    expect(pages[1]?.history.revocations()).toHaveLength(4);
  });

  it('goes on above a list whose version was a time, as earlier versions of the page wrote it', async () => {
    const api = await ApiWorld.open();
    const page = new PageOnApi(api);
    const [old, next] = [await cameraOf(api, page.keys.signer), await cameraOf(api, page.keys.signer)];
    const list = listOf(page.keys.signer, { scope: 'owner', listVersion: 4e12, entries: [{ device: old, epoch: 1 }] });
    await api.store.revocations.put(list, 1);
    await page.owner.revoke(next, 1);
    expect(await versionOf(api.store, page.keys.signer)).toBe(4e12 + 1);
  });

  it('is taken again where another browser was quicker, and given up where the cloud refuses every one', async () => {
    let quicker = 1;
    let refused = 0;
    const master = realRandom.bytes(32);
    const api = await ApiWorld.open((real) => ({
      ...real,
      revocations: {
        ...real.revocations,
        put: async (list, atMs) => {
          if (quicker > 0) {
            quicker--;
            const { listVersion, entries } = list.value;
            // The same version from the other browser, a moment earlier.
            await real.revocations.put(listOf(page.keys.signer, { scope: 'owner', listVersion, entries }), atMs);
          }
          const outcome = await real.revocations.put(list, atMs);
          if (outcome === 'rollback') refused++;
          return outcome;
        },
      },
    }));
    const page = new PageOnApi(api, api.clock, master);
    await page.owner.revoke(await cameraOf(api, page.keys.signer), 1);
    expect([refused, await versionOf(api.store, page.keys.signer)]).toEqual([1, 2]);
    quicker = 99;
    const device = await cameraOf(api, page.keys.signer);
    expect(await asyncCodeOf(() => page.owner.revoke(device, 1))).toBe('revocation-rollback');
    expect(refused).toBe(4);
  });

  it('is at least the last that this browser used, where the cloud shows an older list', async () => {
    let isHidden = false;
    const versions: number[] = [];
    const api = await ApiWorld.open((real) => ({
      ...real,
      revocations: {
        ...real.revocations,
        newest: (signer) => (isHidden ? Promise.resolve(undefined) : real.revocations.newest(signer)),
        put: (list, atMs) => {
          versions.push(list.value.listVersion);
          return real.revocations.put(list, atMs);
        },
      },
    }));
    const page = new PageOnApi(api);
    await page.owner.revoke(await cameraOf(api, page.keys.signer), 1);
    isHidden = true;
    await page.owner.revoke(await cameraOf(api, page.keys.signer), 1);
    expect(versions).toEqual([1, 2]);
    // The control: a browser that knows nothing begins at one again, and the cloud refuses that.
    page.history.revocationVersion = 0;
    const device = await cameraOf(api, page.keys.signer);
    expect(await asyncCodeOf(() => page.owner.revoke(device, 1))).toBe('revocation-rollback');
  });

  it("does not count on a stranger's list, which only a lying cloud shows", async () => {
    const stranger = new CameraWorld().owner;
    const api = await ApiWorld.open((real) => ({
      ...real,
      revocations: {
        ...real.revocations,
        newest: () =>
          Promise.resolve({
            list: listOf(stranger, { scope: 'owner', listVersion: 2 ** 53 - 2 }).bytes,
            storedAtMs: 1,
          }),
      },
    }));
    const page = new PageOnApi(api);
    const device = await cameraOf(api, page.keys.signer);
    expect(await asyncCodeOf(() => page.owner.revoke(device, 1))).toBe('cloud-lied');
    expect((await api.store.claims.row(device, 1))?.state).toBe('open');
  });
});
