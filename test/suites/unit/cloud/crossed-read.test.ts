import { describe, expect, it } from 'vitest';
import { toHex } from '../../../../common/bytes.js';
import type { ClaimStore, CloudStore } from '../../../../cloud/store/store.js';
import { ApiWorld } from '../../../support/worlds/api-world.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';

type Cross = (claims: ClaimStore, other: CameraWorld) => Partial<ClaimStore>;

/** Two cameras of two owners, and a claim store that answers with the second one's rows after `startCrossing`. */
async function twoOwners(cross: Cross) {
  let crossed: Partial<ClaimStore> = {};
  const wrap = (store: CloudStore): CloudStore => ({
    ...store,
    claims: new Proxy(store.claims, { get: (real, name) => Reflect.get({ ...real, ...crossed }, name) as unknown }),
  });
  const api = await ApiWorld.open(wrap);
  const own = new CameraWorld();
  const other = new CameraWorld();
  for (const world of [own, other]) {
    const claim = world.claim();
    await api.store.claims.accept(claim, world.record(claim, 0, claim.hash, { kind: 'accept' }), api.clock.wallMs());
  }
  const { token } = await api.session(own.owner);
  return { api, own, other, token, startCrossing: () => (crossed = cross(api.store.claims, other)) };
}

const FAULTS: readonly (readonly [string, Cross])[] = [
  ["another epoch's row", (claims, other) => ({ row: () => claims.row(other.deviceId, 1) })],
  ['the list of another reader', (claims, other) => ({ readableBy: () => claims.readableBy(other.owner.publicKey) })],
  ['a membership that does not exist', () => ({ isMember: () => Promise.resolve(true) })],
];

describe('a claim store that mixes up its answers to a read', () => {
  it.each(FAULTS)('%s shows nothing, and raises an alarm', async (_, cross) => {
    const { api, own, other, token, startCrossing } = await twoOwners(cross);
    const read = async () => {
      const { cameras } = (await api.get('/v1/cameras', token)).body as { cameras: { device: string }[] };
      const pages = [];
      for (const { deviceId } of [own, other]) pages.push((await api.get(ApiWorld.recordsUrl(deviceId), token)).body);
      return { devices: cameras.map(({ device }) => device), shown: JSON.stringify(pages) };
    };
    // The control: before the mix-up the same requests show the reader's own camera.
    const before = await read();
    expect(before.devices).toEqual([toHex(own.deviceId)]);
    expect(before.shown).toContain(`"device":"${toHex(own.deviceId)}"`);
    expect(api.counters.get('alarms')).toBe(0);

    startCrossing();
    const after = await read();
    expect(after.devices).not.toContain(toHex(other.deviceId));
    expect(after.shown).not.toContain(toHex(other.deviceId));
    expect(api.counters.get('alarms')).toBeGreaterThan(0);
  });

  it("exports nothing of a stranger's account", async () => {
    const { api, own, other, token } = await twoOwners(() => ({}));
    const lines = async (): Promise<string> => (await api.get('/v1/account/export', token)).raw.toString();
    expect(await lines()).toContain('"type":"claim"');
    const real = api.store.accounts.export.bind(api.store.accounts);
    const row = await api.store.claims.row(other.deviceId, 1);
    const account = row?.account ?? new Uint8Array(16);
    Object.assign(api.store.accounts, { export: () => real(account) });
    expect((await lines()).split('\n').filter((line) => line !== '')).toHaveLength(1);
    expect(api.counters.get('alarms')).toBe(1);
    expect(own.account).not.toEqual(account);
  });
});
