import { createServer, type Server, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { authorityOf, bareHost } from '../../common/address.js';
import { realClock } from '../../common/adapters/real-clock.js';
import { atMost, type Clock } from '../../common/clock.js';
import { Counters } from '../../common/counters.js';
import { equalSecret, fromHex, utf8 } from '../../common/bytes.js';
import { SealcamError, systemCode } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { topicOf } from '../../protocol/transport/topics.js';
import { ClientSocket } from './client-socket.js';
import { addressShare } from '../../common/adapters/address-share.js';
import { BROKER_LIMITS, type Refusal } from './limits.js';

export interface EmbeddedBrokerOptions {
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** User and password of the cloud itself, which may read and write every camera's topics. */
  readonly cloudUser: string;
  readonly cloudPassword: string;
  /** Returns whether this device may connect with this password. */
  readonly mayConnect: (device: string, password: string) => boolean;
  /** Counts what was refused or slowed down; not shared with anybody if omitted. */
  readonly counters?: Counters;
  readonly clock?: Clock;
}

const STOP_TIMEOUT_MS = 2000;
const DEVICE_ID = /^[0-9a-f]{64}$/;

/** Topics that a client may use; null allows all of them. */
interface Rights {
  readonly publish: readonly string[] | null;
  readonly subscribe: readonly string[] | null;
}

const ALL: Rights = { publish: null, subscribe: null };
const NONE: Rights = { publish: [], subscribe: [] };

function rightsOfDevice(device: Uint8Array): Rights {
  return {
    publish: [topicOf(device, 'up'), topicOf(device, 'status'), topicOf(device, 'live')],
    subscribe: [topicOf(device, 'down')],
  };
}

/**
 * A broker inside the cloud's process, for laptops: MQTT 3.1.1, no persistence. It enforces the access rules that any
 * broker for this cloud needs: the user name is the device id, and a device reaches its own topics only.
 */
export class EmbeddedBroker {
  private readonly options: EmbeddedBrokerOptions;
  private broker: Aedes | null = null;
  private server: Server | null = null;
  private readonly sockets = new Set<Socket>();
  private readonly counters: Counters;
  /** Connections that are not let in yet, by what shares a limit. */
  private readonly unknown = new Map<string, number>();
  private unknownCount = 0;

  constructor(options: EmbeddedBrokerOptions) {
    this.options = options;
    this.counters = options.counters ?? new Counters();
  }

  /**
   * Listens; resolves with the port.
   *
   * @throws SealcamError `port-in-use`, `broker-unreachable`
   */
  async start(): Promise<number> {
    const { cloudUser, cloudPassword, mayConnect } = this.options;
    const rights = new WeakMap<object, Rights>();
    const broker = await Aedes.createBroker({ maxClientsIdLength: 128 });
    broker.authenticate = (client, username, password, done) => {
      const given = password?.toString('utf8') ?? '';
      const user = username ?? '';
      const isCloud = user === cloudUser && equalSecret(utf8(given), utf8(cloudPassword));
      const device = DEVICE_ID.test(user) ? fromHex(user, 32) : undefined;
      const isDevice = device !== undefined && client.id === user && mayConnect(user, given);
      if (isCloud) rights.set(client, ALL);
      else if (isDevice) rights.set(client, rightsOfDevice(device));
      if (!isCloud && !isDevice) this.countRefusal('credentials');
      else if (client.conn instanceof ClientSocket) client.conn.letIn(isCloud ? 'cloud' : 'device');
      done(null, isCloud || isDevice);
    };
    broker.authorizePublish = (client, packet, done) => {
      // Without a client the broker itself publishes.
      const { publish } = client === null ? ALL : (rights.get(client) ?? NONE);
      const isSmall = packet.payload.length <= LIMITS.messageMaxBytes;
      const isAllowed = publish === null || publish.includes(packet.topic);
      done(isAllowed && isSmall && !packet.retain ? null : new Error('not allowed'));
    };
    broker.authorizeSubscribe = (client, subscription, done) => {
      const { subscribe } = rights.get(client) ?? NONE;
      const isAllowed = subscribe === null || subscribe.includes(subscription.topic);
      done(null, isAllowed ? subscription : null);
    };
    this.broker = broker;
    // A receipt follows an acknowledgement at once: it must not wait for the camera to confirm that.
    const server = createServer({ noDelay: true }, (socket) => {
      this.admit(socket, broker);
    });
    this.server = server;
    try {
      return await this.listen(server);
    } catch (error) {
      // The broker's own timers would keep the process alive.
      await this.stop();
      throw error;
    }
  }

  /** Hands a connection to the library, unless too many of its address have not said who they are. */
  private admit(socket: Socket, broker: Aedes): void {
    const share = addressShare(socket.remoteAddress ?? '');
    const ofShare = this.unknown.get(share) ?? 0;
    if (ofShare >= BROKER_LIMITS.unknownPerAddressMax || this.unknownCount >= BROKER_LIMITS.unknownMax) {
      this.countRefusal('connections');
      socket.destroy();
      return;
    }
    this.unknown.set(share, ofShare + 1);
    this.unknownCount++;
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    broker.handle(
      new ClientSocket(socket, {
        clock: this.options.clock ?? realClock,
        onRefused: (why) => {
          this.countRefusal(why);
        },
        onSlowed: () => {
          this.counters.add('broker.slowed');
        },
        onDecided: () => {
          const left = (this.unknown.get(share) ?? 1) - 1;
          if (left === 0) this.unknown.delete(share);
          else this.unknown.set(share, left);
          this.unknownCount--;
        },
      }),
    );
  }

  private countRefusal(why: Refusal): void {
    this.counters.add(`broker.refused.${why}`);
  }

  private listen(server: Server): Promise<number> {
    const { host, port } = this.options;
    return new Promise((resolve, reject) => {
      server.once('error', (error) => {
        const code = systemCode(error) === 'EADDRINUSE' ? 'port-in-use' : 'broker-unreachable';
        reject(new SealcamError(code, `broker on ${authorityOf(host, port)}: ${error.message}`, { cause: error }));
      });
      server.listen(port, bareHost(host), () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  }

  async stop(): Promise<void> {
    const { broker, server } = this;
    this.broker = null;
    this.server = null;
    for (const socket of this.sockets) socket.destroy();
    if (server?.listening === true) await new Promise((resolve) => server.close(resolve));
    if (broker !== null) {
      const closed = new Promise<void>((resolve) => {
        broker.close(() => {
          resolve();
        });
      });
      await atMost(realClock, STOP_TIMEOUT_MS, closed);
    }
  }
}
