import { connect, createServer, type Server, type Socket } from 'node:net';

/** A network that comes and goes: a TCP proxy in front of the broker. `drops` counts its outages. */
export class FlappingProxy {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private isUp = true;
  drops = 0;

  constructor(target: number) {
    this.server = createServer((near) => {
      if (!this.isUp) {
        near.destroy();
        return;
      }
      const far = connect(target, '127.0.0.1');
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          this.sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve) => this.server.listen(port, '127.0.0.1', resolve));
  }

  /** Closes every connection, and refuses new ones until {@link up}. */
  down(): void {
    if (this.isUp) this.drops++;
    this.isUp = false;
    for (const socket of this.sockets) socket.destroy();
  }

  up(): void {
    this.isUp = true;
  }

  close(): Promise<void> {
    this.down();
    return new Promise((resolve) =>
      this.server.close(() => {
        resolve();
      }),
    );
  }
}
