import { beforeEach, describe, expect, it } from 'vitest';
import { GOOD, StubBroker, type StubAnswers } from '../../support/engines/stub-broker.js';
import * as trial from '../../support/worlds/uplink-trial.js';
import { CONNECT_TIMEOUT_MS, UplinkWorld, WINDOW_MS } from '../../support/worlds/uplink-world.js';
import { until } from '../../support/runner/wait.js';

const MINUTE_MS = 60_000;
const HOLD = trial.withJitter(15 * MINUTE_MS);
const WAIT = trial.withJitter(WINDOW_MS);
/** Without a hint, twice the window. */
const BUSY = trial.withJitter(2 * WINDOW_MS);

let broker: StubBroker;
let camera: UplinkWorld;

beforeEach(async () => {
  broker = await StubBroker.start();
  camera = new UplinkWorld(`mqtt://127.0.0.1:${String(broker.port)}`);
  camera.append(3);
});

const expectNext = (range: readonly [number, number]): void => {
  trial.expectNext(camera, range);
};
const expectRecovery = (): Promise<void> => trial.expectRecovery(broker, camera);

/** Makes one attempt against a broker with these answers, and waits until it has failed. */
async function expectFailure(answers: StubAnswers, phase = 'wait'): Promise<void> {
  broker.answers = answers;
  camera.passWait();
  await trial.expectEnded(broker, camera, phase);
}

const refuse = (reasonCode: number, userProperties: Record<string, string> = {}): StubAnswers => ({
  connect: (peer) => {
    const properties = Object.keys(userProperties).length === 0 ? {} : { properties: { userProperties } };
    peer.send({ cmd: 'connack', reasonCode, sessionPresent: false, ...properties });
  },
});

/** Reasons of MQTT 5 §3.2.2.2 with a meaning of their own; with any other the attempt has failed, no more. */
const CREDENTIALS = [0x85, 0x86, 0x87, 0x8a, 0x8c];
const BUSY_CODES = [0x88, 0x89, 0x96, 0x97, 0x9c, 0x9d, 0x9f];
const ALL = Array.from({ length: 0x20 }, (_, i) => 0x80 + i);

describe('an attempt that fails', () => {
  it.each(ALL.filter((code) => code !== 0x84).map((code) => [`0x${code.toString(16)}`, code] as const))(
    'CONNACK %s: kind, wait and log as designed, and the next attempt delivers everything',
    async (_name, code) => {
      const isHold = CREDENTIALS.includes(code);
      await expectFailure(refuse(code), isHold ? 'auth-hold' : 'wait');
      expectNext(isHold ? HOLD : BUSY_CODES.includes(code) ? BUSY : WAIT);
      expect(camera.codes()).toEqual(['broker-refused']);
      expect(camera.log.find(({ code: logged }) => logged !== undefined)).toMatchObject({
        reason: `0x${code.toString(16)}`,
      });
      await expectRecovery();
    },
  );

  it('CONNACK 0x84: immediately one attempt with MQTT 3.1.1, which is remembered', async () => {
    broker.answers = {
      ...GOOD,
      connect: (peer, packet) => {
        if (packet.cmd !== 'connect' || packet.protocolVersion !== 5) GOOD.connect?.(peer, packet);
        else peer.send({ cmd: 'connack', reasonCode: 0x84, sessionPresent: false });
      },
    };
    camera.passWait();
    await until('it is connected', () => camera.uplink.isConnected);
    expect(camera.uplink.status()).toMatchObject({ protocol: 4, attempts: 2 });
    expect(camera.kept?.protocol).toBe(4);
    expect(camera.uplink.drop()).toBe(true);
    await expectRecovery();
    expect(broker.received.flatMap((packet) => (packet.cmd === 'connect' ? [packet.protocolVersion] : []))).toEqual([
      5, 4, 4,
    ]);
  });

  it('after a refusal of both versions it waits, and tries MQTT 5 again', async () => {
    await expectFailure({
      connect: (peer) => {
        peer.send(
          peer.protocol === 5
            ? { cmd: 'connack', reasonCode: 0x84, sessionPresent: false }
            : { cmd: 'connack', returnCode: 1, sessionPresent: false },
        );
      },
    });
    expectNext(WAIT);
    await expectRecovery();
    expect(camera.uplink.status().protocol).toBe(5);
  });

  it('a hint replaces the doubling: a time or a window; nonsense is ignored', async () => {
    await expectFailure(refuse(0x97, { 'sealcam-retry-after-ms': '30000' }));
    expectNext(trial.withJitter(30_000));
    await expectFailure(refuse(0x89, { 'sealcam-window-ms': '120000' }));
    expectNext(trial.withJitter(120_000));
    expect(camera.uplink.status().windowMs).toBe(120_000);
    await expectFailure(refuse(0x89, { 'sealcam-window-ms': 'soon', 'sealcam-retry-after-ms': '-5' }));
    expectNext(trial.withJitter(240_000));
    await expectFailure(refuse(0x9f, { 'sealcam-retry-after-ms': '1e12' }));
    expectNext([0.75 * 720_000, 900_000]);
    await expectRecovery();
  });

  it('a reference to another server is not followed', async () => {
    const other = await StubBroker.start();
    const serverReference = `127.0.0.1:${String(other.port)}`;
    await expectFailure({
      connect: (peer) => {
        peer.send({ cmd: 'connack', reasonCode: 0x9d, sessionPresent: false, properties: { serverReference } });
      },
    });
    await expectRecovery();
    expect(other.connections).toBe(0);
    expect(JSON.stringify(camera.log)).not.toContain(serverReference);
  });

  it('after refused credentials holds double up to 6 h, and it never gives up', async () => {
    const holds: number[] = [];
    for (let i = 0; i < 7; i++) {
      await expectFailure(refuse(0x87), 'auth-hold');
      const nextMs = camera.uplink.status().nextAttemptMs ?? 0;
      holds.push(nextMs);
      const base = Math.min(2 ** i * 15 * MINUTE_MS, (6 * 60 * MINUTE_MS) / 1.25);
      expectNext(trial.withJitter(base));
    }
    expect(holds.at(-1)).toBeLessThanOrEqual(6 * 60 * MINUTE_MS);
    await expectRecovery();
  });

  const BROKEN: readonly (readonly [string, StubAnswers])[] = [
    ['closed before a CONNACK', { connect: (peer) => void peer.socket.end() }],
    ['closed before anything', { connected: (peer) => void peer.socket.destroy() }],
    ['reset before a CONNACK', { connect: (peer) => void peer.socket.resetAndDestroy() }],
    [
      'half a CONNACK, then closed',
      { connect: (peer) => (peer.raw(Uint8Array.of(0x20, 0x03)), void peer.socket.end()) },
    ],
    ['bytes that are not MQTT', { connected: (peer) => peer.raw(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')) }],
    ['a packet of unknown kind', { connect: (peer) => peer.raw(Uint8Array.of(0x00, 0x00)) }],
    ['an announced packet of 256 MiB', { connect: (peer) => peer.raw(Uint8Array.of(0x20, 0xff, 0xff, 0xff, 0x7f)) }],
    ['a length of five bytes', { connect: (peer) => peer.raw(Uint8Array.of(0x20, 0x80, 0x80, 0x80, 0x80, 0x01)) }],
    ['a CONNACK with an unknown reason', refuse(0x42)],
    ['DISCONNECT instead of a CONNACK', { connect: (peer) => peer.send({ cmd: 'disconnect', reasonCode: 0x8b }) }],
  ];

  it.each(BROKEN)('%s: waits about W, logs it once, and recovers', async (_name, answers) => {
    await expectFailure(answers);
    expectNext(WAIT);
    expect(camera.codes()).toHaveLength(1);
    expect(camera.codes()[0]).toMatch(/^broker-(unreachable|refused)$/);
    await expectRecovery();
  });

  const SILENT: readonly (readonly [string, StubAnswers])[] = [
    ['no CONNACK', {}],
    ['a CONNACK byte by byte, without an end', { connect: drip(Uint8Array.of(0x20, 0x40, 0, 0, 0x3d)) }],
    ['half a CONNACK, then silence', { connect: (peer) => peer.raw(Uint8Array.of(0x20, 0x03, 0x00)) }],
    ['AUTH instead of a CONNACK', { connect: (peer) => peer.raw(Uint8Array.of(0xf0, 0x00)) }],
    ['a PINGRESP instead of a CONNACK', { connect: (peer) => peer.send({ cmd: 'pingresp' }) }],
  ];

  it.each(SILENT)('%s: the attempt ends at its time limit', async (_name, answers) => {
    broker.answers = answers;
    camera.passWait();
    await until('the broker has the CONNECT', () => broker.count('connect') === 1);
    if (camera.phase === 'connecting') {
      camera.clock.advance(CONNECT_TIMEOUT_MS - 1);
      expect(camera.phase).toBe('connecting');
      camera.clock.advance(1);
    }
    expect(camera.phase).toBe('wait');
    expectNext(WAIT);
    await until('the broker has no connection left', () => broker.open === 0);
    expect(camera.codes()).toHaveLength(1);
    await expectRecovery();
  });

  it('no broker at the port: waits about W', async () => {
    camera = new UplinkWorld('mqtt://127.0.0.1:1');
    camera.passWait();
    await until('the machine waits', () => camera.phase === 'wait');
    expectNext(WAIT);
    expect(camera.codes()).toEqual(['broker-unreachable']);
  });

  it('a socket that cannot be opened is a failed attempt, not a crash', () => {
    camera = new UplinkWorld('mqtts://127.0.0.1:1', { cert: 'no PEM', key: 'no PEM' });
    camera.passWait();
    expect(camera.phase).toBe('wait');
    expect(camera.codes()).toEqual(['internal']);
  });
});

/** Sends one byte every 10 ms, and repeats the last one without end. */
function drip(bytes: Uint8Array): NonNullable<StubAnswers['connect']> {
  return ({ socket, raw }) => {
    let at = 0;
    const timer = setInterval(() => {
      raw(bytes.subarray(Math.min(at, bytes.length - 1), Math.min(at, bytes.length - 1) + 1));
      at++;
    }, 10);
    socket.once('close', () => {
      clearInterval(timer);
    });
  };
}
