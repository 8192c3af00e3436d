import { connect, createServer, type Server, type Socket } from 'node:net';

/** A load balancer before the nodes of a cluster: forwards each connection to the next node that answers. */
export class TcpFront {
  private readonly port: number;
  private readonly targets: readonly number[];
  private readonly sockets = new Set<Socket>();
  private server: Server | null = null;
  private turn = 0;

  constructor(port: number, targets: readonly number[]) {
    this.port = port;
    this.targets = targets;
  }

  async start(): Promise<void> {
    const server = createServer((socket) => {
      this.track(socket);
      this.forward(socket, this.targets.length);
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
    for (const socket of this.sockets) socket.destroy();
    if (server !== null) await new Promise((resolve) => server.close(resolve));
  }

  private forward(socket: Socket, tries: number): void {
    const port = this.targets[this.turn++ % this.targets.length] ?? 0;
    const target = connect(port, '127.0.0.1');
    target.once('error', () => {
      if (tries > 1 && target.bytesRead === 0 && !socket.destroyed) this.forward(socket, tries - 1);
      else socket.destroy();
    });
    target.once('connect', () => {
      this.track(target);
      socket.pipe(target).pipe(socket);
      target.once('close', () => socket.destroy());
      socket.once('close', () => target.destroy());
    });
  }

  private track(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.sockets.delete(socket));
  }
}
