import { createServer, type Server, type Socket } from 'node:net';
import { afterThisTest } from '../runner/after-test.js';

/** Packet types of MQTT. */
const CONNECT = 1;
const SUBSCRIBE = 8;

/**
 * The part of MQTT 3.1.1 that a subscription needs. `grants` lists in turn whether each subscription, of `filters` topics, is
 * granted.
 */
export class TinyBroker {
  readonly sockets = new Set<Socket>();
  subscriptions = 0;
  /** Accepts connections and never answers. */
  isMute = false;
  /** Refuses each CONNECT with this reason of MQTT 5. */
  refusal: number | null = null;
  private readonly grants: readonly boolean[];
  private readonly filters: number;
  private server: Server | null = null;

  constructor(grants: readonly boolean[], filters = 2) {
    this.grants = grants;
    this.filters = filters;
  }

  async start(host = '127.0.0.1'): Promise<number> {
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
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  drop(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Sends a message of one byte on a topic, QoS 0. */
  publish(topic: string): void {
    const name = Buffer.from(topic);
    const packet = Buffer.concat([Buffer.of(0x30, name.length + 3, 0, name.length), name, Buffer.of(1)]);
    for (const socket of this.sockets) socket.write(packet);
  }

  private answer(socket: Socket, packet: Buffer): void {
    if (this.isMute) return;
    const type = (packet[0] ?? 0) >> 4;
    if (type === CONNECT && this.refusal !== null) {
      socket.write(Uint8Array.of(0x20, 3, 0, this.refusal, 0));
      return;
    }
    // Byte 8 is the protocol version. 5 is refused, so that the client falls back to 4.
    if (type === CONNECT) socket.write(Uint8Array.of(0x20, 2, 0, packet[8] === 4 ? 0 : 1));
    if (type !== SUBSCRIBE) return;
    const code = this.grants[this.subscriptions++] === true ? 1 : 0x80;
    const codes = Array.from({ length: this.filters }, () => code);
    socket.write(Uint8Array.of(0x90, 2 + this.filters, packet[2] ?? 0, packet[3] ?? 0, ...codes));
  }
}
