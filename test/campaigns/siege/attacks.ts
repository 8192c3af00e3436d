import { connect, type Socket } from 'node:net';
import type { ClientRequest } from 'node:http';
import type { MqttClient } from 'mqtt';
import { realClock } from '../../../common/adapters/real-clock.js';
import { sleep } from '../../../common/clock.js';
import { toHex } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import type { Claim, Recipient } from '../../../protocol/objects/claim.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { LIMITS } from '../../../common/limits.js';
import { decodeDown, encodeUp } from '../../../protocol/transport/messages.js';
import { topicOf } from '../../../protocol/transport/topics.js';
import { inParallel } from '../../../scripts/in-parallel.js';
import { limitMs } from '../../support/runner/speed.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { addressOf, ask, connectCamera, open, openSession, type Ports } from './wire.js';

export const ATTACKS = ['streams', 'epochs', 'slow-bodies', 'flood', 'member'] as const;
export type AttackName = (typeof ATTACKS)[number];

export interface AttackSetup {
  readonly attack: AttackName;
  readonly ports: Ports;
  readonly receiptKeys: readonly Uint8Array[];
  /** Keys and addresses, one of each for every attacker. */
  readonly attackers: number;
  /** Streams, epochs or slow bodies in all. */
  readonly count: number;
  /** Messages or requests of one attacker in a second, for the attacks that go on. */
  readonly perSecond: number;
  /** The owner whose page is to become slow, as anybody can name it. */
  readonly victim: Recipient;
  /** Ed25519 seeds of the members, and the device of each: `member` only. */
  readonly members: readonly { readonly seed: Uint8Array; readonly device: Uint8Array }[];
}

/** One attack. `step` is called every few milliseconds while it is on; everything it opened ends with `stop`. */
export interface Attack {
  readonly prepare: () => Promise<void>;
  readonly step: () => void;
  readonly stop: () => void;
  /** Attempts that the cloud did not take so far. */
  readonly refused: () => number;
}

/** Attempts made at the same time. */
const WIDTH = 25;
/** How long an attacker waits for a receipt, on an idle machine, before it counts as refused. */
const RECEIPT_WAIT_MS = 3000;
/** Between two attempts to open again what the cloud ended, and between two bytes of a slow body. */
const RETRY_MS = 1000;
const FLOOD_RECORDS = LIMITS.messageRecordsMax;

export function attackOf(setup: AttackSetup): Attack {
  switch (setup.attack) {
    case 'streams':
      return streams(setup);
    case 'epochs':
      return epochs(setup);
    case 'slow-bodies':
      return slowBodies(setup);
    case 'flood':
      return flood(setup);
    case 'member':
      return askForOffers(setup);
  }
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** Runs something at most once in `everyMs`. */
function every(everyMs: number, work: () => void): () => void {
  let lastMs = -Infinity;
  return () => {
    const nowMs = realClock.monotonicMs();
    if (nowMs - lastMs < everyMs) return;
    lastMs = nowMs;
    work();
  };
}

/** Idle streams of strangers: each costs the cloud a look at every record of everybody. */
function streams({ ports, attackers, count }: AttackSetup): Attack {
  const tokens: (string | null)[] = [];
  const slots: (ClientRequest | null)[] = Array.from({ length: count }, () => null);
  let refused = 0;
  let isOver = false;
  const openSlot = (slot: number): Promise<void> =>
    new Promise((resolve) => {
      const token = tokens[slot % attackers];
      if (isOver || token === null || token === undefined) {
        refused++;
        resolve();
        return;
      }
      const request = open({
        port: ports.http,
        from: addressOf(slot % attackers),
        method: 'GET',
        path: '/v1/stream',
        token,
      });
      slots[slot] = request;
      const lose = (): void => {
        if (slots[slot] === request) refused++;
        slots[slot] = null;
        resolve();
      };
      request.once('response', (response) => {
        response.on('error', lose);
        response.once('close', lose);
        response.resume();
        if (response.statusCode !== 200) request.destroy();
        resolve();
      });
      request.once('error', lose);
      request.once('close', lose);
    });
  return {
    prepare: async () => {
      await inParallel(range(attackers), WIDTH, async (i) => {
        const signer = new CameraWorld().owner;
        tokens[i] = await openSession(ports.http, addressOf(i), signer).catch(() => null);
      });
      await inParallel(range(count), WIDTH, openSlot);
    },
    // One attempt of each attacker, so that refusals are tried again without becoming another attack.
    step: every(RETRY_MS, () => {
      const free = new Map<number, number>();
      for (const [slot, request] of slots.entries()) if (request === null) free.set(slot % attackers, slot);
      for (const slot of free.values()) void openSlot(slot);
    }),
    stop: () => {
      isOver = true;
      for (const request of slots) request?.destroy();
    },
    refused: () => refused,
  };
}

/** A camera of an attacker, claimed by its own key. */
class RogueCamera {
  readonly world = new CameraWorld();
  client: MqttClient | null = null;
  receipts = 0;
  /** The claim that it accepted last. */
  claim: Verified<Claim> | null = null;

  async connect(port: number, from: string): Promise<boolean> {
    const client = await connectCamera(port, from, this.world.deviceId).catch(() => null);
    if (client === null) return false;
    this.client = client;
    client.on('message', (_, payload) => {
      if (decodeDown(new Uint8Array(payload)).type === 'receipt') this.receipts++;
    });
    await client.subscribeAsync(topicOf(this.world.deviceId, 'down'), { qos: 1 });
    return true;
  }

  /** Accepts its own claim of an epoch. Returns whether a receipt came. */
  async accept(epoch: number, receiptKeys: readonly Uint8Array[], members: readonly Recipient[]): Promise<boolean> {
    const { world, client, receipts } = this;
    const claim = world.claim(epoch, this.claim?.hash ?? null, {
      receiptKeys: [...receiptKeys],
      recipients: [world.recipient, ...members],
    });
    const record = world.record(claim, 0, claim.hash, { kind: 'accept' });
    const message = encodeUp({ type: 'accept', claim: claim.bytes, record: record.bytes });
    client?.publish(topicOf(world.deviceId, 'up'), Buffer.from(message), { qos: 1 }, () => undefined);
    const endMs = realClock.monotonicMs() + limitMs(RECEIPT_WAIT_MS);
    while (this.receipts === receipts && realClock.monotonicMs() < endMs) await sleep(realClock, 2);
    if (this.receipts > receipts) this.claim = claim;
    return this.receipts > receipts;
  }

  /** A message as large and as costly as one may be without a picture. */
  fullMessage(): Buffer {
    const { world } = this;
    const claim = this.claim ?? world.claim();
    const record = world.record(claim, 1, claim.hash, { kind: 'scene', scene: { class: 'stall' } });
    const records = Array.from({ length: FLOOD_RECORDS }, () => ({ record: record.bytes, media: [] }));
    return Buffer.from(encodeUp({ type: 'records', records }));
  }
}

/** Epochs of the attackers' own cameras, each of which names the victim as a member. */
function epochs({ ports, receiptKeys, attackers, count, victim }: AttackSetup): Attack {
  const cameras = range(attackers).map(() => new RogueCamera());
  let refused = 0;
  const own = Math.ceil(count / attackers);
  return {
    prepare: () =>
      inParallel([...cameras.entries()], WIDTH, async ([i, camera]) => {
        if (!(await camera.connect(ports.broker, addressOf(i)))) {
          refused += own;
          return;
        }
        for (let epoch = 1; epoch <= own; epoch++) {
          if (await camera.accept(epoch, receiptKeys, [victim])) continue;
          refused += own + 1 - epoch;
          return;
        }
      }),
    step: () => undefined,
    stop: () => {
      for (const { client } of cameras) client?.end(true);
    },
    refused: () => refused,
  };
}

/** Requests whose bodies come a byte at a time. */
function slowBodies({ ports, attackers, count }: AttackSetup): Attack {
  const sockets: (Socket | null)[] = Array.from({ length: count }, () => null);
  let refused = 0;
  let isOver = false;
  const start = (slot: number): void => {
    const socket = connect({ port: ports.http, host: '127.0.0.1', localAddress: addressOf(slot % attackers) });
    sockets[slot] = socket;
    socket.on('error', () => undefined);
    socket.resume();
    socket.once('close', () => {
      sockets[slot] = null;
      if (!isOver) refused++;
    });
    socket.write(
      'POST /v1/session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n{',
    );
  };
  return {
    prepare: () => {
      for (const slot of sockets.keys()) start(slot);
      return Promise.resolve();
    },
    step: every(RETRY_MS, () => {
      for (const [slot, socket] of sockets.entries()) {
        if (socket === null) start(slot);
        else if (socket.writable) socket.write(' ');
      }
    }),
    stop: () => {
      isOver = true;
      for (const socket of sockets) socket?.destroy();
    },
    refused: () => refused,
  };
}

/** Cameras that send full messages without waiting for receipts. */
function flood({ ports, receiptKeys, attackers, perSecond }: AttackSetup): Attack {
  const cameras = range(attackers).map(() => new RogueCamera());
  const messages = new Map<RogueCamera, Buffer>();
  let refused = 0;
  let sentAtMs = realClock.monotonicMs();
  return {
    prepare: () =>
      inParallel([...cameras.entries()], WIDTH, async ([i, camera]) => {
        if (!(await camera.connect(ports.broker, addressOf(i))) || !(await camera.accept(1, receiptKeys, []))) {
          refused++;
          return;
        }
        messages.set(camera, camera.fullMessage());
      }),
    step: () => {
      const nowMs = realClock.monotonicMs();
      // After a pause the flood goes on at its rate, and does not make up for the pause.
      const due = Math.floor((Math.min(100, nowMs - sentAtMs) * perSecond) / 1000);
      if (due === 0) return;
      sentAtMs = nowMs;
      for (const [{ client, world }, message] of messages) {
        for (let i = 0; i < due; i++) {
          // The broker does not read: what is not written now was refused.
          if (client?.connected !== true || client.stream.writableNeedDrain) refused++;
          else client.publish(topicOf(world.deviceId, 'up'), message, { qos: 0 }, () => undefined);
        }
      }
    },
    stop: () => {
      for (const { client } of cameras) client?.end(true);
    },
    refused: () => refused,
  };
}

/** Members of the victim's cameras who ask for offers without end: each makes the camera sign one. */
function askForOffers({ ports, members, perSecond }: AttackSetup): Attack {
  const sessions: { readonly from: string; readonly token: string; readonly device: Uint8Array }[] = [];
  let refused = 0;
  let open = 0;
  const signerOf = (seed: Uint8Array): Signer => nodeSuite.ed25519Signer(seed);
  return {
    prepare: () =>
      inParallel([...members.entries()], WIDTH, async ([i, { seed, device }]) => {
        const from = addressOf(i);
        const token = await openSession(ports.http, from, signerOf(seed)).catch(() => null);
        if (token === null) refused++;
        else sessions.push({ from, token, device });
      }),
    step: every(1000 / perSecond, () => {
      for (const { from, token, device } of sessions) {
        // Bounded: a cloud that answers slowly is not sent more and more.
        if (open >= 4 * sessions.length) return;
        open++;
        const path = `/v1/devices/${toHex(device)}/offer-request`;
        ask({ port: ports.http, from, method: 'POST', path, token, body: {} })
          .then(({ status }) => {
            if (status !== 202) refused++;
          })
          .catch(() => {
            refused++;
          })
          .finally(() => {
            open--;
          });
      }
    }),
    stop: () => {
      sessions.length = 0;
    },
    refused: () => refused,
  };
}
