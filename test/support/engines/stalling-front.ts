import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * A way to a server that can die without a word, as a network does: while it stalls, connections stay open and are accepted,
 * and no byte arrives anywhere.
 */
export class StallingFront {
  private readonly port: number;
  private readonly target: number;
  private readonly sockets = new Set<Socket>();
  private server: Server | null = null;
  private isStalled = false;
  private leftBytes = Infinity;

  constructor(port: number, target: number) {
    this.port = port;
    this.target = target;
  }

  async start(): Promise<void> {
    const server = createServer((socket) => {
      const target = connect(this.target, '127.0.0.1');
      this.join(socket, target, (bytes) => {
        this.leftBytes -= bytes;
        if (this.leftBytes <= 0) this.stall();
      });
      this.join(target, socket);
    });
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
  }

  async stop(): Promise<void> {
    const { server } = this;
    this.server = null;
    this.closeAll();
    if (server !== null) await new Promise((resolve) => server.close(resolve));
  }

  stall(): void {
    this.isStalled = true;
  }

  /** Lets this many bytes of what clients send pass, and stalls then. */
  stallAfter(bytes: number): void {
    this.leftBytes = bytes;
  }

  /** Bytes that were lost leave connections that are good for nothing, so they close. */
  resume(): void {
    this.isStalled = false;
    this.leftBytes = Infinity;
    this.closeAll();
  }

  private closeAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private join(from: Socket, to: Socket, passed: (bytes: number) => void = () => undefined): void {
    this.sockets.add(from);
    from.on('data', (chunk: Buffer) => {
      if (this.isStalled) return;
      to.write(chunk);
      passed(chunk.length);
    });
    from.on('error', () => undefined);
    from.once('close', () => {
      this.sockets.delete(from);
      to.destroy();
    });
  }
}
