import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { beforeEach, describe, expect, it } from 'vitest';
import { topicFilter, topicOf } from '../../../protocol/transport/topics.js';
import { freePort } from '../../../scripts/free-port.js';
import { embedded, mosquitto, type TestBroker } from '../../support/engines/brokers.js';
import { GOOD, StubBroker, type StubAnswers } from '../../support/engines/stub-broker.js';
import { describeWith } from '../../support/engines/tools.js';
import { afterThisTest } from '../../support/runner/after-test.js';
import { tempFolder } from '../../support/runner/temp.js';
import { until } from '../../support/runner/wait.js';
import * as trial from '../../support/worlds/uplink-trial.js';
import { UplinkWorld } from '../../support/worlds/uplink-world.js';

const HOUR_MS = 3_600_000;
/** What fits and what does not, everywhere in this file. */
const LIMIT_BYTES = 5000;
const PICTURE_BYTES = 12_304;

let broker: StubBroker;
let camera: UplinkWorld;

const connect = (answers: StubAnswers): Promise<void> => trial.connect(broker, camera, answers);
const isUp = (packet: { readonly cmd: string }): boolean =>
  packet.cmd === 'publish' && 'topic' in packet && String(packet.topic).endsWith('/up');
const sizeOf = (packet: object): number => ('payload' in packet ? (packet.payload as Uint8Array).length : 0);

/** A broker with a cloud behind it, that answers an up message over the limit in its own way. */
function limited(onTooLarge: NonNullable<StubAnswers['publish']>, limitBytes = LIMIT_BYTES): StubAnswers {
  const good = camera.receipting();
  return {
    ...good,
    publish: (peer, packet) => {
      if (isUp(packet) && sizeOf(packet) > limitBytes) onTooLarge(peer, packet);
      else good.publish?.(peer, packet);
    },
  };
}

const announcing = (maximumPacketSize: number): StubAnswers => ({
  ...camera.receipting(),
  connect: (peer) => {
    peer.send({ cmd: 'connack', reasonCode: 0, sessionPresent: false, properties: { maximumPacketSize } });
  },
});

const tooLargePuback: NonNullable<StubAnswers['publish']> = (peer, { messageId = 0 }) => {
  // A PUBACK of Mosquitto, in its bytes: the codec of the stub does not know this reason there.
  peer.raw(Uint8Array.of(0x40, 0x03, messageId >> 8, messageId & 0xff, 0x95));
};

/** Advances the clock in small steps until a condition holds, at most to the first token of a backlog. */
async function passing(what: string, condition: () => boolean): Promise<void> {
  const stepMs = 500;
  for (let passedMs = 0; !condition(); passedMs += stepMs) {
    if (passedMs > 200_000) throw new Error(`after ${String(passedMs)} ms not so: ${what}`);
    await camera.pass(stepMs);
    // Answers of the cloud behind the broker.
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const queued = (): number => camera.queue.outbox.queued().records;
const warnings = (): number => camera.log.filter(({ code }) => code === 'broker-limit').length;

/** A later large limit: everything arrives whole, nothing was lost. */
async function expectAllWhole(): Promise<void> {
  await connect(camera.receipting());
  await passing('everything is receipted', () => queued() === 0);
  expect(camera.queue.outbox.totals()).toMatchObject({ queued: 0, lost: 0, quarantined: 0 });
  expect(camera.flushLosses()).toEqual([]);
}

beforeEach(async () => {
  broker = await StubBroker.start();
  camera = new UplinkWorld(`mqtt://127.0.0.1:${String(broker.port)}`);
});

describe('a picture that is too large for the broker', () => {
  it('CONNACK announces the limit: the record leaves without its picture, the others pass, and nothing is lost', async () => {
    await connect(announcing(LIMIT_BYTES));
    const seq = camera.appendPicture(PICTURE_BYTES);
    camera.append(5);
    await passing('the records behind it are receipted', () => queued() === 1);
    await until('the record came without its picture', () =>
      camera.received.some((one) => one.seq === seq && !one.isWhole),
    );
    expect(broker.received.filter((packet) => isUp(packet) && sizeOf(packet) > LIMIT_BYTES)).toEqual([]);
    expect(camera.uplink.status().waitingForReceipt).toBe(0);
    expect(warnings()).toBe(1);
    expect(camera.log.find(({ code }) => code === 'broker-limit')?.['hint']).toContain('max_packet_size');
    expect(camera.counters.get('uplink.oversize')).toBe(1);
    expect(camera.uplink.messageTargetBytes).toBeLessThan(LIMIT_BYTES);
    // Not sent again and again.
    await camera.pass(HOUR_MS / 20);
    camera.append();
    await passing('a later record is receipted', () => queued() === 1);
    expect(camera.received.filter((one) => one.seq === seq)).toHaveLength(1);
    expect(camera.uplink.drop()).toBe(true);
    await expectAllWhole();
    expect(camera.received.filter((one) => one.seq === seq).at(-1)?.isWhole).toBe(true);
  });

  it('more pictures than there are places in flight do not fill them', async () => {
    await connect(announcing(LIMIT_BYTES));
    for (let i = 0; i < 70; i++) camera.appendPicture(PICTURE_BYTES);
    camera.append(3);
    await passing('the records behind them are receipted', () => queued() === 70);
    await passing('each record came without its picture', () => camera.received.length >= 73);
    expect(camera.uplink.status().waitingForReceipt).toBe(0);
    expect(warnings()).toBe(1);
  });

  it('a PUBACK with 0x95 ends neither the connection nor the records behind it', async () => {
    await connect(limited(tooLargePuback));
    const seq = camera.appendPicture(PICTURE_BYTES);
    camera.append(5);
    await passing('the records behind it are receipted', () => queued() === 1);
    await passing('the record came without its picture', () =>
      camera.received.some((one) => one.seq === seq && !one.isWhole),
    );
    expect(broker.connections).toBe(1);
    expect(camera.uplink.isConnected).toBe(true);
    expect(broker.received.filter((packet) => isUp(packet) && sizeOf(packet) > LIMIT_BYTES)).toHaveLength(1);
    // A new message keeps to half of what was refused.
    expect(camera.uplink.messageTargetBytes).toBeLessThan((PICTURE_BYTES + 1000) / 2);
    // After an hour one is tried again, over the same connection.
    broker.answers = camera.receipting();
    await camera.waitForAnswers();
    camera.clock.advance(HOUR_MS);
    await passing('the picture is receipted', () => queued() === 0);
    expect(camera.uplink.messageTargetBytes).toBeNull();
    expect(broker.connections).toBe(1);
  });

  it('of several records in one message that is too large, each is sent alone', async () => {
    await connect(limited(tooLargePuback, 14_000));
    const seqs = [camera.appendPicture(PICTURE_BYTES), camera.appendPicture(PICTURE_BYTES)];
    // Both in one message: the second waits until the clock gives the next live token.
    await passing('both are receipted', () => queued() === 0);
    expect(camera.received.filter(({ seq }) => seqs.includes(seq)).every(({ isWhole }) => isWhole)).toBe(true);
  });

  it('a DISCONNECT with 0x95: after the next connection the records behind it pass', async () => {
    await connect(
      limited((peer) => {
        peer.send({ cmd: 'disconnect', reasonCode: 0x95 });
      }),
    );
    const seq = camera.appendPicture(PICTURE_BYTES);
    await trial.expectEnded(broker, camera, 'spread');
    camera.append(5);
    camera.passWait();
    await until('it is connected', () => camera.uplink.isConnected);
    await passing('the records behind it are receipted', () => queued() === 1);
    await passing('the record came without its picture', () =>
      camera.received.some((one) => one.seq === seq && !one.isWhole),
    );
    expect(broker.connections).toBe(2);
    expect(camera.uplink.isConnected).toBe(true);
  });

  it('MQTT 3.1.1, which closes without a word: after two ends the records behind it pass', async () => {
    const answers = limited((peer) => {
      peer.socket.destroy();
    });
    broker.answers = {
      ...answers,
      connect: (peer, packet) => {
        if (peer.protocol === 5) peer.send({ cmd: 'connack', reasonCode: 0x84, sessionPresent: false });
        else GOOD.connect?.(peer, packet);
      },
    };
    camera.appendPicture(PICTURE_BYTES);
    camera.append(5);
    for (let i = 0; queued() > 1; i++) {
      expect(i).toBeLessThan(5);
      camera.passWait();
      await until('it is connected', () => camera.uplink.isConnected);
      await passing('it is over, one way or the other', () => queued() === 1 || !camera.uplink.isConnected);
    }
    expect(camera.uplink.status().protocol).toBe(4);
    expect(warnings()).toBeGreaterThan(0);
  });

  it('MQTT 3.1.1, which acknowledges and drops: after three times without a receipt the record leaves bare', async () => {
    await connect(limited((peer, packet) => GOOD.publish?.(peer, packet)));
    const seq = camera.appendPicture(PICTURE_BYTES);
    for (let i = 0; !camera.received.some((one) => one.seq === seq); i++) {
      expect(i).toBeLessThan(20);
      camera.append();
      await passing('the small one is receipted', () => queued() === 1);
      await camera.pass(HOUR_MS / 12);
    }
    expect(camera.received.find((one) => one.seq === seq)?.isWhole).toBe(false);
    expect(camera.queue.outbox.totals().lost).toBe(0);
  });

  it('that still does not fit after a day is given up: a signed loss names it, and the record is receipted', async () => {
    await connect(announcing(LIMIT_BYTES));
    const seq = camera.appendPicture(PICTURE_BYTES);
    const id = camera.queue.outbox.find({ epoch: 1, seq });
    await passing('the record came without its picture', () => camera.received.length === 1);
    await camera.waitForAnswers();
    camera.clock.advance(24 * HOUR_MS - 60_000);
    expect(camera.flushLosses()).toEqual([]);
    camera.clock.advance(60_000);
    const [loss] = camera.flushLosses();
    expect(loss).toMatchObject({ reason: 'too-large' });
    expect(loss?.media).toHaveLength(1);
    expect(id?.media).toHaveLength(1);
    await passing('gap and record are receipted', () => queued() === 0);
    // The picture is lost, the record is not.
    expect(camera.queue.outbox.totals()).toMatchObject({ lost: 0, queued: 0 });
    expect(camera.counters.get('uplink.oversize-given-up')).toBe(1);
    // One line for the limit, one for the loss.
    expect(warnings()).toBe(2);
  });

  it('a record that is too large by itself is held as well, and then named by its seq', async () => {
    await connect(announcing(LIMIT_BYTES));
    const loss = Array.from({ length: 32 }, () => ({
      reason: 'failed' as const,
      media: Array.from({ length: 12 }, (_, i) => new Uint8Array(16).fill(i)),
    }));
    const made = camera.queue.outbox.append({ kind: 'gap', time: camera.world.time(1), loss });
    camera.uplink.recordsAppended(1);
    camera.append(2);
    await passing('the records behind it are receipted', () => queued() === 1);
    expect(camera.flushLosses()).toEqual([]);
    await camera.waitForAnswers();
    camera.clock.advance(24 * HOUR_MS);
    const seq = made?.value.seq ?? 0;
    expect(camera.flushLosses()).toEqual([{ reason: 'too-large', seqs: [seq, seq] }]);
    expect(camera.queue.outbox.totals().lost).toBe(1);
  });
});

describeWith('mosquitto', 'real brokers', () => {
  /** Starts a broker, and a cloud behind it that signs receipts. */
  async function start(broker: TestBroker, world: UplinkWorld): Promise<void> {
    await broker.start();
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${String(broker.port)}`, {
      protocolVersion: 4,
      username: broker.cloudUser,
      ...(broker.cloudPassword === '' ? {} : { password: broker.cloudPassword }),
    });
    afterThisTest(async () => {
      client.end(true);
      await broker.stop();
    });
    client.on('message', (_, payload) => {
      const answer = world.answerOf(new Uint8Array(payload));
      if (answer !== null) client.publish(topicOf(world.world.deviceId, 'down'), Buffer.from(answer), { qos: 1 });
    });
    await client.subscribeAsync(topicFilter('up'), { qos: 1 });
  }

  const over = (option: string) => (folder: string, port: number) => {
    const made = mosquitto(folder, port, null);
    appendFileSync(join(folder, 'mosquitto.conf'), `${option} ${String(LIMIT_BYTES)}\n`);
    return made;
  };

  it.each([
    ['max_packet_size', 5, over('max_packet_size')],
    ['message_size_limit', 5, over('message_size_limit')],
    ['max_packet_size', 4, over('max_packet_size')],
    ['message_size_limit', 4, over('message_size_limit')],
  ] as const)('Mosquitto with %s over MQTT %i', async (_, protocol, make) => {
    const port = await freePort();
    const made = make(tempFolder(), port);
    camera = new UplinkWorld(`mqtt://127.0.0.1:${String(port)}`, {}, {}, protocol);
    await start(made, camera);
    const seq = camera.appendPicture(PICTURE_BYTES);
    for (let i = 0; !camera.received.some((one) => one.seq === seq && !one.isWhole); i++) {
      expect(i).toBeLessThan(20);
      if (!camera.uplink.isConnected) camera.passWait();
      await until(
        'an attempt is over',
        () => camera.uplink.isConnected || camera.uplink.status().nextAttemptMs !== null,
      );
      camera.append();
      await passing('it is receipted, or the connection is lost', () => queued() === 1 || !camera.uplink.isConnected);
      if (camera.uplink.isConnected) await camera.pass(HOUR_MS / 12);
    }
    expect(camera.uplink.status().protocol).toBe(protocol);
    expect(camera.queue.outbox.totals().lost).toBe(0);
    expect(warnings()).toBeGreaterThan(0);
  });

  it('the embedded broker takes the largest message of the protocol', async () => {
    const port = await freePort();
    camera = new UplinkWorld(`mqtt://127.0.0.1:${String(port)}`, {}, {}, 4);
    await start(embedded(tempFolder(), port), camera);
    camera.appendPicture(96 * 1024 - 400);
    camera.passWait();
    await until('it is connected', () => camera.uplink.isConnected);
    await passing('it is receipted', () => queued() === 0);
    expect(camera.received.every(({ isWhole }) => isWhole)).toBe(true);
    expect(warnings()).toBe(0);
  });
});
