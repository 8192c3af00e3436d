import { describe, expect, it } from 'vitest';
import { fromBase64, toHex } from '../../../../common/bytes.js';
import { silentLog } from '../../../../common/log.js';
import { Retention } from '../../../../cloud/main/retention.js';
import { expiryOf } from '../../../../cloud/store/expiry.js';
import type { RetentionStore } from '../../../../cloud/store/statement-store.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { floorKind, type Floor } from '../../../../protocol/objects/floor.js';
import { openSigned, type Verified } from '../../../../protocol/objects/signed-object.js';
import { ApiWorld, KEEPS_FOR_MS } from '../../../support/worlds/api-world.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { scene } from '../../../support/worlds/cloud-world.js';
import { DeletionWorld, onSqlite } from '../../../support/worlds/deletion-world.js';
import type { Stored } from '../../../support/worlds/stored-event.js';

async function floorShown(
  world: DeletionWorld,
  { world: { deviceId, owner } }: Stored,
): Promise<Verified<Floor> | null> {
  const { body } = await world.api.get(ApiWorld.recordsUrl(deviceId), await world.token(owner));
  const { floor } = body as { floor: string | null };
  return floor === null ? null : openSigned(floorKind, nodeSuite, fromBase64(floor) ?? new Uint8Array(0));
}

/** Stores one more record of a camera, so that its event is not the newest any longer. */
async function withLater(world: DeletionWorld, camera: Stored): Promise<Stored> {
  const { api } = world;
  const next = scene(camera.world, camera.claim, 2, camera.last.hash);
  await api.store.records.put(next, [], api.clock.wallMs());
  return camera;
}

async function expire(api: ApiWorld, limit: number, nowMs = api.clock.wallMs()): Promise<number> {
  return (await api.erasing.expire(nowMs, nowMs, limit)).deleted;
}

describe('retention', () => {
  it('signs a floor with a receipt key of the claim before anything goes, and shows it', async () => {
    const world = await DeletionWorld.open();
    const { api } = world;
    const own = await withLater(world, await world.owner());
    expect(await floorShown(world, own)).toBeNull();
    api.clock.advance(KEEPS_FOR_MS);
    expect(await expire(api, 100)).toBe(0);
    api.clock.advance(1);
    expect(await expire(api, 100)).toBe(1);
    expect(await world.isRecordThere(own, 1)).toBe(false);
    expect(await world.isRecordThere(own, 0)).toBe(true);
    expect(await world.isRecordThere(own, 2)).toBe(true);
    const floor = await floorShown(world, own);
    expect(floor?.kid).toEqual(api.receiptSigner.publicKey);
    expect(floor?.value).toEqual({
      device: own.world.deviceId,
      epoch: 1,
      claimHash: own.claim.hash,
      belowSeq: 2,
      sinceMs: api.clock.wallMs(),
      periodMs: KEEPS_FOR_MS,
    });
    expect(api.counters.get('alarms')).toBe(0);
  });

  it('stores a floor and deletes below it in one transaction: where the store fails, both are missing', async () => {
    const world = await DeletionWorld.open();
    const { api, sql } = world;
    const own = await withLater(world, await world.owner());
    await sql("CREATE TRIGGER full BEFORE DELETE ON record BEGIN SELECT RAISE(ABORT, 'disk full'); END", {});
    api.clock.advance(KEEPS_FOR_MS + 1);
    await expect(expire(api, 100)).rejects.toMatchObject({ code: 'store-unavailable' });
    expect(await floorShown(world, own)).toBeNull();
    await sql('DROP TRIGGER full', {});
    expect(await expire(api, 100)).toBe(1);
  });

  it('leaves an epoch whose claim names none of our keys, counts it, raises one alarm a day, and goes on', async () => {
    const world = await DeletionWorld.open();
    const { api } = world;
    const lost = await withLater(world, await world.owner(null, new CameraWorld()));
    const own = await withLater(world, await world.owner());
    api.clock.advance(KEEPS_FOR_MS + 1);
    // One record at a time: what is in doubt does not hold up the others.
    let deleted = 0;
    for (let i = 0; i < 4; i++) deleted += await expire(api, 1);
    expect(deleted).toBe(1);
    expect(await world.isRecordThere(lost, 1)).toBe(true);
    expect(await world.isRecordThere(own, 1)).toBe(false);
    expect(api.counters.get('retention.in-doubt')).toBeGreaterThan(1);
    expect(await api.store.alarms.since(0, 9)).toMatchObject([
      { device: lost.world.deviceId, reason: expect.stringContaining('receipt keys') as unknown },
    ]);
    api.clock.advance(86_400_000);
    for (let i = 0; i < 2; i++) await expire(api, 1);
    expect(await api.store.alarms.since(0, 9)).toHaveLength(2);
  });

  it('passes over a row with another claim, or bytes that are no claim', async () => {
    const world = await DeletionWorld.open();
    const { api } = world;
    const crossed = await withLater(world, await world.owner());
    const other = await withLater(world, await world.owner());
    const broken = await withLater(world, await world.owner());
    await world.sql('UPDATE claim SET claim = {claim}, claim_hash = {hash} WHERE device = {device}', {
      claim: other.claim.bytes,
      hash: other.claim.hash,
      device: crossed.world.deviceId,
    });
    await world.sql('UPDATE claim SET claim = {claim} WHERE device = {device}', {
      claim: new Uint8Array(9),
      device: broken.world.deviceId,
    });
    api.clock.advance(KEEPS_FOR_MS + 1);
    expect(await expire(api, 100)).toBe(1);
    expect(await world.isRecordThere(crossed, 1)).toBe(true);
    expect(await world.isRecordThere(broken, 1)).toBe(true);
    expect(await world.isRecordThere(other, 1)).toBe(false);
    const named = (await api.store.alarms.since(0, 9)).map(({ device }) => toHex(device ?? new Uint8Array(0)));
    expect(named.sort()).toEqual([crossed, broken].map(({ world: { deviceId } }) => toHex(deviceId)).sort());
  });

  it('deletes nothing where the clock stands before the period has passed since 1970', async () => {
    const world = await DeletionWorld.open();
    const own = await withLater(world, await world.owner());
    expect(await expire(world.api, 100, KEEPS_FOR_MS - 1)).toBe(0);
    expect(await world.isRecordThere(own, 1)).toBe(true);
  });
});

describe('a step of retention', () => {
  /** A cloud with three cameras, each with three records that are due. Counts what it asks of each epoch. */
  async function threeCameras(): Promise<{ world: DeletionWorld; asked: number[] }> {
    const asked: number[] = [];
    const world = await DeletionWorld.open(async () => {
      const { store, sql } = await onSqlite();
      const counting: RetentionStore = {
        ...store.retention,
        expirable: (at, beforeMs, limit, nowMs) => {
          asked.push(limit);
          return store.retention.expirable(at, beforeMs, limit, nowMs);
        },
      };
      return { store: { ...store, retention: counting }, sql };
    });
    for (let i = 0; i < 3; i++) {
      const { world: camera, claim, last } = await world.owner();
      let prev = last.hash;
      for (let seq = 2; seq <= 4; seq++) {
        const next = scene(camera, claim, seq, prev);
        prev = next.hash;
        await world.api.store.records.put(next, [], world.api.clock.wallMs());
      }
    }
    world.api.clock.advance(KEEPS_FOR_MS + 1);
    return { world, asked };
  }

  it('deletes no more than its bound, and opens the records of no epoch before its turn', async () => {
    const { world, asked } = await threeCameras();
    expect(await expire(world.api, 4)).toBe(4);
    // The first epoch gives three; of the second only one more may go; the third is not looked at.
    expect(asked).toEqual([4, 1]);
    expect(await expire(world.api, 100)).toBe(5);
    expect(world.api.counters.get('retention.deleted')).toBe(9);
  });

  it('is followed by a turn of the event loop and by as long a rest, so that others get their share', async () => {
    const { world } = await threeCameras();
    const { api } = world;
    const { clock, erasing } = api;
    const rests: number[] = [];
    let turns = 0;
    const retention = new Retention({
      store: api.store,
      bodies: api.bodies,
      erasing: {
        expire: async (nowMs, laterThanMs) => {
          clock.advance(30);
          return erasing.expire(nowMs, laterThanMs, 4);
        },
        eraseDue: () => Promise.resolve(0),
      },
      deletionClock: { check: () => Promise.resolve({ type: 'agreed', nowMs: clock.wallMs() }), toleranceMs: 0 },
      clock: {
        monotonicMs: () => clock.monotonicMs(),
        wallMs: () => clock.wallMs(),
        after: (delayMs, callback) => {
          rests.push(delayMs);
          setImmediate(callback);
          return () => undefined;
        },
      },
      log: silentLog,
      nextTurn: () => {
        turns++;
        return Promise.resolve();
      },
    });
    expect(await retention.run()).toBe(9);
    expect(rests.length).toBeGreaterThanOrEqual(3);
    expect(rests.every((ms) => ms === 30)).toBe(true);
    expect(turns).toBeGreaterThanOrEqual(rests.length);
  });
});

describe('expiryOf', () => {
  const rows = (...times: readonly number[]) => times.map((agedFromMs, i) => ({ seq: i + 1, agedFromMs, bytes: null }));
  const expiry = (times: readonly number[], floorSeq = 0) => {
    const { belowSeq, records } = expiryOf(rows(...times), floorSeq, 10, 99);
    return records === 0 ? null : { belowSeq, records };
  };

  it('proposes a floor below which all has expired, and never the last record given', () => {
    expect(expiry([])).toBeNull();
    expect(expiry([1])).toBeNull();
    expect(expiry([1, 1, 1])).toEqual({ belowSeq: 3, records: 2 });
    expect(expiry([1, 1, 20, 1])).toEqual({ belowSeq: 3, records: 2 });
    expect(expiry([20, 1, 1])).toBeNull();
    expect(expiry([10, 1])).toBeNull();
  });

  it('passes over what came late below a floor, and counts what has expired there', () => {
    expect(expiry([20, 1, 1, 1], 3)).toEqual({ belowSeq: 4, records: 2 });
    expect(expiry([20, 1, 20, 1], 3)).toEqual({ belowSeq: 3, records: 1 });
  });

  it('keeps what its camera signed later under network time, and what follows it, unless that time cannot be', () => {
    const world = new CameraWorld();
    const claim = world.claim();
    const aged = (...made: readonly number[]) =>
      made.map((wallMs, i) => {
        const time = { boot: world.boot, monotonicMs: 1, wallMs, quality: 'ntp' } as const;
        const { bytes } = world.record(claim, i + 1, claim.hash, { kind: 'scene', scene: { class: 'stall' }, time });
        return { seq: i + 1, agedFromMs: 1, bytes };
      });
    expect(expiryOf(aged(1, 20, 1, 1), 0, 10, 99)).toEqual({
      belowSeq: 2,
      records: 1,
      lastSeq: 1,
      held: [{ seq: 2, madeAtMs: 20 }],
    });
    expect(expiryOf(aged(1, 200, 1, 1), 0, 10, 99)).toEqual({ belowSeq: 4, records: 3, lastSeq: 3, held: [] });
  });
});
