import { createServer, type Server, type Socket } from 'node:net';
import mqttPacket, { type Packet } from 'mqtt-packet';
import { afterThisTest } from '../runner/after-test.js';

/** One connection at the stub. */
export interface StubPeer {
  readonly socket: Socket;
  readonly protocol: number;
  readonly send: (packet: Packet) => void;
  /** Any bytes, whether MQTT or not. */
  readonly raw: (bytes: Uint8Array) => void;
}

export type StubEvent = 'connected' | 'connect' | 'subscribe' | 'publish' | 'pingreq' | 'disconnect';
/** What the stub does when a client connected its socket, and for each packet; nothing where nothing is named. */
export type StubAnswers = Readonly<Partial<Record<StubEvent, (peer: StubPeer, packet: Packet) => void>>>;

const accept = (peer: StubPeer): void => {
  peer.send(
    peer.protocol === 5
      ? { cmd: 'connack', reasonCode: 0, sessionPresent: false }
      : { cmd: 'connack', returnCode: 0, sessionPresent: false },
  );
};

/** A broker as it should be, for a single client: what a bad one differs from. */
export const GOOD: StubAnswers = {
  connect: accept,
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

/** Answers that no broker gives on demand. It tells nothing apart by itself: what happens is in its answers. */
export class StubBroker {
  readonly port: number;
  readonly received: Packet[] = [];
  answers: StubAnswers;
  connections = 0;
  mostAtOnce = 0;
  private readonly peers = new Map<Socket, StubPeer>();

  private constructor(server: Server, port: number, answers: StubAnswers) {
    this.port = port;
    this.answers = answers;
    server.on('connection', (socket) => {
      this.welcome(socket);
    });
  }

  static async start(answers: StubAnswers = GOOD): Promise<StubBroker> {
    // Half-open stays possible: the stub closes its side only when a test says so.
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

  /** Sockets whose other side is still there. */
  get open(): number {
    return this.peers.size;
  }

  get peer(): StubPeer {
    const [peer] = [...this.peers.values()].slice(-1);
    if (peer === undefined) throw new Error('nobody is connected');
    return peer;
  }

  count(cmd: Packet['cmd']): number {
    return this.received.filter((packet) => packet.cmd === cmd).length;
  }

  private welcome(socket: Socket): void {
    // The version of the CONNECT decides how the rest is read and written.
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
    this.mostAtOnce = Math.max(this.mostAtOnce, this.peers.size);
    parser.on('packet', (packet) => {
      if (packet.cmd === 'connect') protocol = packet.protocolVersion ?? 4;
      this.received.push(packet);
      const { cmd } = packet;
      if (cmd in this.answers) this.answers[cmd as StubEvent]?.(peer, packet);
    });
    const gone = (): void => {
      this.peers.delete(socket);
      socket.destroy();
    };
    socket.on('data', (chunk) => {
      parser.parse(chunk);
    });
    // The client's side has ended: whether by a FIN or a reset, there is nobody left to talk to.
    socket.on('end', gone);
    socket.on('close', gone);
    socket.on('error', gone);
    this.answers.connected?.(peer, { cmd: 'pingreq' });
  }
}
