import { afterEach, beforeEach, expect, it } from 'vitest';
import { fromHex } from '../../../common/bytes.js';
import { mosquitto } from '../../support/engines/brokers.js';
import { describeWith } from '../../support/engines/tools.js';
import { asyncCodeOf } from '../../support/codes.js';
import { until } from '../../support/runner/wait.js';
import { DOOR, InForceView } from '../../support/worlds/in-force-page.js';
import { Person } from '../../support/worlds/person.js';
import { BUSY, type TestAgent } from '../../support/worlds/test-agent.js';
import type { TestCloud } from '../../support/worlds/test-cloud.js';
import { WholeWay } from '../../support/worlds/whole-way.js';

/** The owner's first browser has the root key; the further one has keys of its own. */
describeWith('mosquitto', 'a further browser of an owner', () => {
  let way: WholeWay;
  let cloud: TestCloud;

  beforeEach(async () => {
    way = await WholeWay.prepare(mosquitto);
    await way.broker.start();
    cloud = await way.startCloud();
  });

  afterEach(() => way.stopAll());

  function browser(): Person {
    const someone = new Person(cloud.origin).start();
    way.keep(someone);
    return someone;
  }

  /** A camera of the first browser's, to which a further one is added in epoch 2 and which it accepted. */
  async function added() {
    const camera: TestAgent = way.startAgent('a', BUSY);
    const [first, further] = [browser(), browser()];
    await first.claim(camera.code);
    const { device } = camera;
    await until('a picture of the first epoch', () => first.pictures(1).length > 0, 20_000);
    expect(await first.changeMembers(device, 1, [{ ...(await further.asMember()), role: 'owner' }])).toBe(2);
    await until('the further browser is asked', () => further.session.view().invitations.length === 1);
    const [invitation] = further.session.view().invitations;
    if (invitation === undefined) throw new Error('not asked');
    expect(invitation).toMatchObject({ ownerKey: first.keys.signer.publicKey, isOwnBrowser: true });
    expect(further.session.view()).toMatchObject({ events: [], cameras: [], alarms: [] });
    await further.history.accept(invitation);
    await further.session.refresh();
    await until('it has a picture', () => further.pictures(2).length > 0, 20_000);
    return { camera, device, id: fromHex(device, 32) ?? new Uint8Array(32), first, further };
  }

  async function opens(someone: Person, epoch: number): Promise<boolean> {
    const picture = someone.pictures(epoch)[0]?.picture ?? null;
    return picture !== null && ((await someone.owner.openPicture(picture)).jpeg?.length ?? 0) > 500;
  }

  it('opens what is recorded from its claim on with its own key, and gives orders, which block nobody', async () => {
    const { device, id, first, further } = await added();
    expect(further.camera(device, 2)).toMatchObject({ isOwned: false, mayOrder: true });
    expect([await opens(further, 2), await opens(first, 2), await opens(first, 1)]).toEqual([true, true, true]);
    expect(further.pictures(1)).toEqual([]);
    expect(await asyncCodeOf(() => further.client.records(id, 1, null, 10))).toBe('not-found');
    for (const someone of [further, first, further]) await someone.orders.send(device, 2, { action: 'snapshot' });
    await further.orders.send(device, 2, { action: 'sensitivity', sensitivity: 70 });
    // Each counts for itself.
    const counters = [first, further].map(({ keys }) =>
      first.session.answers.counterOf(device, 2, keys.signer.publicKey),
    );
    expect(counters.every((counter) => counter > 0)).toBe(true);
    expect([first, further].map(({ session }) => session.view().alarms)).toEqual([[], []]);
  });

  it('reads back what the first one ordered, and the first one what it ordered, from the answers of the camera', async () => {
    const { device, first, further } = await added();
    const views = [first, further].map(({ session, owner }) => new InForceView(session, owner, device, 2));
    await first.orders.send(device, 2, { action: 'sensitivity', sensitivity: 70 });
    await further.orders.send(device, 2, { action: 'zones', zones: [DOOR] });
    for (const [i, view] of views.entries()) {
      // Neither page has the other one's order.
      await until('the newest answer has come', () => view.inForce('zones').type === 'elsewhere');
      await until('it is read', () => view.read());
      expect(view.inForce('sensitivity')).toMatchObject({
        type: 'known',
        order: { sensitivity: 70 },
        by: first.keys.signer.publicKey,
        isCurrent: true,
      });
      expect(view.inForce('zones')).toMatchObject({ order: { zones: [DOOR] }, by: further.keys.signer.publicKey });
      expect([first, further][i]?.session.view().alarms).toEqual([]);
    }
  });

  it('cannot do what takes the root key: the cloud refuses it a claim, an offer, a release and a revocation', async () => {
    const { camera, device, id, first, further } = await added();
    const change = { device: id, epoch: 2, members: [], onStep: () => undefined, signal: AbortSignal.timeout(5000) };
    expect(await asyncCodeOf(() => further.owner.changeMembers(change))).toBe('not-found');
    expect(await asyncCodeOf(() => further.orders.send(device, 2, { action: 'release' }))).toBe('not-found');
    expect(await asyncCodeOf(() => further.owner.revoke(id, 2))).toBe('foreign');
    expect(camera.agent.outbox.currentClaim()?.value.epoch).toBe(2);
    // The control: the first browser may.
    await first.orders.send(device, 2, { action: 'release' });
    expect(camera.agent.outbox.currentClaim()).toBeNull();
  });

  it('is removed by a claim without it: it orders nothing and receives nothing more, and keeps what it could open', async () => {
    const { device, id, first, further } = await added();
    expect(await first.changeMembers(device, 2, [])).toBe(3);
    await until('a picture of the third epoch', () => first.pictures(3).length > 0, 20_000);
    await further.session.refresh();
    for (const epoch of [2, 3]) {
      expect(await asyncCodeOf(() => further.orders.send(device, epoch, { action: 'snapshot' }))).toBe('not-found');
    }
    expect(further.camera(device, 3)).toBeUndefined();
    expect(await asyncCodeOf(() => further.client.records(id, 3, null, 10))).toBe('not-found');
    expect([await opens(further, 2), await opens(first, 3)]).toEqual([true, true]);
    expect(further.session.view().alarms).toEqual([]);
  });
});
