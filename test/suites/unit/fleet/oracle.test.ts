import { describe, expect, it } from 'vitest';
import { toHex } from '../../../../common/bytes.js';
import type { Made } from '../../../campaigns/fleet/load-process.js';
import { judge } from '../../../campaigns/fleet/oracle.js';
import { CloudWorld, pictured, scene } from '../../../support/worlds/cloud-world.js';

describe("the fleet's oracle", () => {
  it('counts lost, doubled and mis-bound records, and none in a correct store', async () => {
    const cloud = new CloudWorld();
    const { world, claim, accept } = await cloud.claimed();
    const one = scene(world, claim, 1, accept.hash);
    const two = pictured(world, claim, 2, one.hash);
    await cloud.records(world, [one]);
    await cloud.records(world, [two.record], [two.sealed]);
    const made: Made = {
      device: toHex(world.deviceId),
      account: toHex(world.account),
      hashes: [accept, one, two.record].map(({ hash }) => toHex(hash)),
    };
    const well = { records: 3, lost: 0, doubled: 0, misbound: 0, alarms: 0 };
    expect(await judge(cloud.store, [made])).toEqual(well);

    const more = { ...made, hashes: [...made.hashes, 'of a record that never arrived'] };
    expect(await judge(cloud.store, [more])).toEqual({ ...well, lost: 1 });
    const fewer = { ...made, hashes: made.hashes.slice(0, 2) };
    expect(await judge(cloud.store, [fewer])).toEqual({ ...well, doubled: 1 });
    const other = { ...made, account: toHex(cloud.camera().account) };
    expect(await judge(cloud.store, [other])).toEqual({ ...well, misbound: 3 });
    const withoutPicture = pictured(world, claim, 3, two.record.hash);
    await cloud.records(world, [withoutPicture.record], [null]);
    const fourth = { ...made, hashes: [...made.hashes, toHex(withoutPicture.record.hash)] };
    expect(await judge(cloud.store, [fourth])).toEqual({ ...well, records: 4, lost: 1 });
    await cloud.up(cloud.camera(), { type: 'records', records: [{ record: one.bytes, media: [] }] });
    expect((await judge(cloud.store, [fourth])).alarms).toBe(1);
  });
});
