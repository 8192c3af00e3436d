import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { LIMITS } from '../../../../common/limits.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { Signer } from '../../../../protocol/crypto/suite.js';
import { commandKind } from '../../../../protocol/objects/command.js';
import { signObject } from '../../../../protocol/objects/signed-object.js';
import { household, member, OrderWorld, phone, recipientOf } from '../../../support/worlds/order-world.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';

const wallOf = (world: OrderWorld): number => world.time().wallMs ?? 0;

function sensitivity(world: OrderWorld, counter: number, by?: Signer, value = 40): string {
  return world.sendOrder(
    world.makeOrder({ action: 'sensitivity', sensitivity: value, epoch: 2, counter, recent: world.recentRecord() }, by),
  );
}

describe('orders of version 2', () => {
  it('are taken from every browser of the owner, and from no member', () => {
    const world = household();
    const { owner } = world.camera;
    expect([sensitivity(world, 10, owner), sensitivity(world, 10, phone), sensitivity(world, 10, member)]).toEqual([
      'accepted',
      'accepted',
      'command-refused',
    ]);
    expect(sensitivity(world, 10, nodeSuite.ed25519Signer(realRandom.bytes(32)))).toBe('command-refused');
  });

  it('have a counter of their signer: the clock of one browser locks no other out', () => {
    const world = household();
    const { owner } = world.camera;
    const ahead = wallOf(world) + LIMITS.orderAheadMaxMs - 1000;
    expect(sensitivity(world, ahead, phone)).toBe('accepted');
    expect(sensitivity(world, wallOf(world), owner)).toBe('accepted');
    // The control: of the same signer it is not above the last.
    expect(sensitivity(world, wallOf(world), phone)).toBe('command-replayed');
    expect(world.outbox.commandCounter(phone.publicKey)).toBe(ahead);
  });

  it('are refused more than a day ahead of a clock that is set, and the counter is not used up', () => {
    const world = household();
    const ahead = wallOf(world) + LIMITS.orderAheadMaxMs + 60_000;
    expect(sensitivity(world, ahead, phone)).toBe('command-ahead');
    expect(sensitivity(world, wallOf(world), phone)).toBe('accepted');
  });

  it('are answered with the key that gave them', () => {
    const world = household();
    sensitivity(world, 10, phone);
    sensitivity(world, 10, phone);
    const answers = world.answers();
    expect(answers.map(({ signer: by, counter, result, code }) => ({ by, counter, result, code }))).toEqual([
      { by: phone.publicKey, counter: 10, result: 'done', code: undefined },
      { by: phone.publicKey, counter: 10, result: 'refused', code: 'command-replayed' },
    ]);
  });

  it('keep their counters over a restart', () => {
    const world = household();
    const order = world.makeOrder(
      { action: 'sensitivity', sensitivity: 3, epoch: 2, counter: 5, recent: world.recentRecord() },
      phone,
    );
    expect(world.sendOrder(order)).toBe('accepted');
    world.restart();
    expect(world.sendOrder(order)).toBe('command-replayed');
  });

  it('of version 1 are malformed, also from the owner', () => {
    const world = household();
    const order = signObject(commandKind, nodeSuite, world.camera.owner, {
      action: 'sensitivity',
      sensitivity: 3,
      device: world.camera.deviceId,
      epoch: 2,
      claimHash: world.claim.hash,
      counter: 5,
      recent: world.recentRecord(),
    });
    expect(world.sendOrder(order.bytes)).toBe('malformed');
  });

  it.each([{ action: 'masks', masks: [] } as const, { action: 'schedules', schedules: [] } as const])(
    'for $action are answered as unsupported, until the camera has them',
    (change) => {
      const world = household();
      const order = world.makeOrder({ ...change, epoch: 2, counter: 5, recent: world.recentRecord() });
      expect(world.sendOrder(order)).toBe('accepted');
      expect(world.answers().at(-1)).toMatchObject({ action: change.action, result: 'refused', code: 'unsupported' });
    },
  );

  it('stand after their signer was removed, and end with the ownership', () => {
    const world = household();
    sensitivity(world, 10, phone, 77);
    const { owner } = world.camera;
    const next = world.camera.claimV2(3, world.claim.hash, { recipients: [recipientOf(owner.publicKey, 'owner')] });
    world.outbox.beginEpoch(next, world.time());
    world.orders.ownerChanged();
    expect(world.orders.standing.sensitivity).toBe(77);
    world.outbox.endEpoch('release', world.time());
    const stranger = new CameraWorld().claim(4, next.hash, { device: world.camera.deviceId });
    world.outbox.beginEpoch(stranger, world.time());
    world.orders.ownerChanged();
    expect(world.orders.standing.sensitivity).toBeNull();
  });
});

describe('orders of version 1', () => {
  it('have one counter for the claim, as before', () => {
    const world = new OrderWorld();
    const order = (counter: number): string =>
      world.sendOrder(
        world.makeOrder({ action: 'sensitivity', sensitivity: 3, counter, recent: world.recentRecord() }),
      );
    const farAhead = wallOf(world) + 10 * LIMITS.orderAheadMaxMs;
    expect([order(farAhead), order(wallOf(world))]).toEqual(['accepted', 'command-replayed']);
    expect(world.answers().every(({ signer: by }) => by === undefined)).toBe(true);
    expect(world.outbox.commandCounter(realRandom.bytes(32))).toBe(farAhead);
  });
});
