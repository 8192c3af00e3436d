import { createServer, type Server, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { realClock } from '../../common/adapters/real-clock.js';
import { atMost } from '../../common/clock.js';
import { equalSecret, fromHex, utf8 } from '../../common/bytes.js';
import { SealcamError, systemCode } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { HASH_BYTES } from '../../protocol/objects/ids.js';
import { topicOf, type TopicLeaf } from '../../protocol/transport/topics.js';

export interface EmbeddedBrokerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** User and password of the cloud itself, who may read and write every camera's topics. */
  readonly cloudUser: string;
  readonly cloudPassword: string;
  /** Whether this device may connect with this password. */
  readonly mayConnect: (device: string, password: string) => boolean;
}

const STOP_PATIENCE_MS = 2000;

/**
 * A broker inside the cloud's process, for laptops: MQTT 3.1.1, no persistence. It has the ACL that any broker needs:
 * the user is the device, and a device sees its own topics only.
 */
export class EmbeddedBroker {
  private readonly options: EmbeddedBrokerOptions;
  private broker: Aedes | null = null;
  private server: Server | null = null;
  private readonly sockets = new Set<Socket>();

  constructor(options: EmbeddedBrokerOptions) {
    this.options = options;
  }

  /** Resolves with the port. @throws SealcamError `port-in-use` */
  async start(): Promise<number> {
    const { cloudUser, cloudPassword, mayConnect } = this.options;
    /** Who a connected client is: the cloud, or the device with this id. */
    const users = new WeakMap<object, 'cloud' | Uint8Array>();
    const broker = await Aedes.createBroker({ maxClientsIdLength: 128 });
    broker.authenticate = (client, username, password, done) => {
      const given = password?.toString('utf8') ?? '';
      const user = username ?? '';
      const isCloud = user === cloudUser && equalSecret(utf8(given), utf8(cloudPassword));
      const device = fromHex(user, HASH_BYTES);
      const isDevice = device !== undefined && client.id === user && mayConnect(user, given);
      if (isCloud) users.set(client, 'cloud');
      else if (isDevice) users.set(client, device);
      done(null, isCloud || isDevice);
    };
    broker.authorizePublish = (client, packet, done) => {
      const user = client === null ? undefined : users.get(client);
      const isSmall = packet.payload.length <= LIMITS.messageMaxBytes;
      const isAllowed = client === null || user === 'cloud' || isOwnTopic(user, packet.topic, ['up', 'status']);
      done(isAllowed && isSmall && !packet.retain ? null : new Error('not allowed'));
    };
    broker.authorizeSubscribe = (client, subscription, done) => {
      const user = users.get(client);
      const isAllowed = user === 'cloud' || isOwnTopic(user, subscription.topic, ['down']);
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
      // The broker has timers of its own, which would keep the process alive.
      await this.stop();
      throw error;
    }
  }

  private listen(server: Server): Promise<number> {
    const { host, port } = this.options;
    return new Promise((resolve, reject) => {
      server.once('error', (error) => {
        const code = systemCode(error) === 'EADDRINUSE' ? 'port-in-use' : 'broker-unreachable';
        reject(new SealcamError(code, `broker on ${host}:${String(port)}: ${error.message}`, { cause: error }));
      });
      server.listen(port, host, () => {
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
      await atMost(realClock, STOP_PATIENCE_MS, closed);
    }
  }
}

function isOwnTopic(device: Uint8Array | undefined, topic: string, leaves: readonly TopicLeaf[]): boolean {
  return device !== undefined && leaves.some((leaf) => topic === topicOf(device, leaf));
}
