import { afterEach, beforeEach, expect, it } from 'vitest';
import { inForceOf, InForceReader } from '../../../app/core/in-force.js';
import { StandingOrders, type Setting } from '../../../app/core/standing-orders.js';
import { MemoryStorage } from '../../../app/core/storage.js';
import { mosquitto } from '../../support/engines/brokers.js';
import { describeWith } from '../../support/engines/tools.js';
import { until } from '../../support/runner/wait.js';
import { Person } from '../../support/worlds/person.js';
import { BUSY } from '../../support/worlds/test-agent.js';
import type { TestCloud } from '../../support/worlds/test-cloud.js';
import { WholeWay } from '../../support/worlds/whole-way.js';

const DOOR = {
  name: 'door',
  corners: [
    [0, 0],
    [65_535, 0],
    [0, 65_535],
  ],
} as const;

/** A person's page with what it shows of orders in force. */
class Reader {
  readonly person: Person;
  private readonly standing = new StandingOrders(new MemoryStorage());
  private readonly reader: InForceReader;

  constructor(cloud: TestCloud) {
    this.person = new Person(cloud.origin).start();
    const { session, owner } = this.person;
    session.answers.observe((record) => {
      this.standing.addRecord(record);
    });
    this.reader = new InForceReader({ standing: this.standing, owner, session });
  }

  /** Waits until the camera's newest answer is read. */
  async read(device: string, epoch: number): Promise<void> {
    await until('what is in force is read', () => this.reader.read(device, epoch));
  }

  inForce(device: string, epoch: number, setting: Setting): ReturnType<typeof inForceOf> {
    return inForceOf(this.standing, device, epoch, setting);
  }
}

describeWith('mosquitto', 'what is in force', () => {
  let way: WholeWay;
  let cloud: TestCloud;

  beforeEach(async () => {
    way = await WholeWay.prepare(mosquitto);
    await way.broker.start();
    cloud = await way.startCloud();
  });

  afterEach(() => way.stopAll());

  function page(): Reader {
    const reader = new Reader(cloud);
    way.keep(reader.person);
    return reader;
  }

  it('is read back by a browser of the household that ordered nothing, with who ordered it and when', async () => {
    const camera = way.startAgent('a', BUSY);
    const [first, second] = [page(), page()];
    const device = await first.person.claim(camera.code);
    await until('a picture', () => first.person.pictures(1).length > 0, 20_000);
    const members = [await second.person.asMember()];
    expect(await first.person.changeMembers(device, 1, members)).toBe(2);
    await until('the second one is invited', () => second.person.session.view().invitations.length === 1);
    const [invitation] = second.person.session.view().invitations;
    if (invitation === undefined) throw new Error('not invited');
    await second.person.history.accept(invitation);
    await second.person.session.refresh();
    expect(second.inForce(device, 2, 'sensitivity')).toMatchObject({ type: 'unknown' });

    await first.person.orders.send(device, 2, { action: 'sensitivity', sensitivity: 70 });
    await first.person.orders.send(device, 2, { action: 'zones', zones: [DOOR] });
    const by = first.person.keys.signer.publicKey;
    for (const reader of [first, second]) {
      await until('the newest answer is here', () => reader.inForce(device, 2, 'zones').type === 'elsewhere');
      await reader.read(device, 2);
      const [zones, sensitivity] = (['zones', 'sensitivity'] as const).map((setting) =>
        reader.inForce(device, 2, setting),
      );
      expect(zones).toMatchObject({ type: 'known', order: { zones: [DOOR] }, by, isCurrent: true });
      expect(sensitivity).toMatchObject({ type: 'known', order: { sensitivity: 70 }, by, isCurrent: true });
      expect(reader.person.session.view().alarms).toEqual([]);
    }
  });
});
