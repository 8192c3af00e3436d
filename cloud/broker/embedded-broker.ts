import { createServer, type Server, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { authorityOf, bareHost } from '../../common/address.js';
import { realClock } from '../../common/adapters/real-clock.js';
import { atMost } from '../../common/clock.js';
import { equalSecret, fromHex, utf8 } from '../../common/bytes.js';
import { SealcamError, systemCode } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { topicOf } from '../../protocol/transport/topics.js';

export interface EmbeddedBrokerOptions {
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** User and password of the cloud itself, which may read and write every camera's topics. */
  readonly cloudUser: string;
  readonly cloudPassword: string;
  /** Returns whether this device may connect with this password. */
  readonly mayConnect: (device: string, password: string) => boolean;
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
    publish: [topicOf(device, 'up'), topicOf(device, 'status')],
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

  constructor(options: EmbeddedBrokerOptions) {
    this.options = options;
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
    const server = createServer((socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
      broker.handle(socket);
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
