import type { IncomingMessage } from 'node:http';
import type { MqttClient } from 'mqtt';
import { realClock } from '../../../common/adapters/real-clock.js';
import { sleep } from '../../../common/clock.js';
import { toHex } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Claim, Recipient } from '../../../protocol/objects/claim.js';
import { receiptKind } from '../../../protocol/objects/receipt.js';
import { openSigned, type Verified } from '../../../protocol/objects/signed-object.js';
import { decodeDown, encodeUp } from '../../../protocol/transport/messages.js';
import { topicOf } from '../../../protocol/transport/topics.js';
import { Patience, slowness } from '../../support/runner/speed.js';
import type { CameraWorld } from '../../support/worlds/camera-world.js';
import type { Site } from './site.js';
import { ask, connectCamera, open, openSession } from './wire.js';

const ADDRESS = '127.0.0.1';
/** Records whose receipts are waited for, one after the other. */
export const RECEIPTS = 30;
const LISTS = 5;
const DELIVERIES = 10;
/** A probe that takes longer on an idle machine counts as not delivered. */
const PROBE_TIMEOUT_MS = 60_000;
const POLL_MS = 1;
/** Reading the machine's load takes time, which a short wait must not be measured with. */
const LOOK_EVERY_MS = 200;

export interface Measured {
  readonly ms: number;
  readonly isDelivered: boolean;
}

/** What an owner waits for. */
export type Probe = 'receipts' | 'cameras' | 'stream';
export const PROBES: readonly Probe[] = ['receipts', 'cameras', 'stream'];

/** An honest owner with one camera, the page open: a claimed camera, a session and a stream of records. */
export class Honest {
  readonly world: CameraWorld;
  private readonly site: Site;
  private readonly claim: Verified<Claim>;
  private readonly camera: MqttClient;
  private readonly token: string;
  private last: { readonly seq: number; readonly hash: Uint8Array };
  private receiptedTo = -1;
  private streamedTo = -1;
  private stream: IncomingMessage | null = null;

  private constructor(parts: Pick<HonestParts, 'site' | 'world' | 'claim' | 'camera' | 'token'>) {
    ({ site: this.site, world: this.world, claim: this.claim, camera: this.camera, token: this.token } = parts);
    this.last = { seq: -1, hash: this.claim.hash };
  }

  /** Claims the camera, for these members too, and opens the stream. @throws Error where the quiet cloud does not answer */
  static async begin(site: Site, world: CameraWorld, members: readonly Recipient[] = []): Promise<Honest> {
    const claim = world.claim(1, null, {
      receiptKeys: [...site.receiptKeys],
      recipients: [world.recipient, ...members],
    });
    const camera = await connectCamera(site.ports.broker, ADDRESS, world.deviceId);
    const token = await openSession(site.ports.http, ADDRESS, world.owner);
    if (token === null) throw new Error('the owner gets no session');
    const honest = new Honest({ site, world, claim, camera, token });
    camera.on('message', (_, payload) => {
      honest.applyDown(new Uint8Array(payload));
    });
    await camera.subscribeAsync(topicOf(world.deviceId, 'down'), { qos: 1 });
    await honest.sendAccept();
    await honest.openStream();
    return honest;
  }

  /** Measures one probe. Never throws. */
  async measure(probe: Probe): Promise<Measured> {
    const startedMs = realClock.monotonicMs();
    const work = { receipts: () => this.receipts(), cameras: () => this.cameras(), stream: () => this.deliveries() };
    const isDelivered = await work[probe]().catch(() => false);
    return { ms: realClock.monotonicMs() - startedMs, isDelivered };
  }

  stop(): void {
    this.stream?.destroy();
    this.camera.end(true);
  }

  private async receipts(): Promise<boolean> {
    for (let i = 0; i < RECEIPTS; i++) {
      const seq = this.sendRecord();
      if (!(await untilTrue(() => this.receiptedTo >= seq))) return false;
    }
    return true;
  }

  private async cameras(): Promise<boolean> {
    const { http: port } = this.site.ports;
    for (let i = 0; i < LISTS; i++) {
      const answer = await ask({ port, from: ADDRESS, method: 'GET', path: '/v1/cameras', token: this.token });
      if (answer.status !== 200 || !answer.text.includes(toHex(this.world.deviceId))) return false;
    }
    return true;
  }

  private async deliveries(): Promise<boolean> {
    for (let i = 0; i < DELIVERIES; i++) {
      const seq = this.sendRecord();
      if (!(await untilTrue(() => this.streamedTo >= seq))) return false;
    }
    return true;
  }

  private sendRecord(): number {
    const seq = this.last.seq + 1;
    const record = this.world.record(this.claim, seq, this.last.hash, { kind: 'scene', scene: { class: 'stall' } });
    this.last = { seq, hash: record.hash };
    this.sendUp(encodeUp({ type: 'records', records: [{ record: record.bytes, media: [] }] }));
    return seq;
  }

  private async sendAccept(): Promise<void> {
    const accept = this.world.record(this.claim, 0, this.claim.hash, { kind: 'accept' });
    this.last = { seq: 0, hash: accept.hash };
    this.sendUp(encodeUp({ type: 'accept', claim: this.claim.bytes, record: accept.bytes }));
    if (!(await untilTrue(() => this.receiptedTo >= 0))) throw new Error('the honest camera gets no receipt');
  }

  private sendUp(payload: Uint8Array): void {
    this.camera.publish(topicOf(this.world.deviceId, 'up'), Buffer.from(payload), { qos: 1 }, () => undefined);
  }

  private applyDown(payload: Uint8Array): void {
    const message = decodeDown(payload);
    if (message.type !== 'receipt') return;
    for (const [, to] of openSigned(receiptKind, nodeSuite, message.receipt).value.ranges) {
      this.receiptedTo = Math.max(this.receiptedTo, to);
    }
  }

  private async openStream(): Promise<void> {
    const { http: port } = this.site.ports;
    const request = open({ port, from: ADDRESS, method: 'GET', path: '/v1/stream', token: this.token });
    let isReady = false;
    request.on('error', () => undefined);
    request.once('response', (response) => {
      this.stream = response;
      response.setEncoding('utf8');
      response.on('error', () => undefined);
      let rest = '';
      response.on('data', (text: string) => {
        const events = (rest + text).split('\n\n');
        rest = events.pop() ?? '';
        for (const event of events) {
          if (event.includes('event: ready')) isReady = true;
          const data = /^event: record$/m.test(event) ? /^data: (.*)$/m.exec(event)?.[1] : undefined;
          if (data === undefined) continue;
          const { device, seq } = JSON.parse(data) as { readonly device: string; readonly seq: number };
          if (device === toHex(this.world.deviceId)) this.streamedTo = Math.max(this.streamedTo, seq);
        }
      });
    });
    if (!(await untilTrue(() => isReady))) throw new Error('the honest stream does not open');
  }
}

interface HonestParts {
  site: Site;
  world: CameraWorld;
  claim: Verified<Claim>;
  camera: MqttClient;
  token: string;
}

/** Waits for a condition, as a client does; false where it takes too long. */
async function untilTrue(isTrue: () => boolean): Promise<boolean> {
  const patience = new Patience(PROBE_TIMEOUT_MS, realClock.monotonicMs());
  let lookAtMs = realClock.monotonicMs() + LOOK_EVERY_MS;
  while (!isTrue()) {
    const nowMs = realClock.monotonicMs();
    if (nowMs >= lookAtMs) {
      if (!patience.wait(nowMs, slowness())) return false;
      lookAtMs = nowMs + LOOK_EVERY_MS;
    }
    await sleep(realClock, POLL_MS);
  }
  return true;
}
