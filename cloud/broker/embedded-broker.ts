import { createServer, type Server, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { realClock } from '../../common/adapters/real-clock.js';
import { atMost } from '../../common/clock.js';
import { equalSecret, utf8 } from '../../common/bytes.js';
import { SealcamError, systemCode } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';

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
    const users = new WeakMap<object, string>();
    const broker = await Aedes.createBroker({ maxClientsIdLength: 128 });
    broker.authenticate = (client, username, password, done) => {
      const given = password?.toString('utf8') ?? '';
      const user = username ?? '';
      const isCloud = user === cloudUser && equalSecret(utf8(given), utf8(cloudPassword));
      const isDevice = DEVICE_ID.test(user) && client.id === user && mayConnect(user, given);
      if (isCloud || isDevice) users.set(client, user);
      done(null, isCloud || isDevice);
    };
    broker.authorizePublish = (client, packet, done) => {
      const user = client === null ? undefined : users.get(client);
      const own = [`sealcam/v1/${user ?? ''}/up`, `sealcam/v1/${user ?? ''}/status`];
      const isSmall = packet.payload.length <= LIMITS.messageMaxBytes;
      const isAllowed = client === null || user === cloudUser || own.includes(packet.topic);
      done(isAllowed && isSmall && !packet.retain ? null : new Error('not allowed'));
    };
    broker.authorizeSubscribe = (client, subscription, done) => {
      const user = users.get(client);
      const isAllowed = user === cloudUser || subscription.topic === `sealcam/v1/${user ?? ''}/down`;
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
      await atMost(realClock, STOP_TIMEOUT_MS, closed);
    }
  }
}
