import { createServer, type Server, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { MqttFeed } from '../../../../cloud/ingest/mqtt-feed.js';
import { realClock } from '../../../../common/adapters/real-clock.js';
import { Counters } from '../../../../common/counters.js';
import { silentLog } from '../../../../common/log.js';
import { codeOf } from '../../../support/codes.js';
import { afterThisTest } from '../../../support/runner/after-test.js';
import { until } from '../../../support/runner/wait.js';

/** Packet types of MQTT. */
const CONNECT = 1;
const SUBSCRIBE = 8;

/** The part of MQTT 3.1.1 that a subscription needs. `grants` lists in turn whether each subscription is granted. */
class TinyBroker {
  readonly sockets = new Set<Socket>();
  subscriptions = 0;
  private readonly grants: readonly boolean[];
  private server: Server | null = null;

  constructor(grants: readonly boolean[]) {
    this.grants = grants;
  }

  async start(): Promise<number> {
    const server = createServer((socket) => {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('data', (packet) => {
        this.answer(socket, packet);
      });
    });
    this.server = server;
    afterThisTest(() => {
      this.drop();
      this.server?.close();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  drop(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private answer(socket: Socket, packet: Buffer): void {
    const type = (packet[0] ?? 0) >> 4;
    // Byte 8 is the protocol version. 5 is refused, so that the client falls back to 4.
    if (type === CONNECT) socket.write(Uint8Array.of(0x20, 2, 0, packet[8] === 4 ? 0 : 1));
    if (type !== SUBSCRIBE) return;
    const code = this.grants[this.subscriptions++] === true ? 1 : 0x80;
    socket.write(Uint8Array.of(0x90, 4, packet[2] ?? 0, packet[3] ?? 0, code, code));
  }
}

async function feedOn(
  ...grants: readonly boolean[]
): Promise<{ broker: TinyBroker; feed: MqttFeed; counters: Counters }> {
  const broker = new TinyBroker(grants);
  const url = `mqtt://127.0.0.1:${String(await broker.start())}`;
  const counters = new Counters();
  const settings = { url, username: undefined, password: undefined, clientId: 'worker', group: undefined };
  const feed = new MqttFeed(settings, {
    onMessage: () => Promise.resolve(),
    clock: realClock,
    counters,
    log: silentLog,
  });
  afterThisTest(() => feed.stop());
  return { broker, feed, counters };
}

describe('the connection to the broker', () => {
  it('reconnects until a subscription that was refused after a reconnect is granted', async () => {
    const { broker, feed, counters } = await feedOn(true, false, true);
    await feed.start(new AbortController().signal);
    expect(broker.subscriptions).toBe(1);
    broker.drop();
    await until('the third subscription is requested', () => broker.subscriptions === 3);
    expect(counters.get('mqtt.subscription-refused')).toBe(1);
    await until('it is connected', () => feed.isConnected);
  });

  it('does not start if the first subscription is refused', async () => {
    const { feed } = await feedOn(false);
    const code = await feed.start(new AbortController().signal).then(
      () => 'started',
      (error: unknown) =>
        codeOf(() => {
          throw error;
        }),
    );
    expect(code).toBe('broker-unreachable');
  });
});
