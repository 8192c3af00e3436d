import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { createServer } from 'node:net';

const ADDRESS = '127.0.0.1';
/** Below the ports that Linux and macOS give to outgoing connections, any of which may take a port between this and its use. */
const FIRST = 10_240;
const END = 32_768;
const ATTEMPTS_MAX = 100;

/**
 * Returns a TCP port of 127.0.0.1 on which nothing listens. While this process runs, no other call gets it, in any process:
 * much may start before the port is used, and what listens there may be stopped and started again.
 *
 * @throws Error where none is found
 */
export async function freePort(pick = (): number => randomInt(FIRST, END)): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const port = pick();
    const reservation = await reserve(port);
    if (reservation === null) continue;
    if (await isFree(port)) return port;
    reservation.close();
  }
  throw new Error(`no free port between ${String(FIRST)} and ${String(END)}`);
}

/**
 * Binds the UDP port of the same number, which nothing here uses: the system then refuses it to every other process, until this
 * one ends. Null where it is taken.
 */
function reserve(port: number): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => {
      socket.close();
      resolve(null);
    });
    socket.bind({ port, address: ADDRESS, exclusive: true }, () => {
      socket.unref();
      resolve(socket);
    });
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, ADDRESS, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
