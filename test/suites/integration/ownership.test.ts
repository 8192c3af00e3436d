import { afterEach, beforeEach, expect, it } from 'vitest';
import { fromHex } from '../../../common/bytes.js';
import { realClock } from '../../../common/adapters/real-clock.js';
import { asSealcamError } from '../../../common/errors.js';
import { anyCommandKind } from '../../../protocol/objects/command.js';
import { signObject, versionOf } from '../../../protocol/objects/signed-object.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { parseClaimCode } from '../../../protocol/objects/claim-code.js';
import { encodeDown } from '../../../protocol/transport/messages.js';
import { topicOf } from '../../../protocol/transport/topics.js';
import { MockKeyStore } from '../../../hal/mock/key-store.js';
import { mosquitto } from '../../support/engines/brokers.js';
import { asyncCodeOf } from '../../support/codes.js';
import { Person } from '../../support/worlds/person.js';
import { BUSY, QUIET, type TestAgent } from '../../support/worlds/test-agent.js';
import type { TestCloud } from '../../support/worlds/test-cloud.js';
import { describeWith } from '../../support/engines/tools.js';
import { until } from '../../support/runner/wait.js';
import { WholeWay } from '../../support/worlds/whole-way.js';

describeWith('mosquitto', 'an ownership over a real broker', () => {
  let way: WholeWay;
  let cloud: TestCloud;

  beforeEach(async () => {
    way = await WholeWay.prepare(mosquitto);
    await way.broker.start();
    cloud = await way.startCloud();
  });

  afterEach(() => way.stopAll());

  function person(
    ...rest: ConstructorParameters<typeof Person> extends [string, ...infer Rest] ? Rest : never
  ): Person {
    const someone = new Person(cloud.origin, ...rest).start();
    way.keep(someone);
    return someone;
  }

  /** Starts a camera that Anna has claimed, with her page open. */
  async function claimed(
    script = QUIET,
    anna = person(),
  ): Promise<{ readonly anna: Person; readonly camera: TestAgent }> {
    const camera = way.startAgent('a', script);
    await anna.claim(camera.code);
    await until('the camera has sent its health', () => hasHealth(anna, camera.device));
    return { anna, camera };
  }

  const hasHealth = (someone: Person, device: string): boolean => (someone.camera(device, 1)?.health ?? null) !== null;

  /** The version of the first epoch of a camera. */
  const versionIn = (someone: Person, device: string): number => {
    const claim = someone.history.claimOf(fromHex(device, 32) ?? new Uint8Array(32), 1);
    return claim === null ? 0 : versionOf(claim.value);
  };

  async function opens(someone: Person, epoch: number): Promise<boolean> {
    const picture = someone.pictures(epoch)[0]?.picture;
    if (picture === undefined || picture === null) return false;
    return ((await someone.owner.openPicture(picture)).jpeg?.length ?? 0) > 500;
  }

  it.each([1, 2] as const)(
    'version %i: the owner gives orders, and the camera records what it did',
    async (version) => {
      const { anna, camera } = await claimed(QUIET, person(undefined, undefined, version));
      const { device } = camera;
      expect(versionIn(anna, device)).toBe(version);
      await anna.orders.send(device, 1, { action: 'snapshot' });
      await until('the picture', () => anna.pictures(1).length === 1);
      expect(await opens(anna, 1)).toBe(true);
      await anna.orders.send(device, 1, { action: 'sensitivity', sensitivity: 80 });
      await anna.orders.send(device, 1, { action: 'privacy', privacy: true });
      await until('the page shows privacy mode', () => anna.camera(device, 1)?.health?.body.privacy === true);
      expect(camera.indicator.shown.at(-1)).toBe('privacy');
      const seen = camera.agent.counters.get('frames.seen');
      expect(await asyncCodeOf(() => anna.orders.send(device, 1, { action: 'snapshot' }))).toBe('privacy-mode');
      expect(camera.agent.counters.get('frames.seen')).toBe(seen);
      await anna.orders.send(device, 1, { action: 'privacy', privacy: false });
      await until('the camera inspects frames again', () => camera.agent.counters.get('frames.seen') > seen);
      expect(camera.indicator.shown.at(-1)).toBe('recording');
    },
  );

  it('privacy mode survives a restart of the camera', async () => {
    const keyStore = new MockKeyStore();
    const first = way.startAgent('a', BUSY, keyStore);
    const anna = person();
    await anna.claim(first.code);
    await anna.orders.send(first.device, 1, { action: 'privacy', privacy: true });
    await way.stop(first.agent);
    const again = way.startAgent('a', BUSY, keyStore);
    await until('it has reconnected', () => again.agent.uplink.isConnected);
    expect(again.agent.isPrivate).toBe(true);
    await until('its records have receipts', () => again.agent.outbox.queued().records === 0);
    expect(again.agent.counters.get('frames.seen')).toBe(0);
    expect(again.indicator.shown.at(-1)).toBe('privacy');
    await anna.orders.send(first.device, 1, { action: 'privacy', privacy: false });
    await until('the camera inspects frames again', () => again.agent.counters.get('frames.seen') > 0);
  });

  it('two browsers of one owner do not lock each other out when their clocks differ by an hour', async () => {
    const { anna, camera } = await claimed();
    const ahead = { ...realClock, wallMs: () => realClock.wallMs() + 3_600_000 };
    const phone = person(anna.keys.master, ahead);
    await until('the phone knows the camera', () => hasHealth(phone, camera.device));
    await phone.orders.send(camera.device, 1, { action: 'sensitivity', sensitivity: 30 });
    await anna.orders.send(camera.device, 1, { action: 'sensitivity', sensitivity: 40 });
    await phone.orders.send(camera.device, 1, { action: 'sensitivity', sensitivity: 50 });
    await anna.orders.send(camera.device, 1, { action: 'snapshot' });
    expect(camera.agent.counters.snapshot()).not.toHaveProperty('command.internal');
  });

  it('the cloud cannot give orders: neither with its own key, nor by replaying the owner’s', async () => {
    const { anna, camera } = await claimed();
    const device = fromHex(camera.device, 32) ?? new Uint8Array(32);
    const claim = anna.history.claimOf(device, 1);
    const head = anna.history.headOf(device, 1);
    if (claim === null || head === null) throw new Error('nothing known');
    const order = (signer = anna.keys.signer, counter = realClock.wallMs()) =>
      signObject(anyCommandKind, nodeSuite, signer, {
        version: 2,
        action: 'snapshot',
        device,
        epoch: 1,
        claimHash: claim.hash,
        counter,
        recent: [head.seq, head.hash],
      }).bytes;
    const spy = way.asCloud();
    const send = (bytes: Uint8Array): void => {
      spy.publish(topicOf(device, 'down'), Buffer.from(encodeDown({ type: 'command', command: bytes })), { qos: 1 });
    };
    const { counters } = camera.agent;
    send(order(nodeSuite.ed25519Signer(new Uint8Array(32).fill(7))));
    await until('the order of another key is refused', () => counters.get('down.command-refused') === 1);
    const own = order();
    send(own);
    await until('control: the owner’s own order is obeyed', () => anna.pictures(1).length === 1);
    send(own);
    await until('the replayed order is refused', () => counters.get('down.command-replayed') === 1);
    expect(anna.pictures(1)).toHaveLength(1);
  });

  it('a member sees new events, keeps them when removed, and then sees no more', async () => {
    const { anna, camera } = await claimed(BUSY);
    const { device } = camera;
    const ben = person();
    const stranger = person();
    expect(await anna.changeMembers(device, 1, [await ben.asMember()])).toBe(2);
    await until('Ben is invited', () => ben.session.view().invitations.length === 1);
    expect(ben.session.view()).toMatchObject({ events: [], cameras: [], alarms: [] });
    const [invitation] = ben.session.view().invitations;
    if (invitation === undefined) throw new Error('no invitation');
    expect(invitation.ownerKey).toEqual(anna.keys.signer.publicKey);
    await ben.history.accept(invitation);
    await ben.session.refresh();
    await until('Ben has a picture', () => ben.pictures(2).length > 0, 20_000);
    expect(await opens(ben, 2)).toBe(true);
    expect(ben.camera(device, 2)?.isOwned).toBe(false);
    expect(ben.pictures(1)).toEqual([]);
    expect(await asyncCodeOf(() => ben.orders.send(device, 2, { action: 'snapshot' }))).toBe('not-found');

    expect(await anna.changeMembers(device, 2, [])).toBe(3);
    await until('Anna has a picture of the third epoch', () => anna.pictures(3).length > 0, 20_000);
    await ben.session.refresh();
    expect(ben.pictures(3)).toEqual([]);
    expect(ben.camera(device, 3)).toBeUndefined();
    expect(await opens(ben, 2)).toBe(true);
    // The control: Anna opens all of them with the same page, a stranger none.
    expect([await opens(anna, 2), await opens(anna, 3)]).toEqual([true, true]);
    const theirs = anna.pictures(3)[0]?.picture;
    if (theirs === undefined || theirs === null) throw new Error('no picture');
    expect(await asyncCodeOf(() => ben.client.media(theirs.device, 3, theirs.media.id))).toBe('not-found');
    expect(stranger.session.view()).toMatchObject({ events: [], cameras: [] });
  });

  it('is transferred: one owner releases, the next claims, and neither sees the other’s events', async () => {
    const { anna, camera } = await claimed(BUSY);
    const { device } = camera;
    await until('Anna has a picture', () => anna.pictures(1).length > 0, 20_000);
    await anna.orders.send(device, 1, { action: 'release' });
    expect(camera.agent.outbox.currentClaim()).toBeNull();
    await until('her page shows the end of the ownership', () => anna.camera(device, 1)?.hasEnded === true);
    // Anna still knows the label's code. It is useless unless someone opens a claim window at the camera.
    const late = anna.owner.claim(parseClaimCode(nodeSuite, camera.code), () => undefined, AbortSignal.timeout(1500));
    expect(await late.catch((error: unknown) => asSealcamError(error).code)).toBe('claim-refused');
    const carl = person();
    camera.button.press(200);
    await carl.claim(camera.code);
    await until('Carl has a picture', () => carl.pictures(2).length > 0, 20_000);
    expect([await opens(carl, 2), await opens(anna, 1)]).toEqual([true, true]);
    await anna.session.refresh();
    expect(anna.pictures(2)).toEqual([]);
    expect(carl.pictures(1)).toEqual([]);
    const id = fromHex(device, 32) ?? new Uint8Array(32);
    expect(await asyncCodeOf(() => anna.client.records(id, 2, null, 10))).toBe('not-found');
    expect(await asyncCodeOf(() => carl.client.records(id, 1, null, 10))).toBe('not-found');
    expect(await asyncCodeOf(() => anna.orders.send(device, 1, { action: 'privacy', privacy: true }))).toBe(
      'not-found',
    );
    expect([anna, carl].map(({ session }) => session.view().alarms)).toEqual([[], []]);
  });

  it('a reset at the camera ends an ownership immediately, and erases its outbox', async () => {
    const { anna, camera } = await claimed(BUSY);
    await way.broker.stop();
    await until('records wait', () => camera.agent.outbox.queued().records > 3, 20_000);
    camera.button.press(10_000);
    expect(camera.agent.outbox.currentClaim()).toBeNull();
    // Only the tombstone waits for its receipt.
    expect(camera.agent.outbox.queued().records).toBe(1);
    await way.broker.start();
    await until(
      'her page shows the end of the ownership',
      () => anna.camera(camera.device, 1)?.hasEnded === true,
      20_000,
    );
    await until('the outbox is empty', () => camera.agent.outbox.queued().records === 0, 20_000);
  });
});
