import { expect, it } from 'vitest';
import type { SealcamRecord } from '../../../../protocol/objects/record.js';
import type { Verified } from '../../../../protocol/objects/signed-object.js';
import { checkBinding } from '../../../../protocol/verify/binding.js';
import type { Bind, CloudStore, PutOutcome, Standing } from '../../../../cloud/store/store.js';
import { CameraWorld } from '../../worlds/camera-world.js';
import { listOf } from '../../worlds/maker-list-world.js';
import { claimed, media, type OpenStore } from './world.js';

/** Records that share a transaction, and what binds them there. */
export function groupsContract(open: OpenStore): void {
  it('of records that wait for one transaction, one that the database refuses fails alone', async () => {
    const store = await open();
    const { world, records } = await claimed(store);
    // No camera can sign this: the column takes whole numbers.
    const bad = records[3];
    if (bad === undefined) throw new Error('no record');
    const refused: Verified<SealcamRecord> = { ...bad, value: { ...bad.value, seq: 3.5 } };
    const sent = records.slice(1).map((record) => (record === bad ? refused : record));
    const outcomes = await Promise.allSettled(sent.map((record) => store.records.put(record, [], 2)));
    expect(outcomes.map(({ status }) => status)).toEqual(
      sent.map((one) => (one === refused ? 'rejected' : 'fulfilled')),
    );
    const page = await store.records.page(world.deviceId, 1, 99, 99);
    expect(page.map(({ seq }) => seq)).toEqual([6, 5, 4, 2, 1, 0]);
    await store.close();
  });

  it('stores a record only if its row binds it, and nothing of one that is not bound', async () => {
    const store = await open();
    const { world, records, claim } = await claimed(store);
    const other = await claimed(store);
    const unclaimed = new CameraWorld();
    const stranger = unclaimed.record(unclaimed.claim(), 1, new Uint8Array(32), {
      kind: 'scene',
      scene: { class: 'stall' },
    });
    const [, one] = records;
    if (one === undefined) throw new Error('no record');
    const picture = media();
    const event = { id: picture.meta.id, phase: 'start', revision: 0 } as const;
    const pictured = world.record(claim, 2, one.hash, { kind: 'motion', event, media: [picture.meta] });
    const seen: Standing[] = [];
    const bindAs =
      (answer: boolean): Bind =>
      (standing) => {
        seen.push(standing);
        return answer;
      };
    const outcomes = await Promise.all([
      store.records.put(one, [], 2, bindAs(true)),
      store.records.put(pictured, [picture.stored], 2, bindAs(false)),
      store.records.put(stranger, [], 2, bindAs(false)),
      store.records.put(other.records[1] ?? one, [], 2),
    ]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['stored', 'unbound', 'unbound', 'stored']);
    expect(seen.map(({ row, isRevoked }) => [row?.device, isRevoked])).toEqual([
      [world.deviceId, false],
      [world.deviceId, false],
      [undefined, false],
    ]);
    expect(await store.records.get(world.deviceId, 1, 2)).toBeUndefined();
    expect(await store.records.media(world.deviceId, 1, picture.meta.id)).toBeUndefined();
    await store.close();
  });

  it('reads the row again for every transaction: a revocation counts for the next record', async () => {
    const store = await open();
    const { world, records } = await claimed(store);
    const put = async (seq: number): Promise<PutOutcome['outcome']> => {
      const record = records[seq];
      if (record === undefined) throw new Error('no record');
      const bind: Bind = ({ row, isRevoked }) => !isRevoked && checkBinding(record.value, row) === 'bound';
      return (await store.records.put(record, [], 2, bind)).outcome;
    };
    expect(await put(1)).toBe('stored');
    await revokeByMaker(store, new CameraWorld());
    expect(await put(2)).toBe('stored');
    await store.claims.close(world.deviceId, 1, 2);
    expect(await put(3)).toBe('unbound');
    expect(await put(2)).toBe('duplicate');
    await revokeByMaker(store, world);
    expect(await put(2)).toBe('unbound');
    await store.close();
  });
}

async function revokeByMaker(store: CloudStore, { deviceId }: CameraWorld): Promise<void> {
  await store.revocations.put(listOf(new CameraWorld().owner, { entries: [{ device: deviceId }] }), 3);
}
