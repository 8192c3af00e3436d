import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';
import { describe, expect, it } from 'vitest';
import { EmbeddedBroker } from '../../../../cloud/broker/embedded-broker.js';
import { BROKER_LIMITS, isLoopback } from '../../../../cloud/broker/limits.js';
import { PacketMeter } from '../../../../cloud/broker/packet-meter.js';
import { startCloud } from '../../../../cloud/main/compose.js';
import { loadCloudConfig } from '../../../../cloud/main/config.js';
import { Counters } from '../../../../common/counters.js';
import { silentLog } from '../../../../common/log.js';
import { LIMITS } from '../../../../common/limits.js';
import { decodeDown, encodeStatus, type DownMessage } from '../../../../protocol/transport/messages.js';
import { codeOf } from '../../../support/codes.js';
import { afterThisTest } from '../../../support/runner/after-test.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';
import { until } from '../../../support/runner/wait.js';

const DEVICE = 'ab'.repeat(32);
const UP = `sealcam/v1/${DEVICE}/up`;

interface Started {
  readonly port: number;
  readonly counters: Counters;
  readonly clock: VirtualClock;
}

async function started(): Promise<Started> {
  const counters = new Counters();
  const clock = new VirtualClock();
  const broker = new EmbeddedBroker({
    host: '127.0.0.1',
    port: 0,
    cloudUser: 'cloud',
    cloudPassword: 'only for this test',
    mayConnect: (_device, password) => password === 'right',
    counters,
    clock,
  });
  afterThisTest(() => broker.stop());
  return { port: await broker.start(), counters, clock };
}

/** A connection that has said nothing. */
async function silent(port: number, from = '127.0.0.1'): Promise<Socket & { isOver: boolean }> {
  const socket = Object.assign(connect({ port, host: '127.0.0.1', localAddress: from }), { isOver: false });
  afterThisTest(() => {
    socket.destroy();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    socket.isOver = true;
  });
  socket.resume();
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

async function client(port: number, username: string, password: string): Promise<MqttClient | undefined> {
  const made = mqtt.connect(`mqtt://127.0.0.1:${String(port)}`, {
    protocolVersion: 4,
    clientId: username,
    username,
    password,
    reconnectPeriod: 0,
  });
  afterThisTest(() => {
    made.end(true);
  });
  made.on('error', () => undefined);
  return new Promise((resolve) => {
    made.once('connect', () => {
      resolve(made);
    });
    made.once('close', () => {
      resolve(undefined);
    });
  });
}

const camera = (port: number): Promise<MqttClient | undefined> => client(port, DEVICE, 'right');

describe('the embedded broker before CONNECT', () => {
  it('bounds the silent connections of one address, and takes others', async () => {
    const { port, counters } = await started();
    for (let i = 0; i < BROKER_LIMITS.unknownPerAddressMax; i++) await silent(port, '127.0.0.9');
    const last = await silent(port, '127.0.0.9');
    await until('the connection above the limit is ended', () => last.isOver);
    expect(counters.get('broker.refused.connections')).toBe(1);
    expect(await camera(port)).toBeDefined();
  });

  it('gives the place back when a connection ends or is let in', async () => {
    const { port, counters } = await started();
    const silents: Socket[] = [];
    for (let i = 1; i < BROKER_LIMITS.unknownPerAddressMax; i++) silents.push(await silent(port));
    // The last place, used by one client after the other.
    expect(await camera(port)).toBeDefined();
    expect(await client(port, 'cloud', 'only for this test')).toBeDefined();
    expect(counters.get('broker.refused.connections')).toBe(0);
  });

  it('ends a connection without a CONNECT after its time', async () => {
    const { port, counters, clock } = await started();
    const socket = await silent(port);
    const known = await camera(port);
    clock.advance(BROKER_LIMITS.connectTimeoutMs - 1);
    expect(counters.get('broker.refused.connect-timeout')).toBe(0);
    clock.advance(1);
    await until('the silent connection is ended', () => socket.isOver);
    expect(counters.get('broker.refused.connect-timeout')).toBe(1);
    expect(known?.connected).toBe(true);
  });

  it('ends a connection at the header of a packet that is too long', async () => {
    const { port, counters } = await started();
    const socket = await silent(port);
    // CONNECT, with a length of 256 MiB of which nothing follows.
    socket.write(Uint8Array.of(0x10, 0xff, 0xff, 0xff, 0x7f));
    await until('it is ended', () => socket.isOver);
    expect(counters.get('broker.refused.packet-size')).toBe(1);
  });

  it('counts wrong credentials', async () => {
    const { port, counters } = await started();
    expect(await client(port, DEVICE, 'wrong')).toBeUndefined();
    expect(await client(port, 'cloud', 'right')).toBeUndefined();
    expect(counters.get('broker.refused.credentials')).toBe(2);
  });
});

describe('the embedded broker after CONNECT', () => {
  it('takes the largest message and ends a client that announces a larger packet', async () => {
    const { port, counters } = await started();
    const one = await camera(port);
    await one?.publishAsync(UP, Buffer.alloc(LIMITS.messageMaxBytes), { qos: 1 });
    let isOver = false;
    one?.on('close', () => {
      isOver = true;
    });
    one?.publish(UP, Buffer.alloc(BROKER_LIMITS.packetMaxBytes), { qos: 0 });
    await until('it is ended', () => isOver);
    expect(counters.get('broker.refused.packet-size')).toBe(1);
  });

  it('reads a client that floods as slowly as the limit says, and others at once', async () => {
    const { port, counters, clock } = await started();
    const cloud = await client(port, 'cloud', 'only for this test');
    let received = 0;
    cloud?.on('message', () => {
      received++;
    });
    await cloud?.subscribeAsync('sealcam/v1/+/up', { qos: 0 });
    const flood = await camera(port);
    const count = (2 * BROKER_LIMITS.burstBytes) / BROKER_LIMITS.packetCostBytes;
    for (let i = 0; i < count; i++) flood?.publish(UP, Buffer.of(1), { qos: 0 });
    await until('it is slowed', () => counters.get('broker.slowed') > 0);
    const other = 'cd'.repeat(32);
    const honest = await client(port, other, 'right');
    const before = received;
    await honest?.publishAsync(`sealcam/v1/${other}/up`, Buffer.of(1), { qos: 1 });
    await until('the honest message is delivered', () => received > before);
    // Everything arrives in the end: nothing is dropped.
    await until('all arrived', () => {
      clock.advance(1000);
      return received === count + 1;
    });
  });

  it('reads the DISCONNECT of a client that ends at once, and publishes no last will', async () => {
    const { port } = await started();
    const cloud = await client(port, 'cloud', 'only for this test');
    const topics: string[] = [];
    cloud?.on('message', (topic) => topics.push(topic));
    await cloud?.subscribeAsync('sealcam/v1/#', { qos: 0 });
    const leaving = mqtt.connect(`mqtt://127.0.0.1:${String(port)}`, {
      protocolVersion: 4,
      clientId: DEVICE,
      username: DEVICE,
      password: 'right',
      reconnectPeriod: 0,
      will: { topic: `sealcam/v1/${DEVICE}/status`, payload: Buffer.of(0), qos: 0, retain: false },
    });
    await new Promise((resolve) => leaving.once('connect', resolve));
    leaving.publish(UP, Buffer.of(1), { qos: 0 });
    await leaving.endAsync();
    await until('the message arrived', () => topics.length > 0);
    const next = await camera(port);
    await next?.publishAsync(UP, Buffer.of(2), { qos: 1 });
    await until('the next message arrived', () => topics.length > 1);
    expect(topics).toEqual([UP, UP]);
  });
});

describe('the meter of packets', () => {
  it('finds each packet, however the bytes are cut', () => {
    const body = Buffer.alloc(300, 0xff);
    const bytes = Buffer.concat([Buffer.of(0xc0, 0), Buffer.of(0x30, 0xac, 0x02), body, Buffer.of(0xe0, 0)]);
    for (const size of [1, 2, 3, 7, bytes.length]) {
      const meter = new PacketMeter();
      const found: number[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        found.push(...(meter.read(bytes.subarray(at, at + size)) ?? []).map((packet) => packet.bytes));
      }
      expect(found).toEqual([2, 303, 2]);
    }
  });

  it('refuses a length that is not one of MQTT', () => {
    expect(new PacketMeter().read(Uint8Array.of(0x10, 0xff, 0xff, 0xff, 0xff, 0x01))).toBeNull();
  });
});

describe('addresses', () => {
  it('knows those that only this machine reaches', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1', 'localhost'].map(isLoopback)).not.toContain(false);
    expect(['0.0.0.0', '::', '192.168.1.2', '127.example.org', ''].map(isLoopback)).not.toContain(true);
  });

  it('refuses any password on an address that others reach', () => {
    const load = (environment: Readonly<Record<string, string>>): string =>
      codeOf(() => loadCloudConfig({ file: null, environment: { SEALCLOUD_MQTT_EMBEDDED: 'true', ...environment } }));
    expect(load({ SEALCLOUD_MQTT_EMBEDDED_HOST: '0.0.0.0' })).toBe('config-invalid-value');
    expect(load({ SEALCLOUD_MQTT_EMBEDDED_HOST: '127.0.0.1' })).toBe('accepted');
    expect(load({ SEALCLOUD_MQTT_EMBEDDED_HOST: '::' })).toBe('config-invalid-value');
    const file = { SEALCLOUD_MQTT_EMBEDDED_PASSWORD_FILE: '/etc/sealcam/broker-password' };
    expect(load({ SEALCLOUD_MQTT_EMBEDDED_HOST: '0.0.0.0', ...file })).toBe('accepted');
  });

  it('asks cameras for the password of the file, and refuses a short one', async () => {
    const folder = tempFolder();
    const file = join(folder, 'password');
    const environment = {
      SEALCLOUD_DATA_FOLDER: folder,
      SEALCLOUD_HTTP_PORT: '0',
      SEALCLOUD_MQTT_EMBEDDED: 'true',
      SEALCLOUD_MQTT_EMBEDDED_PORT: '0',
      SEALCLOUD_MQTT_EMBEDDED_PASSWORD_FILE: file,
    };
    const config = loadCloudConfig({ file: null, environment });
    writeFileSync(file, 'short');
    await expect(startCloud(config, silentLog)).rejects.toMatchObject({ code: 'config-invalid-value' });
    writeFileSync(file, 'long enough to be one\n');
    const running = await startCloud(config, silentLog);
    afterThisTest(() => running.stop());
    const port = running.brokerPort ?? 0;
    expect(await client(port, DEVICE, 'anything')).toBeUndefined();
    expect(await client(port, DEVICE, 'long enough to be one')).toBeDefined();
    expect(running.cloud.counters.get('broker.refused.credentials')).toBe(1);
  });

  it('announces the versions of the setting to a camera that comes online, unless version 1 is all', async () => {
    const hellosOf = async (versions: string): Promise<readonly DownMessage[]> => {
      const environment = {
        SEALCLOUD_DATA_FOLDER: tempFolder(),
        SEALCLOUD_HTTP_PORT: '0',
        SEALCLOUD_MQTT_EMBEDDED: 'true',
        SEALCLOUD_MQTT_EMBEDDED_PORT: '0',
        SEALCLOUD_PROTOCOL_VERSIONS: versions,
      };
      const running = await startCloud(loadCloudConfig({ file: null, environment }), silentLog);
      afterThisTest(() => running.stop());
      const device = await client(running.brokerPort ?? 0, DEVICE, 'anything');
      if (device === undefined) throw new Error('not let in');
      const received: DownMessage[] = [];
      device.on('message', (_, payload) => received.push(decodeDown(new Uint8Array(payload))));
      await device.subscribeAsync(`sealcam/v1/${DEVICE}/down`, { qos: 1 });
      const status = encodeStatus({ online: true, agent: '1.1.0' });
      await device.publishAsync(`sealcam/v1/${DEVICE}/status`, Buffer.from(status), { qos: 1 });
      // Messages of one camera are handled in order, and a hello arrives before the next one: this is refused after both.
      const { counters } = running.cloud;
      await device.publishAsync(UP, Buffer.from([0]), { qos: 1 });
      await until('what followed the status was handled', () => counters.get('refused.malformed') > 0);
      const hellos = counters.get('down.hello');
      await until('the hello arrived', () => received.length === hellos);
      return received;
    };
    expect(await hellosOf('[1, 2]')).toEqual([{ type: 'hello', versions: [1, 2] }]);
    expect(await hellosOf('[1]')).toEqual([]);
    const wrong = (versions: string): string =>
      codeOf(() => loadCloudConfig({ file: null, environment: { SEALCLOUD_PROTOCOL_VERSIONS: versions } }));
    expect(['[2]', '[1, 3]', '[]'].map(wrong)).toEqual(Array.from({ length: 3 }, () => 'config-invalid-value'));
  });
});
