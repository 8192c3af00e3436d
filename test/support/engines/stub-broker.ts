import { createServer, type Server, type Socket } from 'node:net';
import mqttPacket, { type Packet } from 'mqtt-packet';
import { afterThisTest } from '../runner/after-test.js';

/** One connection to the stub. */
export interface StubPeer {
  readonly socket: Socket;
  readonly protocol: number;
  readonly send: (packet: Packet) => void;
  /** Sends any bytes, MQTT or not. */
  readonly raw: (bytes: Uint8Array) => void;
}

export type StubEvent = 'connected' | 'connect' | 'subscribe' | 'publish' | 'pingreq' | 'disconnect';
/** What the stub does when a socket connects and for each packet. It ignores an event without an answer. */
export type StubAnswers = Readonly<Partial<Record<StubEvent, (peer: StubPeer, packet: Packet) => void>>>;

const acceptConnect = (peer: StubPeer): void => {
  peer.send(
    peer.protocol === 5
      ? { cmd: 'connack', reasonCode: 0, sessionPresent: false }
      : { cmd: 'connack', returnCode: 0, sessionPresent: false },
  );
};

/** A well-behaved broker for a single client; tests change some of its answers. */
export const GOOD: StubAnswers = {
  connect: acceptConnect,
  subscribe: (peer, { messageId }) => {
    peer.send({ cmd: 'suback', granted: [1], ...(messageId === undefined ? {} : { messageId }) });
  },
  publish: (peer, { messageId }) => {
    peer.send({ cmd: 'puback', ...(messageId === undefined ? {} : { messageId }) });
  },
  pingreq: (peer) => {
    peer.send({ cmd: 'pingresp' });
  },
};

/** A broker for answers that no real one gives on demand. It has no logic of its own: a test sets its answers. */
export class StubBroker {
  readonly port: number;
  readonly received: Packet[] = [];
  answers: StubAnswers;
  connections = 0;
  /** Most connections that were open at the same time. */
  peersMax = 0;
  private readonly peers = new Map<Socket, StubPeer>();

  private constructor(server: Server, port: number, answers: StubAnswers) {
    this.port = port;
    this.answers = answers;
    server.on('connection', (socket) => {
      this.acceptSocket(socket);
    });
  }

  /** Starts a broker on a free port. It is stopped after the test. */
  static async start(answers: StubAnswers = GOOD): Promise<StubBroker> {
    // Half-open connections stay possible: the stub closes its side only when a test does.
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const broker = new StubBroker(server, address.port, answers);
    afterThisTest(() => {
      for (const socket of broker.peers.keys()) socket.destroy();
      server.close();
    });
    return broker;
  }

  /** Number of sockets whose other side is open. */
  get open(): number {
    return this.peers.size;
  }

  /** The newest connection. */
  get peer(): StubPeer {
    const peer = [...this.peers.values()].at(-1);
    if (peer === undefined) throw new Error('no client is connected');
    return peer;
  }

  /** Returns how many packets of this kind were received. */
  count(cmd: Packet['cmd']): number {
    return this.received.filter((packet) => packet.cmd === cmd).length;
  }

  private acceptSocket(socket: Socket): void {
    // The version in the CONNECT decides how later packets are read and written.
    let protocol = 5;
    const parser = mqttPacket.parser();
    const peer: StubPeer = {
      socket,
      get protocol() {
        return protocol;
      },
      send: (packet) => {
        const bytes = mqttPacket.generate(packet, { protocolVersion: protocol });
        if (bytes.length === 0) throw new Error(`the codec cannot write this ${packet.cmd}`);
        peer.raw(bytes);
      },
      raw: (bytes) => {
        if (socket.writable) socket.write(bytes);
      },
    };
    this.connections++;
    this.peers.set(socket, peer);
    this.peersMax = Math.max(this.peersMax, this.peers.size);
    parser.on('packet', (packet) => {
      if (packet.cmd === 'connect') protocol = packet.protocolVersion ?? 4;
      this.received.push(packet);
      const { cmd } = packet;
      if (cmd in this.answers) this.answers[cmd as StubEvent]?.(peer, packet);
    });
    const forget = (): void => {
      this.peers.delete(socket);
      socket.destroy();
    };
    socket.on('data', (chunk) => {
      parser.parse(chunk);
    });
    // The client has ended its side, by a FIN or a reset: nobody reads an answer any longer.
    socket.on('end', forget);
    socket.on('close', forget);
    socket.on('error', forget);
    this.answers.connected?.(peer, { cmd: 'pingreq' });
  }
}
