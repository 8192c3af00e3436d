import { describe, expect, it } from 'vitest';
import { Answers } from '../../../../app/core/answers.js';
import { cameraViewOf, applyHealthReport, newCameraState } from '../../../../app/core/camera-state.js';
import type { CloudClient } from '../../../../app/core/cloud-client.js';
import { HistoryKeeper } from '../../../../app/core/history-keeper.js';
import { Orders } from '../../../../app/core/orders.js';
import { ownerKeys, recipientOf, type OwnerKeys } from '../../../../app/core/owner-keys.js';
import { MemoryStorage } from '../../../../app/core/storage.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { VERSION } from '../../../../common/version.js';
import { agentName } from '../../../../protocol/objects/agent-name.js';
import type { AnyClaim } from '../../../../protocol/objects/claim.js';
import { anyCommandKind, type AnyCommand } from '../../../../protocol/objects/command.js';
import { kemHash } from '../../../../protocol/objects/kem-keys.js';
import type { AnyRecord, RecordHealth } from '../../../../protocol/objects/record.js';
import { openSigned, type Verified } from '../../../../protocol/objects/signed-object.js';
import { checkOrder } from '../../../../protocol/verify/orders.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { kemKeyOf, newPerson, SealingCamera } from '../../../support/worlds/sealing-camera.js';

/** An owner's page in an epoch of either version, with what the camera answered before. */
async function pageIn(version: 1 | 2, keys: OwnerKeys) {
  const clock = new VirtualClock();
  const kemHashOf = (): Promise<Uint8Array> => Promise.resolve(kemHash(nodeSuite, kemKeyOf(keys)));
  const history = new HistoryKeeper(nodeSuite, new MemoryStorage(), recipientOf(keys), { kemHash: kemHashOf });
  const sealing = new SealingCamera([keys]);
  const plain = sealing.world.claim();
  const claim: Verified<AnyClaim> = version === 2 ? sealing.claim : plain;
  const [accept] = version === 2 ? sealing.records : sealing.world.chain(plain, 0);
  await history.addClaim(claim.bytes);
  await history.verifyAndApply(accept?.bytes ?? new Uint8Array(0), 1);
  const answers = new Answers();
  const sent: Verified<AnyCommand>[] = [];
  const client: Partial<CloudClient> = {
    sendCommand: (_device, bytes) => {
      const order = openSigned(anyCommandKind, nodeSuite, bytes);
      sent.push(order);
      const { device, epoch } = claim.value;
      answers.addAnswer(answer(device, epoch, { result: 'done', action: 'snapshot', object: order.hash }));
      return Promise.resolve({ online: true });
    },
  };
  const orders = new Orders({
    suite: nodeSuite,
    clock,
    keys,
    client: client as CloudClient,
    history,
    answers,
    refresh: () => Promise.resolve(),
  });
  const { device, epoch } = claim.value;
  return {
    claim,
    clock,
    /** Lets the camera answer that it accepted a counter; in version 2 that of a signer. */
    accepted: (counter: number, signer: Uint8Array) => {
      const named = version === 2 ? { signer } : {};
      const command = { result: 'done', action: 'snapshot', object: realRandom.bytes(32), counter, ...named } as const;
      answers.addAnswer({ ...answer(device, epoch, command), ...(version === 2 ? { version } : {}) });
    },
    /** Gives an order, and returns it as the camera receives it. */
    order: async (): Promise<Verified<AnyCommand>> => {
      const hex = Buffer.from(device).toString('hex');
      await orders.send(hex, epoch, { action: 'privacy', privacy: true });
      const order = sent.at(-1);
      if (order === undefined) throw new Error('nothing was sent');
      return order;
    },
  };
}

type Command = Omit<NonNullable<AnyRecord['command']>, 'source'>;

function answer(device: Uint8Array, epoch: number, command: Command): AnyRecord {
  const time = { boot: new Uint8Array(16), monotonicMs: 0, wallMs: null, quality: 'unset' } as const;
  const chain = { account: new Uint8Array(16), claimHash: new Uint8Array(32), seq: 1, prev: new Uint8Array(32) };
  return { kind: 'command', device, epoch, time, ...chain, command: { source: 'owner', ...command } };
}

describe('orders', () => {
  it.each([1, 2] as const)('are of the version of their epoch, here %i, and name a recent record', async (version) => {
    const page = await pageIn(version, newPerson());
    const order = await page.order();
    expect(order.value.version ?? 1).toBe(version);
    expect(order.value.recent?.[0]).toBe(0);
    // As the camera checks it.
    checkOrder(order, page.claim);
  });

  it('exceed the own last counter in version 2, whatever other browsers count, and that of all in version 1', async () => {
    const keys = newPerson();
    const other = newPerson().signer.publicKey;
    for (const version of [1, 2] as const) {
      const page = await pageIn(version, keys);
      const wallMs = page.clock.wallMs();
      // Another browser's clock is a day ahead, the own one was a second ahead.
      page.accepted(wallMs + 86_400_000, other);
      page.accepted(wallMs + 1000, keys.signer.publicKey);
      const { counter } = (await page.order()).value;
      expect(counter).toBe(version === 2 ? wallMs + 1001 : wallMs + 86_400_001);
    }
  });

  it('have the time as counter where the own last one is older', async () => {
    const keys = ownerKeys(nodeSuite, realRandom.bytes(32));
    const page = await pageIn(2, keys);
    page.accepted(5, keys.signer.publicKey);
    expect((await page.order()).value.counter).toBe(page.clock.wallMs());
  });
});

describe('a camera that could do more than its ownership says', () => {
  it('is marked: its agent takes version 2, and the claim is of version 1', async () => {
    const owner = newPerson();
    const seen: string[] = [];
    for (const version of [1, 2] as const) {
      for (const agent of ['0.1.0', agentName(VERSION)]) {
        const world = new CameraWorld({ owner: owner.signer, ownerSecret: owner.recipient.secret });
        const claim: Verified<AnyClaim> = version === 2 ? new SealingCamera([owner], {}, world).claim : world.claim();
        const kemHashOf = (): Promise<Uint8Array> => Promise.resolve(kemHash(nodeSuite, kemKeyOf(owner)));
        const history = new HistoryKeeper(nodeSuite, new MemoryStorage(), recipientOf(owner), { kemHash: kemHashOf });
        await history.addClaim(claim.bytes);
        const camera = newCameraState(world.deviceId, 1);
        const health = { agent } as RecordHealth;
        applyHealthReport(camera, { ...answer(world.deviceId, 1, { result: 'done', action: 'snapshot' }), health }, 1);
        if (cameraViewOf(camera, history).isVersionHidden) seen.push(`${agent} in version ${String(version)}`);
      }
    }
    expect(seen).toEqual([`${agentName(VERSION)} in version 1`]);
  });
});
