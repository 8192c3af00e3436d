import { describe, expect, it } from 'vitest';
import { loadAgentConfig } from '../../../../agent/config/keys.js';
import { inForceOf } from '../../../../agent/main/settings.js';
import { OwnerOrders } from '../../../../agent/ownership/owner-orders.js';
import { noteOwnership } from '../../../../agent/outbox/published.js';
import { silentLog } from '../../../../common/log.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { anyCommandKind, type AnyCommand } from '../../../../protocol/objects/command.js';
import { signObject } from '../../../../protocol/objects/signed-object.js';
import { isVersionTwo } from '../../../../protocol/wire/codec.js';
import { codeOf } from '../../../support/codes.js';
import { DOOR } from '../../../support/worlds/in-force-page.js';
import { gate, letPromisesRun, PeriodWorld } from '../../../support/worlds/period-world.js';

const config = loadAgentConfig({ file: null, environment: {} });

/** A camera in an epoch of version 2 with its owner's orders, which seals in the periods of its world. */
class InForceWorld {
  readonly world: PeriodWorld;
  config = config;
  /** Whether sealing fails although there is a period. */
  isFaulty = false;
  orders: OwnerOrders;
  private counter = 100;

  constructor(world = new PeriodWorld()) {
    this.world = world;
    this.orders = this.open();
  }

  open(): OwnerOrders {
    const { outbox, mirror, sealer, clock, counters } = this.world;
    const nothing = (): void => undefined;
    this.orders = new OwnerOrders({
      suite: nodeSuite,
      outbox,
      mirror,
      clock,
      counters,
      log: silentLog,
      now: () => this.world.time(),
      sealer: {
        isReady: (claim) => sealer.isReady(claim),
        ready: (claim) => sealer.ready(claim),
        seal: (claim, standing) => {
          if (this.isFaulty) throw new Error('a fault of this program');
          return sealer.sealInForce(claim, inForceOf(this.config, standing));
        },
      },
      snapshot: () => Promise.resolve(),
      onOrders: nothing,
      onRelease: nothing,
    });
    return this.orders;
  }

  order(change: Pick<AnyCommand, 'action'> & Partial<AnyCommand>): string {
    const { camera } = this.world;
    const claim = this.world.outbox.currentClaim() ?? this.world.claim;
    const recent = this.world.scene();
    const { bytes } = signObject<AnyCommand>(anyCommandKind, nodeSuite, camera.owner, {
      ...(isVersionTwo(claim.value) ? { version: 2 as const } : {}),
      device: camera.deviceId,
      epoch: claim.value.epoch,
      claimHash: claim.hash,
      counter: ++this.counter,
      recent: [recent.value.seq, recent.hash],
      ...change,
    });
    return codeOf(() => {
      this.orders.handleCommand(bytes);
    });
  }

  /** What each answer says: the sensitivity in force, and the zones by name; null for an answer that says nothing. */
  async said(): Promise<unknown[]> {
    const answers = await this.world.openedAnswers();
    return answers.map(({ inForce }) =>
      inForce === null ? null : [inForce.sensitivity?.[0], inForce.zones?.[0].map(({ name }) => name)],
    );
  }
}

async function started(): Promise<InForceWorld> {
  const camera = new InForceWorld();
  await camera.world.start();
  return camera;
}

describe('an answer to a standing order of version 2', () => {
  it('carries all that is in force after it, whole, with who ordered it and when; the owner opens it', async () => {
    const camera = await started();
    const { publicKey } = camera.world.camera.owner;
    camera.order({ action: 'sensitivity', sensitivity: 70 });
    const takenMs = camera.world.time().wallMs;
    camera.world.clock.advance(5000);
    camera.order({ action: 'zones', zones: [DOOR] });
    const answers = await camera.world.openedAnswers();
    expect(answers.map(({ record }) => [record.command?.action, record.media?.[0]?.role])).toEqual([
      ['sensitivity', 'detail'],
      ['zones', 'detail'],
    ]);
    expect(answers.at(-1)?.inForce).toEqual({
      sensitivity: [70, [publicKey, 1, 101, takenMs]],
      zones: [[DOOR], [publicKey, 1, 102, camera.world.time().wallMs]],
      masks: [[], null],
    });
    expect(camera.world.counters.get('answers.unsealed')).toBe(0);
    expect(camera.world.unopenable()).toEqual([]);
  });

  it('says what the configuration decides, and that nobody ordered it', async () => {
    const camera = await started();
    const corners: [number, number][] = [
      [0, 0],
      [1, 0],
      [0, 0.5],
    ];
    // A name of 33 letters and 66 bytes.
    const name = 'ж'.repeat(33);
    camera.config = { ...config, 'motion.sensitivity': 30, 'privacy.masks': [{ name, corners }] };
    camera.order({ action: 'zones', zones: [] });
    const [answer] = await camera.world.openedAnswers();
    expect(answer?.inForce).toMatchObject({
      sensitivity: [30, null],
      masks: [
        [
          {
            name: 'ж'.repeat(16),
            corners: [
              [0, 0],
              [65_535, 0],
              [0, 32_768],
            ],
          },
        ],
        null,
      ],
    });
    // The camera has none, so it says nothing of them.
    expect(answer?.inForce).not.toHaveProperty('schedules');
  });

  it('keeps who ordered what, and when, over a restart and a new claim of the owner', async () => {
    const camera = await started();
    camera.order({ action: 'sensitivity', sensitivity: 70 });
    const takenMs = camera.world.time().wallMs;
    const { world } = camera;
    world.close();
    world.clock.advance(60_000);
    world.open();
    camera.open();
    world.claim = world.camera.claimV2(2, world.claim.hash);
    world.outbox.beginEpoch(world.claim, world.time(), world.camera.kemKeys);
    noteOwnership(world.outbox, world.mirror);
    await world.start();
    camera.order({ action: 'zones', zones: [] });
    const answer = (await world.openedAnswers()).at(-1);
    expect(answer?.inForce?.sensitivity).toEqual([70, [world.camera.owner.publicKey, 1, 101, takenMs]]);
  });

  it('has no detail where the order is for something else, was refused, or is of version 1', async () => {
    const camera = await started();
    camera.order({ action: 'privacy', privacy: true });
    camera.order({ action: 'masks', masks: [] });
    camera.order({ action: 'sensitivity', sensitivity: 1, recent: [77, new Uint8Array(32)] });
    expect(await camera.said()).toEqual([null, null, null]);
    const { world } = camera;
    world.outbox.endEpoch('release', world.time());
    world.outbox.beginEpoch(world.camera.claim(2, world.claim.hash), world.time());
    camera.orders.ownerChanged();
    expect(camera.order({ action: 'sensitivity', sensitivity: 7 })).toBe('accepted');
    const answer = world.records().at(-1)?.value;
    expect(answer).toMatchObject({ kind: 'command', command: { result: 'done' } });
    expect(answer).not.toHaveProperty('media');
    expect(camera.orders.standing.sensitivity).toBe(7);
  });
});

describe('an answer before the first period', () => {
  it('waits for it, while the order is in force', async () => {
    const { wrap, open } = gate();
    const camera = new InForceWorld(new PeriodWorld({ wrap }));
    await camera.world.start();
    camera.order({ action: 'sensitivity', sensitivity: 70 });
    camera.order({ action: 'zones', zones: [DOOR] });
    camera.order({ action: 'sensitivity', sensitivity: 71 });
    expect(camera.orders.standing).toMatchObject({ sensitivity: 71, zones: [DOOR] });
    expect(await camera.said()).toEqual([]);
    open();
    await camera.orders.idle();
    // Each says what is in force when it is signed: the answer to the first order does not bring that order back.
    expect(await camera.said()).toEqual(new Array(3).fill([71, ['door']]));
    const answers = await camera.world.openedAnswers();
    expect(answers.map(({ record }) => record.command?.action)).toEqual(['sensitivity', 'zones', 'sensitivity']);
    expect(camera.world.counters.get('answers.unsealed')).toBe(0);
  });

  it('goes without after a while, at a stop, and where too many wait, and is counted', async () => {
    const camera = new InForceWorld(new PeriodWorld({ wrap: () => new Promise(() => undefined) }));
    await camera.world.start();
    camera.order({ action: 'sensitivity', sensitivity: 10 });
    await letPromisesRun();
    expect(await camera.said()).toEqual([]);
    camera.world.clock.advance(10_000);
    await camera.orders.idle();
    expect(await camera.said()).toEqual([null]);
    for (let sensitivity = 20; sensitivity < 37; sensitivity++) camera.order({ action: 'sensitivity', sensitivity });
    // The seventeenth found sixteen waiting.
    expect(await camera.said()).toEqual([null, null]);
    camera.orders.abandon();
    expect(await camera.said()).toHaveLength(18);
    expect(camera.world.counters.get('answers.unsealed')).toBe(18);
    expect(camera.orders.standing.sensitivity).toBe(36);
    // Nothing comes twice.
    camera.world.clock.advance(20_000);
    await camera.orders.idle();
    expect(await camera.said()).toHaveLength(18);
  });

  it('is not given in the history of another claim', async () => {
    const camera = new InForceWorld(new PeriodWorld({ wrap: () => new Promise(() => undefined) }));
    await camera.world.start();
    camera.order({ action: 'sensitivity', sensitivity: 10 });
    const { world } = camera;
    world.claim = world.camera.claimV2(2, world.claim.hash);
    world.outbox.beginEpoch(world.claim, world.time(), world.camera.kemKeys);
    world.keeper.ownerChanged();
    await camera.orders.idle();
    expect(await camera.said()).toEqual([]);
    expect(world.counters.get('answers.claim-changed')).toBe(1);
  });

  it('goes without where sealing fails: the order is done all the same', async () => {
    const camera = await started();
    camera.isFaulty = true;
    expect(camera.order({ action: 'sensitivity', sensitivity: 10 })).toBe('accepted');
    expect(await camera.said()).toEqual([null]);
    expect(camera.world.counters.get('answers.unsealed')).toBe(1);
    camera.isFaulty = false;
    camera.order({ action: 'zones', zones: [] });
    expect(await camera.said()).toEqual([null, [10, []]]);
  });
});
