import mqtt, { type MqttClient } from 'mqtt';
import { describe, expect, it } from 'vitest';
import { LiveFeed } from '../../../../cloud/ingest/live-feed.js';
import { EmbeddedBroker } from '../../../../cloud/broker/embedded-broker.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import { Counters } from '../../../../common/counters.js';
import { decodeLive } from '../../../../protocol/transport/live.js';
import { topicOf } from '../../../../protocol/transport/topics.js';
import { TinyBroker } from '../../../support/engines/tiny-broker.js';
import { afterThisTest } from '../../../support/runner/after-test.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';
import { until } from '../../../support/runner/wait.js';
import { LiveSender } from '../../../support/worlds/live-viewer.js';
import { testLog, type LogEntry } from '../../../support/worlds/test-agent.js';

const PASSWORD = 'only for this test';

class LiveWorld {
  readonly clock = new VirtualClock();
  readonly counters = new Counters();
  readonly lines: LogEntry[] = [];
  readonly feed: LiveFeed;

  constructor(port: number) {
    this.feed = new LiveFeed(
      {
        url: `mqtt://127.0.0.1:${String(port)}`,
        username: 'cloud',
        password: PASSWORD,
        clientId: 'worker',
        group: 'ingest',
      },
      { clock: this.clock, counters: this.counters, log: testLog(this.lines) },
    );
    afterThisTest(() => {
      this.feed.stop();
    });
  }

  /** Looks at a camera; returns the numbers of the messages as they come. */
  async openLook(device: Uint8Array, session: Uint8Array): Promise<{ numbers: number[]; leave: () => void }> {
    const numbers: number[] = [];
    const leave = await this.feed.subscribe(device, session, ({ n, payload }) => {
      expect(decodeLive(payload)).toMatchObject({ session, n });
      numbers.push(n);
    });
    return { numbers, leave };
  }
}

async function broker(port = 0): Promise<{ server: EmbeddedBroker; port: number }> {
  const server = new EmbeddedBroker({
    host: '127.0.0.1',
    port,
    cloudUser: 'cloud',
    cloudPassword: PASSWORD,
    mayConnect: () => true,
  });
  afterThisTest(() => server.stop());
  return { server, port: await server.start() };
}

async function camera(port: number, device: Uint8Array): Promise<MqttClient> {
  const id = toHex(device);
  const client = mqtt.connect(`mqtt://127.0.0.1:${String(port)}`, { protocolVersion: 4, clientId: id, username: id });
  afterThisTest(() => void client.end(true));
  await new Promise((resolve) => client.once('connect', resolve));
  return client;
}

describe('the connection for live views', () => {
  it('is there from the first viewer until a while after the last, with one subscription for each camera', async () => {
    const { port } = await broker();
    const world = new LiveWorld(port);
    const { feed, clock } = world;
    expect(feed.isOpen).toBe(false);
    const [device, other] = [realRandom.bytes(32), realRandom.bytes(32)];
    const [anna, ben] = [realRandom.bytes(16), realRandom.bytes(16)];
    const [one, two, elsewhere] = [
      await world.openLook(device, anna),
      await world.openLook(device, ben),
      await world.openLook(other, anna),
    ];
    expect(feed.count).toBe(3);
    const [sending, also] = [await camera(port, device), await camera(port, other)];
    const [toAnna, toBen, stray] = [new LiveSender(anna), new LiveSender(ben), new LiveSender(realRandom.bytes(16))];
    for (let i = 0; i < 5; i++) {
      for (const sender of [toAnna, stray, toBen]) sending.publish(topicOf(device, 'live'), Buffer.from(sender.next()));
    }
    also.publish(topicOf(other, 'live'), Buffer.from(new LiveSender(anna).next()));
    await until('all came', () => two.numbers.length === 5 && elsewhere.numbers.length === 1);
    expect([one.numbers, two.numbers]).toEqual([
      [0, 1, 2, 3, 4],
      [0, 1, 2, 3, 4],
    ]);
    one.leave();
    one.leave();
    sending.publish(topicOf(device, 'live'), Buffer.from(toAnna.next()));
    sending.publish(topicOf(device, 'live'), Buffer.from(toBen.next()));
    await until('the one who stays receives on', () => two.numbers.length === 6);
    expect(one.numbers).toHaveLength(5);
    two.leave();
    elsewhere.leave();
    clock.advance(29_000);
    expect([feed.count, feed.isOpen]).toEqual([0, true]);
    const again = await world.openLook(device, anna);
    clock.advance(29_000);
    expect(feed.isOpen).toBe(true);
    again.leave();
    clock.advance(30_000);
    expect(feed.isOpen).toBe(false);
  });

  it('subscribes again after it was lost', async () => {
    const first = await broker();
    const world = new LiveWorld(first.port);
    const [device, session] = [realRandom.bytes(32), realRandom.bytes(16)];
    const { numbers } = await world.openLook(device, session);
    await first.server.stop();
    await broker(first.port);
    const sending = await camera(first.port, device);
    const sender = new LiveSender(session);
    await until('messages come again', () => {
      sending.publish(topicOf(device, 'live'), Buffer.from(sender.next()));
      return numbers.length > 0;
    });
  });

  it('counts what is no live message, logs it once, and passes the next one on', async () => {
    const { port } = await broker();
    const world = new LiveWorld(port);
    const [device, session] = [realRandom.bytes(32), realRandom.bytes(16)];
    const { numbers } = await world.openLook(device, session);
    const sending = await camera(port, device);
    const good = new LiveSender(session).next();
    for (const payload of [
      Buffer.alloc(0),
      Buffer.from('noise'),
      Buffer.from(good.slice(0, -1)),
      Buffer.from([0x81, 9]),
    ]) {
      sending.publish(topicOf(device, 'live'), payload);
    }
    sending.publish(topicOf(device, 'live'), Buffer.from(good));
    await until('the good one came', () => numbers.length === 1);
    expect(world.counters.get('looks.malformed')).toBe(4);
    expect(world.lines.map(({ code }) => code)).toEqual(['malformed', 'unsupported']);
  });

  it('lets one viewer at a time have a session id', async () => {
    const { port } = await broker();
    const world = new LiveWorld(port);
    const [device, session] = [realRandom.bytes(32), realRandom.bytes(16)];
    const { leave } = await world.openLook(device, session);
    await expect(world.openLook(device, session)).rejects.toMatchObject({ code: 'request-invalid' });
    leave();
    await world.openLook(device, session);
  });
});

describe('a viewer', () => {
  it('receives a refusal where the broker refuses the subscription; the log has the reason', async () => {
    const tiny = new TinyBroker([false, true], 1);
    const world = new LiveWorld(await tiny.start());
    const [device, session] = [realRandom.bytes(32), realRandom.bytes(16)];
    const refused = await world.openLook(device, session).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'broker-unreachable' });
    expect(String(refused)).not.toContain('127.0.0.1');
    expect(world.lines).toMatchObject([{ code: 'broker-refused' }]);
    expect(world.lines[0]?.msg).toContain('127.0.0.1');
    expect([world.feed.count, world.counters.get('looks.subscription-refused')]).toEqual([0, 1]);
    // The control: the broker grants the next one.
    await world.openLook(device, session);
  });

  it('of a camera whose subscription is refused after a reconnect waits until it is granted', async () => {
    const tiny = new TinyBroker([true, false, true], 1);
    const world = new LiveWorld(await tiny.start());
    await world.openLook(realRandom.bytes(32), realRandom.bytes(16));
    tiny.drop();
    await until('the second subscription is refused', () => world.counters.get('looks.subscription-refused') === 1);
    world.clock.advance(2000);
    await until('the third is asked for', () => tiny.subscriptions === 3);
  });

  it('does not wait for ever for a broker that is silent', async () => {
    const tiny = new TinyBroker([], 1);
    const port = await tiny.start();
    tiny.isMute = true;
    const world = new LiveWorld(port);
    const look = world.openLook(realRandom.bytes(32), realRandom.bytes(16)).catch((error: unknown) => error);
    await until('it is asked', () => tiny.sockets.size > 0);
    world.clock.advance(10_000);
    expect(await look).toMatchObject({ code: 'broker-unreachable' });
    expect(world.feed.count).toBe(0);
  });
});
