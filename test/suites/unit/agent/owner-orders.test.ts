import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
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

describe("owner's orders", () => {
  it('are followed and answered with their hash and counter', async () => {
    const bytes = world.order({ action: 'snapshot', recent: world.seen() });
    expect(world.give(bytes)).toBe('accepted');
    await world.orders.idle();
    expect(world.looked).toBe(1);
    const { hash } = openSigned(commandKind, nodeSuite, bytes);
    expect(world.answers()).toEqual([
      { source: 'owner', action: 'snapshot', result: 'done', object: hash, counter: 100 },
    ]);
  });

  it('are nobody else’s: another key, camera, claim or epoch makes the camera neither look nor answer', async () => {
    const recent = world.seen();
    const stranger = new CameraWorld();
    const wrong = [
      world.order({ action: 'snapshot', recent }, stranger.owner),
      world.order({ action: 'snapshot', recent, device: stranger.deviceId }),
      world.order({ action: 'snapshot', recent, claimHash: stranger.claim().hash }),
      world.order({ action: 'snapshot', recent, epoch: 2 }),
    ];
    expect(wrong.map((bytes) => world.give(bytes))).toEqual(Array(4).fill('command-refused'));
    const altered = world.order({ action: 'snapshot', recent }).slice();
    altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
    expect(world.give(altered)).toBe('bad-signature');
    await world.orders.idle();
    expect(world.looked).toBe(0);
    expect(world.answers()).toEqual([]);
  });

  it('work once: the same one again, or one with an older counter, is answered once a minute with the counter', async () => {
    const bytes = world.order({ action: 'snapshot', recent: world.seen() });
    world.give(bytes);
    for (let i = 0; i < 5; i++) expect(world.give(bytes)).toBe('command-replayed');
    await world.orders.idle();
    expect(world.looked).toBe(1);
    const refused = () => world.answers().filter(({ code }) => code === 'command-replayed');
    expect(refused()).toMatchObject([{ result: 'refused', counter: 100 }]);
    world.clock.advance(61_000);
    expect(world.give(world.order({ action: 'sensitivity', sensitivity: 5, recent: world.seen(), counter: 99 }))).toBe(
      'command-replayed',
    );
    expect(refused()).toHaveLength(2);
    expect(world.followed).toEqual([]);
  });

  it('of two browsers do not block each other: the one behind reads the counter and goes on', () => {
    const ahead = world.order({ action: 'sensitivity', sensitivity: 10, recent: world.seen(), counter: 9_000_000 });
    expect(world.give(ahead)).toBe('accepted');
    const next = (world.answers().at(-1)?.counter ?? 0) + 1;
    const behind = { action: 'sensitivity', sensitivity: 20, recent: world.seen() } as const;
    expect(world.give(world.order({ ...behind, counter: 5000 }))).toBe('command-replayed');
    expect(world.give(world.order({ ...behind, counter: next }))).toBe('accepted');
    expect(world.orders.standing.sensitivity).toBe(20);
  });

  it('that were withheld are not followed later: half an hour, a restart, or a record of another history', async () => {
    const recent = world.seen();
    const withheld = world.order({ action: 'snapshot', recent });
    world.clock.advance(LIMITS.commandMaxAgeMs + 1);
    expect(world.give(withheld)).toBe('command-stale');
    expect(world.answers()).toMatchObject([{ result: 'refused', code: 'command-stale', counter: 100 }]);
    const seq = world.seen();
    world.restart();
    expect(world.give(world.order({ action: 'snapshot', recent: seq, counter: 101 }))).toBe('command-stale');
    const other = [seq[0], new Uint8Array(32)] as const;
    expect(world.give(world.order({ action: 'snapshot', recent: other, counter: 102 }))).toBe('command-stale');
    await world.orders.idle();
    expect(world.looked).toBe(0);
    // The control: with a fresh record the same order is followed, and just inside of half an hour too.
    const fresh = world.seen();
    world.clock.advance(LIMITS.commandMaxAgeMs);
    expect(world.give(world.order({ action: 'snapshot', recent: fresh, counter: 103 }))).toBe('accepted');
    await world.orders.idle();
    expect(world.looked).toBe(1);
  });

  it('answer with a reason when the picture could not be taken', async () => {
    world.snapshotFails = 'privacy-mode';
    world.give(world.order({ action: 'snapshot', recent: world.seen() }));
    await world.orders.idle();
    expect(world.answers()).toMatchObject([{ result: 'refused', code: 'privacy-mode', counter: 100 }]);
  });
});

describe('standing orders', () => {
  it('survive a restart, zones and sensitivity with them', () => {
    const corners = [
      [0, 0],
      [65_535, 0],
      [0, 65_535],
    ] as const;
    world.give(world.order({ action: 'privacy', privacy: true }));
    world.give(
      world.order({ action: 'zones', zones: [{ name: 'door', corners }], recent: world.seen(), counter: 101 }),
    );
    world.give(world.order({ action: 'sensitivity', sensitivity: 70, recent: world.seen(), counter: 102 }));
    world.restart();
    expect(world.orders.standing).toEqual({ privacy: true, zones: [{ name: 'door', corners }], sensitivity: 70 });
    expect(world.give(world.order({ action: 'privacy', privacy: false, recent: world.seen(), counter: 103 }))).toBe(
      'accepted',
    );
    world.restart();
    expect(world.orders.standing.privacy).toBe(false);
  });

  it('privacy outlives a lost database', () => {
    world.give(world.order({ action: 'privacy', privacy: true }));
    world.mirror.close();
    world.outbox.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(world.folder, `outbox.db${suffix}`), { force: true });
    world.open();
    expect(world.orders.standing.privacy).toBe(true);
  });

  it('end with the ownership, and stay with another epoch of the same owner', () => {
    world.give(world.order({ action: 'privacy', privacy: true }));
    world.give(world.order({ action: 'sensitivity', sensitivity: 70, recent: world.seen(), counter: 101 }));
    world.outbox.beginEpoch(world.camera.claim(2, world.claim.hash), world.time());
    world.orders.ownerChanged();
    expect(world.orders.standing).toMatchObject({ privacy: true, sensitivity: 70 });
    // Orders of the epoch before are not this ownership's any more.
    expect(world.give(world.order({ action: 'release', counter: 200 }))).toBe('command-refused');
    const claimHash = world.outbox.currentClaim()?.hash ?? new Uint8Array(32);
    expect(world.give(world.order({ action: 'release', epoch: 2, claimHash, counter: 1 }))).toBe('accepted');
    expect(world.outbox.currentClaim()).toBeNull();
    expect(world.orders.standing).toEqual({ privacy: false, zones: null, sensitivity: null });
    world.restart();
    expect(world.orders.standing).toEqual({ privacy: false, zones: null, sensitivity: null });
  });
});
