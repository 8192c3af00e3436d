import mqtt from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { realClock } from '../../../common/adapters/real-clock.js';
import { fromHex } from '../../../common/bytes.js';
import { MockKeyStore } from '../../../hal/mock/key-store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { anyRecordKind } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import { encodeUp } from '../../../protocol/transport/messages.js';
import { embedded, mosquitto, type TestBroker } from '../../support/engines/brokers.js';
import { BUSY, QUIET } from '../../support/worlds/test-agent.js';
import { describeWith } from '../../support/engines/tools.js';
import { until } from '../../support/runner/wait.js';
import { seqsOf, WholeWay } from '../../support/worlds/whole-way.js';
import { limitMs } from '../../support/runner/speed.js';

/** Tests of agent and cloud over one broker; the same tests run with each broker. */
function wholeWay(make: (folder: string, port: number) => TestBroker): void {
  let way: WholeWay;

  beforeEach(async () => {
    way = await WholeWay.prepare(make);
  });

  afterEach(() => way.stopAll());

  it('brings an event from a frame to its owner: claimed, recorded, receipted, verified and opened', async () => {
    await way.broker.start();
    const cloud = await way.startCloud();
    const camera = way.startAgent('a');
    const { watcher, opened } = way.watch(cloud);
    expect(await watcher.claim(camera.code)).toBe(camera.device);
    await until('two events are opened', () => opened.length >= 2);
    expect(opened.every(({ event, jpegBytes }) => event.verdict === 'intact' && jpegBytes > 1000)).toBe(true);
    expect(watcher.alarms()).toBe(0);
    await until('every record has a receipt', () => camera.agent.outbox.queued().records === 0);
    const { produced, receipted, lost, quarantined } = camera.agent.outbox.totals();
    expect({ lost, quarantined, receipted }).toEqual({ lost: 0, quarantined: 0, receipted: produced });
    expect(camera.agent.uplink.status().protocol).toBe(way.broker.protocol);
    expect(camera.indicator.shown).toContain('recording');
    // Every record of the epoch is there once, in one chain.
    const seqs = await seqsOf(cloud, camera.device);
    expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, i) => i));
    // Nothing went wrong at the camera.
    expect(camera.log.some(({ level }) => level === 'error')).toBe(false);
  });

  it('an unclaimed camera sends only its offer', async () => {
    await way.broker.start();
    const received: string[] = [];
    const cloud = await way.startCloud();
    const spy = way.asCloud();
    await spy.subscribeAsync('sealcam/v1/#');
    spy.on('message', (topic) => received.push(topic.split('/')[3] ?? ''));
    const camera = way.startAgent('a');
    await until('the camera detects events', () => camera.agent.counters.get('events.unclaimed') >= 2);
    await until('the cloud greeted it', () => received.includes('down'));
    expect(new Set(received)).toEqual(new Set(['up', 'status', 'down']));
    // Once greeted it offers version 2 as well.
    const { counters } = cloud.cloud;
    await until('its offers arrived', () => counters.get('offers') === received.filter((leaf) => leaf === 'up').length);
    expect(counters.get('offers')).toBeLessThanOrEqual(2);
    expect(counters.get('down.hello')).toBe(1);
    expect(camera.agent.outbox.queued().records).toBe(0);
  });

  it('keeps events on the disk while there is no broker, and sends all of them later', async () => {
    await way.broker.start();
    const cloud = await way.startCloud();
    const keyStore = new MockKeyStore();
    const first = way.startAgent('a', QUIET, keyStore);
    const { watcher, opened } = way.watch(cloud);
    await watcher.claim(first.code);
    await until('the accept has a receipt', () => first.agent.outbox.queued().records === 0);
    await way.stop(first.agent);
    await way.stop(cloud);
    await way.broker.stop();

    const camera = way.startAgent('a', BUSY, keyStore);
    await until('an event waits', () => camera.agent.counters.get('events.end') >= 1);
    expect(camera.agent.outbox.queued().records).toBeGreaterThan(1);
    expect(opened).toEqual([]);
    const waiting = camera.agent.outbox.totals().produced;
    await way.broker.start();
    const again = await way.startCloud();
    await until('events are opened', () => opened.length >= 2, 30_000);
    await until('the waiting records have receipts', () => camera.agent.outbox.totals().receipted >= waiting, 30_000);
    await until('the outbox is empty', () => camera.agent.outbox.queued().records === 0);
    const seqs = await seqsOf(again, camera.device);
    expect(seqs.slice(0, waiting)).toEqual(Array.from({ length: waiting }, (_, i) => i));
    expect(camera.agent.outbox.totals()).toMatchObject({ lost: 0, quarantined: 0, queued: 0 });
    expect(watcher.alarms()).toBe(0);
  });

  it('counts noise, forged and foreign messages at both ends, and acts on none of them', async () => {
    await way.broker.start();
    const cloud = await way.startCloud();
    const camera = way.startAgent('a', QUIET);
    const other = way.startAgent('b', QUIET);
    const { watcher } = way.watch(cloud);
    await watcher.claim(camera.code);
    const attacker = way.asCloud();
    await new Promise((resolve) => attacker.once('connect', resolve));
    const down = `sealcam/v1/${camera.device}/down`;
    for (const payload of [
      Buffer.alloc(0),
      Buffer.from('noise'),
      Buffer.alloc(20_000, 0x81),
      Buffer.from([0x82, 1, 0x41, 0]),
    ]) {
      await attacker.publishAsync(down, payload, { qos: 1 });
      await attacker.publishAsync(`sealcam/v1/${camera.device}/up`, payload, { qos: 1 });
    }
    const [record] = await cloud.store.records.page(fromHex(camera.device, 32) ?? new Uint8Array(32), 1, 1e9, 1);
    const foreign = encodeUp({ type: 'records', records: [{ record: record?.bytes ?? new Uint8Array(0), media: [] }] });
    await attacker.publishAsync(`sealcam/v1/${other.device}/up`, Buffer.from(foreign), { qos: 1 });
    await until(
      'the cloud counted them',
      () => cloud.cloud.counters.get('refused.foreign') === 1 && cloud.cloud.counters.get('refused.malformed') >= 3,
    );
    await until('the camera counted them', () => camera.agent.counters.get('down.malformed') >= 3);
    expect(camera.agent.uplink.isConnected).toBe(true);
    expect(camera.agent.outbox.totals().lost).toBe(0);
  });

  it('lets a device read and publish only on its own topics', async () => {
    await way.broker.start();
    const cloud = await way.startCloud();
    const camera = way.startAgent('a', QUIET);
    const { watcher } = way.watch(cloud);
    const received: string[] = [];
    const intruder = mqtt.connect(`mqtt://127.0.0.1:${String(way.broker.port)}`, {
      protocolVersion: way.broker.protocol,
      username: 'ab'.repeat(32),
      clientId: 'ab'.repeat(32),
      reconnectPeriod: 0,
    });
    way.keep({ stop: () => void intruder.end(true) });
    intruder.on('error', () => undefined);
    intruder.on('message', (topic) => received.push(topic));
    await new Promise((resolve) => intruder.once('connect', resolve));
    intruder.subscribe(['sealcam/v1/#', `sealcam/v1/${camera.device}/down`, `sealcam/v1/${camera.device}/up`], {
      qos: 1,
    });
    const before = cloud.cloud.counters.snapshot();
    intruder.publish(`sealcam/v1/${camera.device}/up`, Buffer.from('not mine'), { qos: 1 });
    await watcher.claim(camera.code);
    await until('the claim was delivered and accepted', () => camera.agent.outbox.queued().records === 0);
    expect(received).toEqual([]);
    expect(cloud.cloud.counters.get('refused.malformed')).toBe(before['refused.malformed'] ?? 0);
  });

  it('stops in under two seconds with its outbox on the disk', async () => {
    await way.broker.start();
    const cloud = await way.startCloud();
    const keyStore = new MockKeyStore();
    const camera = way.startAgent('a', BUSY, keyStore);
    const { watcher } = way.watch(cloud);
    await watcher.claim(camera.code);
    await until('an event has started', () => camera.agent.counters.get('events.start') >= 1);
    await way.stop(cloud);
    await until('records wait', () => camera.agent.outbox.queued().records >= 2);
    const { produced } = camera.agent.outbox.totals();
    const started = realClock.monotonicMs();
    await way.stop(camera.agent);
    expect(realClock.monotonicMs() - started).toBeLessThan(limitMs(2000));
    const again = way.startAgent('a', QUIET, keyStore);
    // The stop ended the open event, so its end was recorded too.
    expect(again.agent.outbox.totals().produced).toBeGreaterThanOrEqual(produced);
    const kinds = again.agent.outbox
      .read({ epoch: 0, seq: -1 }, 100)
      .map(({ bytes }) => openSigned(anyRecordKind, nodeSuite, bytes).value)
      .filter(({ kind }) => kind === 'motion');
    const open = kinds.filter(({ event }) => event?.phase === 'start').length;
    const ended = kinds.filter(({ event }) => event?.phase === 'end').length;
    expect(ended).toBeGreaterThanOrEqual(open);
  });
}

describeWith('mosquitto', 'agent and cloud over Mosquitto (MQTT 5)', () => {
  wholeWay(mosquitto);
});

describe('agent and cloud over the embedded broker (MQTT 3.1.1)', () => {
  wholeWay(embedded);
});
