import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { SealcamError } from '../../../../common/errors.js';
import { LIMITS } from '../../../../common/limits.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { commandKind } from '../../../../protocol/objects/command.js';
import { openSigned } from '../../../../protocol/objects/signed-object.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { OrderWorld } from '../../../support/worlds/order-world.js';

let world: OrderWorld;

beforeEach(() => {
  world = new OrderWorld();
});

describe("the owner's orders", () => {
  it('are executed, and answered with their hash and counter', async () => {
    const bytes = world.makeOrder({ action: 'snapshot', recent: world.recentRecord() });
    expect(world.sendOrder(bytes)).toBe('accepted');
    await world.orders.idle();
    expect(world.snapshotCount).toBe(1);
    const { hash } = openSigned(commandKind, nodeSuite, bytes);
    expect(world.answers()).toEqual([
      { source: 'owner', action: 'snapshot', result: 'done', object: hash, counter: 100 },
    ]);
  });

  it('of another key, camera, claim or epoch are neither executed nor answered', async () => {
    const recent = world.recentRecord();
    const stranger = new CameraWorld();
    const wrong = [
      world.makeOrder({ action: 'snapshot', recent }, stranger.owner),
      world.makeOrder({ action: 'snapshot', recent, device: stranger.deviceId }),
      world.makeOrder({ action: 'snapshot', recent, claimHash: stranger.claim().hash }),
      world.makeOrder({ action: 'snapshot', recent, epoch: 2 }),
    ];
    expect(wrong.map((bytes) => world.sendOrder(bytes))).toEqual(Array(4).fill('command-refused'));
    const altered = world.makeOrder({ action: 'snapshot', recent }).slice();
    altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
    expect(world.sendOrder(altered)).toBe('bad-signature');
    await world.orders.idle();
    expect(world.snapshotCount).toBe(0);
    expect(world.answers()).toEqual([]);
  });

  it('work once: a replay, or an older counter, is answered at most once a minute, with the last counter', async () => {
    const bytes = world.makeOrder({ action: 'snapshot', recent: world.recentRecord() });
    world.sendOrder(bytes);
    for (let i = 0; i < 5; i++) expect(world.sendOrder(bytes)).toBe('command-replayed');
    await world.orders.idle();
    expect(world.snapshotCount).toBe(1);
    const refused = () => world.answers().filter(({ code }) => code === 'command-replayed');
    expect(refused()).toMatchObject([{ result: 'refused', counter: 100 }]);
    world.clock.advance(61_000);
    expect(
      world.sendOrder(
        world.makeOrder({ action: 'sensitivity', sensitivity: 5, recent: world.recentRecord(), counter: 99 }),
      ),
    ).toBe('command-replayed');
    expect(refused()).toHaveLength(2);
    expect(world.appliedOrders).toEqual([]);
  });

  it('of two browsers do not block each other: the one behind reads the counter and continues', () => {
    const ahead = world.makeOrder({
      action: 'sensitivity',
      sensitivity: 10,
      recent: world.recentRecord(),
      counter: 9_000_000,
    });
    expect(world.sendOrder(ahead)).toBe('accepted');
    const next = (world.answers().at(-1)?.counter ?? 0) + 1;
    const behind = { action: 'sensitivity', sensitivity: 20, recent: world.recentRecord() } as const;
    expect(world.sendOrder(world.makeOrder({ ...behind, counter: 5000 }))).toBe('command-replayed');
    expect(world.sendOrder(world.makeOrder({ ...behind, counter: next }))).toBe('accepted');
    expect(world.orders.standing.sensitivity).toBe(20);
  });

  it('that were withheld are stale after half an hour, a restart, or with a record of another history', async () => {
    const recent = world.recentRecord();
    const withheld = world.makeOrder({ action: 'snapshot', recent });
    world.clock.advance(LIMITS.commandMaxAgeMs + 1);
    expect(world.sendOrder(withheld)).toBe('command-stale');
    expect(world.answers()).toMatchObject([{ result: 'refused', code: 'command-stale', counter: 100 }]);
    const seq = world.recentRecord();
    world.restart();
    expect(world.sendOrder(world.makeOrder({ action: 'snapshot', recent: seq, counter: 101 }))).toBe('command-stale');
    const other = [seq[0], new Uint8Array(32)] as const;
    expect(world.sendOrder(world.makeOrder({ action: 'snapshot', recent: other, counter: 102 }))).toBe('command-stale');
    await world.orders.idle();
    expect(world.snapshotCount).toBe(0);
    // The control: with a fresh record the same order is executed, also just within half an hour.
    const fresh = world.recentRecord();
    world.clock.advance(LIMITS.commandMaxAgeMs);
    expect(world.sendOrder(world.makeOrder({ action: 'snapshot', recent: fresh, counter: 103 }))).toBe('accepted');
    await world.orders.idle();
    expect(world.snapshotCount).toBe(1);
  });

  it.each([
    ['privacy on', { action: 'privacy', privacy: true }],
    ['release', { action: 'release' }],
  ] as const)('for %s reach a camera that was away for a night, and are stale after two days', (_, order) => {
    const recent = world.recentRecord();
    world.reportHealth(LIMITS.commandMaxHealth / 2);
    world.restart();
    world.reportHealth(LIMITS.commandMaxHealth / 2 + 1);
    expect(world.sendOrder(world.makeOrder({ ...order, recent }))).toBe('command-stale');
    expect(world.answers()).toMatchObject([{ result: 'refused', code: 'command-stale' }]);
    expect(world.outbox.currentClaim()).not.toBeNull();
    expect(world.orders.standing.privacy).toBe(false);
    // The control: one health record fewer since the record that it names, which the receipts have taken off the disk.
    const later = world.recentRecord();
    world.reportHealth(LIMITS.commandMaxHealth);
    world.restart();
    const range = [0, later[0], later[1]] as const;
    world.outbox.applyReceipt(world.camera.receipt(world.claim, [range]), world.camera.time(1));
    expect(world.outbox.find({ epoch: 1, seq: later[0] })).toBeNull();
    expect(world.sendOrder(world.makeOrder({ ...order, recent: later, counter: 101 }))).toBe('accepted');
  });

  it('for privacy on and release name a record of this history', () => {
    for (const order of [{ action: 'privacy', privacy: true }, { action: 'release' }] as const) {
      const [seq] = world.recentRecord();
      const counter = 100 + seq;
      expect(world.sendOrder(world.makeOrder({ ...order, counter }))).toBe('command-stale');
      const recent = [seq, new Uint8Array(32)] as const;
      expect(world.sendOrder(world.makeOrder({ ...order, counter: counter + 1, recent }))).toBe('command-stale');
    }
    expect(world.outbox.currentClaim()).not.toBeNull();
  });

  it('do not grow old because the camera reports often, nor is more than two days kept of that', () => {
    const recent = world.recentRecord();
    world.reportHealth(600, 10_000);
    expect(world.outbox.healthSince({ epoch: 1, seq: recent[0] })).toBe(7);
    world.reportHealth(LIMITS.commandMaxHealth * 2);
    expect(world.outbox.healthSince({ epoch: 1, seq: 0 })).toBe(LIMITS.commandMaxHealth + 1);
    world.outbox.beginEpoch(world.camera.claim(2, world.claim.hash), world.time());
    expect(world.outbox.healthSince({ epoch: 2, seq: 0 })).toBe(0);
    world.reportHealth(1);
    expect(world.outbox.healthSince({ epoch: 1, seq: 0 })).toBe(0);
    world.outbox.endEpoch('reset', world.time());
    expect(world.outbox.healthSince({ epoch: 2, seq: 0 })).toBe(0);
  });

  it('are answered with the reason when the snapshot fails', async () => {
    world.snapshotFails = 'privacy-mode';
    world.sendOrder(world.makeOrder({ action: 'snapshot', recent: world.recentRecord() }));
    await world.orders.idle();
    expect(world.answers()).toMatchObject([{ result: 'refused', code: 'privacy-mode', counter: 100 }]);
  });
});

describe('standing orders', () => {
  it('survive a restart: privacy, zones and sensitivity', () => {
    const corners = [
      [0, 0],
      [65_535, 0],
      [0, 65_535],
    ] as const;
    world.sendOrder(world.makeOrder({ action: 'privacy', privacy: true, recent: world.recentRecord() }));
    world.sendOrder(
      world.makeOrder({
        action: 'zones',
        zones: [{ name: 'door', corners }],
        recent: world.recentRecord(),
        counter: 101,
      }),
    );
    world.sendOrder(
      world.makeOrder({ action: 'sensitivity', sensitivity: 70, recent: world.recentRecord(), counter: 102 }),
    );
    world.restart();
    expect(world.orders.standing).toMatchObject({ privacy: true, zones: [{ name: 'door', corners }], sensitivity: 70 });
    expect(
      world.sendOrder(
        world.makeOrder({ action: 'privacy', privacy: false, recent: world.recentRecord(), counter: 103 }),
      ),
    ).toBe('accepted');
    world.restart();
    expect(world.orders.standing.privacy).toBe(false);
  });

  it('keep privacy when the database is lost', () => {
    world.sendOrder(world.makeOrder({ action: 'privacy', privacy: true, recent: world.recentRecord() }));
    world.mirror.close();
    world.outbox.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(world.folder, `outbox.db${suffix}`), { force: true });
    world.open();
    expect(world.orders.standing.privacy).toBe(true);
  });

  it('put privacy in force also where the disk takes nothing, without an answer', () => {
    const order = (privacy: boolean, counter: number): string =>
      world.sendOrder(world.makeOrder({ action: 'privacy', privacy, counter, recent: world.recentRecord() }));
    const full = (): never => {
      throw new SealcamError('store-full', 'no room');
    };
    world.outbox.answerOrder = full;
    expect(order(true, 100)).toBe('store-full');
    expect([world.appliedOrders.at(-1)?.privacy, world.answers()]).toEqual([true, []]);
    // The mirror has it.
    world.restart();
    expect(world.orders.standing.privacy).toBe(true);
    expect(order(false, 101)).toBe('accepted');
    expect(world.orders.standing.privacy).toBe(false);
    // The outbox has it, then neither.
    world.mirror.notePrivacy = full;
    expect(order(true, 102)).toBe('accepted');
    expect(world.orders.standing.privacy).toBe(true);
    world.restart();
    expect(order(false, 103)).toBe('accepted');
    world.mirror.notePrivacy = full;
    const answerOrder = world.outbox.answerOrder.bind(world.outbox);
    world.outbox.answerOrder = full;
    expect(order(true, 104)).toBe('store-full');
    world.outbox.answerOrder = answerOrder;
    const recent = world.recentRecord();
    expect(world.sendOrder(world.makeOrder({ action: 'sensitivity', sensitivity: 9, counter: 105, recent }))).toBe(
      'accepted',
    );
    expect(world.orders.standing).toMatchObject({ privacy: true, sensitivity: 9 });
  });

  it('end with the ownership, and survive a new epoch of the same owner', () => {
    world.sendOrder(world.makeOrder({ action: 'privacy', privacy: true, recent: world.recentRecord() }));
    world.sendOrder(
      world.makeOrder({ action: 'sensitivity', sensitivity: 70, recent: world.recentRecord(), counter: 101 }),
    );
    world.outbox.beginEpoch(world.camera.claim(2, world.claim.hash), world.time());
    world.orders.ownerChanged();
    expect(world.orders.standing).toMatchObject({ privacy: true, sensitivity: 70 });
    // Orders of the previous epoch no longer count.
    expect(world.sendOrder(world.makeOrder({ action: 'release', counter: 200, recent: world.recentRecord() }))).toBe(
      'command-refused',
    );
    const claimHash = world.outbox.currentClaim()?.hash ?? new Uint8Array(32);
    expect(
      world.sendOrder(
        world.makeOrder({ action: 'release', epoch: 2, claimHash, counter: 1, recent: world.recentRecord() }),
      ),
    ).toBe('accepted');
    expect(world.outbox.currentClaim()).toBeNull();
    expect(world.orders.standing).toMatchObject({ privacy: false, zones: null, sensitivity: null });
    world.restart();
    expect(world.orders.standing).toMatchObject({ privacy: false, zones: null, sensitivity: null });
  });
});
