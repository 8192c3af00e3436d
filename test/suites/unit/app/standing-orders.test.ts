import { describe, expect, it } from 'vitest';
import { toHex } from '../../../../common/bytes.js';
import { Answers } from '../../../../app/core/answers.js';
import { inForceOf, type InForce } from '../../../../app/core/in-force.js';
import { StandingOrders } from '../../../../app/core/standing-orders.js';
import { MemoryStorage } from '../../../../app/core/storage.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { commandKind, type Command, type Zone } from '../../../../protocol/objects/command.js';
import type { RecordCommand, SealcamRecord } from '../../../../protocol/objects/record.js';
import { signObject, type Verified } from '../../../../protocol/objects/signed-object.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';

const DOOR: Zone = {
  name: 'door',
  corners: [
    [0, 0],
    [100, 0],
    [0, 100],
  ],
};

/** A camera of which a page sees records, one after the other. */
class Watched {
  readonly world = new CameraWorld();
  readonly storage = new MemoryStorage();
  standing = new StandingOrders(this.storage);
  private counter = 0;

  order(rest: Pick<Command, 'action'> & Partial<Command>, epoch = 1): Verified<Command> {
    return signObject(commandKind, nodeSuite, this.world.owner, {
      device: this.world.deviceId,
      epoch,
      claimHash: new Uint8Array(32),
      counter: ++this.counter,
      recent: [0, new Uint8Array(32)],
      ...rest,
    });
  }

  /** Lets the page see a record; without `of` one that answers nothing. */
  see(seq: number, of?: Verified<Command>, result: RecordCommand['result'] = 'done', epoch = 1): void {
    const answer =
      of === undefined
        ? { kind: 'scene' as const, scene: { class: 'stall' as const } }
        : {
            kind: 'command' as const,
            command: { source: 'owner' as const, action: of.value.action, result, object: of.hash },
          };
    this.standing.addRecord(this.record(seq, answer, epoch));
  }

  end(seq: number, reason: 'superseded' | 'release', epoch = 1): void {
    this.standing.addRecord(this.record(seq, { kind: 'tombstone', tombstone: { reason } }, epoch));
  }

  /** Opens the page again, on the same device. */
  async reopen(): Promise<void> {
    this.standing = new StandingOrders(this.storage);
    await this.standing.load();
  }

  zones(epoch = 1): InForce {
    return inForceOf(this.standing, toHex(this.world.deviceId), epoch, 'zones');
  }

  private record(
    seq: number,
    rest: Partial<SealcamRecord> & Pick<SealcamRecord, 'kind'>,
    epoch: number,
  ): SealcamRecord {
    const { deviceId: device, account } = this.world;
    const claimHash = new Uint8Array(32);
    return { device, account, epoch, claimHash, seq, prev: null, time: this.world.time(1000 * seq), ...rest };
  }
}

const zonesOf = (inForce: InForce): unknown =>
  inForce.type === 'known' && inForce.order.action === 'zones' ? inForce.order.zones : inForce.type;

describe('the order in force', () => {
  it('is the last one that the camera answered as done, not the last one sent', async () => {
    const camera = new Watched();
    camera.see(0);
    expect(camera.zones()).toEqual({ type: 'unordered' });
    const door = camera.order({ action: 'zones', zones: [DOOR] });
    await camera.standing.keep(door);
    expect(camera.zones()).toEqual({ type: 'unordered' });
    camera.see(1, door);
    expect(camera.zones()).toMatchObject({ type: 'known', isCurrent: true, wallMs: expect.any(Number) as number });
    const none = camera.order({ action: 'zones', zones: [] });
    await camera.standing.keep(none);
    camera.see(2, none, 'refused');
    expect(zonesOf(camera.zones())).toEqual([DOOR]);
    camera.see(3, none);
    expect(zonesOf(camera.zones())).toEqual([]);
    // The camera refuses a replay of an order that it carried out.
    camera.see(4, door, 'refused');
    expect(zonesOf(camera.zones())).toEqual([]);
  });

  it('is known on this device after the page was closed, and says whether it may have changed since', async () => {
    const camera = new Watched();
    const door = camera.order({ action: 'zones', zones: [DOOR] });
    await camera.standing.keep(door);
    for (const seq of [0, 1, 2]) camera.see(seq, seq === 2 ? door : undefined);
    await camera.reopen();
    expect(camera.zones()).toMatchObject({ type: 'known', isCurrent: false });
    // Only the newest records are loaded: what lies between is unknown.
    for (const seq of [80, 81]) camera.see(seq);
    expect(camera.zones()).toMatchObject({ type: 'known', isCurrent: false });
    for (let seq = 79; seq >= 2; seq--) camera.see(seq);
    expect(camera.zones()).toMatchObject({ type: 'known', isCurrent: true });
    expect(zonesOf(camera.zones())).toEqual([DOOR]);
  });

  it('is unknown where another browser gave it, and before enough of the history is here', async () => {
    const camera = new Watched();
    expect(camera.zones()).toEqual({ type: 'unknown' });
    for (const seq of [50, 51]) camera.see(seq);
    expect(camera.zones()).toEqual({ type: 'unknown' });
    const door = camera.order({ action: 'zones', zones: [DOOR] });
    await camera.standing.keep(door);
    camera.see(52, door);
    const elsewhere = camera.order({ action: 'zones', zones: [] });
    camera.see(53, elsewhere);
    expect(camera.zones()).toMatchObject({ type: 'elsewhere' });
  });

  it('stays when the same owner claims again, and ends with a release', async () => {
    for (const reason of ['superseded', 'release'] as const) {
      const camera = new Watched();
      const door = camera.order({ action: 'zones', zones: [DOOR] });
      await camera.standing.keep(door);
      camera.see(0);
      camera.see(1, door);
      camera.see(0, undefined, 'done', 2);
      expect(zonesOf(camera.zones(2))).toBe('unknown');
      camera.end(2, reason);
      expect(zonesOf(camera.zones(2))).toEqual(reason === 'superseded' ? [DOOR] : 'unordered');
    }
  });

  it('is kept beside that of other kinds, and survives a setting that cannot be read', async () => {
    const camera = new Watched();
    const loud = camera.order({ action: 'sensitivity', sensitivity: 70 });
    const door = camera.order({ action: 'zones', zones: [DOOR] });
    for (const order of [loud, door]) await camera.standing.keep(order);
    camera.see(0);
    camera.see(1, loud);
    camera.see(2, door);
    const device = toHex(camera.world.deviceId);
    expect(inForceOf(camera.standing, device, 1, 'sensitivity')).toMatchObject({ order: { sensitivity: 70 } });
    expect(zonesOf(camera.zones())).toEqual([DOOR]);
    for (const text of ['{', '[{"device":1}]']) {
      await camera.storage.saveSetting('standing-orders', text);
      await camera.reopen();
      expect(camera.zones()).toEqual({ type: 'unknown' });
    }
  });

  it('is followed from every record that the page verifies', async () => {
    const camera = new Watched();
    const door = camera.order({ action: 'zones', zones: [DOOR] });
    await camera.standing.keep(door);
    const answers = new Answers();
    answers.observe((record) => {
      camera.standing.addRecord(record);
    });
    const claim = camera.world.claim();
    const [accept] = camera.world.chain(claim, 0);
    const command = { source: 'owner', action: 'zones', result: 'done', object: door.hash } as const;
    const answer = camera.world.record(claim, 1, accept?.hash ?? null, { kind: 'command', command });
    for (const record of [accept, answer]) if (record !== undefined) answers.addAnswer(record.value);
    expect(answers.answerTo(door.hash)).toEqual({ command, seq: 1 });
    expect(camera.zones()).toMatchObject({ type: 'known', isCurrent: true });
  });
});
