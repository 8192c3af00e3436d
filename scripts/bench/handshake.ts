import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { openStream, type TlsSession } from '../../agent/uplink/stream.js';
import { compare, cpuUs, type Figure } from './measure.js';

/**
 * Measures a reconnect with a full handshake and client certificate, beside one with a resumed session; both ends run in
 * this process. Returns null without openssl, which makes the certificate.
 */
export async function benchHandshake(folder: string, progress: (text: string) => void): Promise<Figure | null> {
  const files = makeFiles(folder);
  if (files === null) {
    progress('handshake: not measured, openssl is missing');
    return null;
  }
  progress('handshake …');
  const { ca, cert, key } = files;
  const server = createServer({ ca, cert, key, requestCert: true, rejectUnauthorized: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.end('.');
  });
  await listen(server);
  const url = `mqtts://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const connect = (session: TlsSession, isResumed: boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = openStream({ url, ca, cert, key }, session, {
        ready: (how) => {
          if (how.isResumed !== isResumed) reject(new Error(isResumed ? 'not resumed' : 'resumed'));
        },
        failed: reject,
      });
      // The session ticket arrives before the first byte.
      socket.once('data', () => {
        socket.destroy();
        resolve();
      });
    });
  const kept: TlsSession = { ticket: undefined };
  await connect(kept, false);
  try {
    return await compare({
      name: 'TLS 1.3 with client certificate (P-256), CPU of both ends',
      work: () => connect({ ticket: undefined }, false),
      floor: 'the same, resumed',
      floorWork: () => connect(kept, true),
      now: cpuUs,
    });
  } finally {
    server.close();
  }
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
}

/** Makes one self-signed certificate for both ends. */
function makeFiles(folder: string): { readonly ca: string; readonly cert: string; readonly key: string } | null {
  const config = join(folder, 'tls.cnf');
  const key = join(folder, 'tls.key');
  const cert = join(folder, 'tls.pem');
  writeFileSync(config, '[req]\ndistinguished_name=n\n[n]\n[e]\nsubjectAltName=IP:127.0.0.1\n');
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const how = ['-config', config, '-extensions', 'e', '-days', '2', '-subj', '/CN=bench', '-keyout', key, '-out', cert];
  try {
    execFileSync('openssl', ['req', '-x509', ...curve, ...how], { stdio: 'ignore' });
  } catch {
    return null;
  }
  const pem = readFileSync(cert, 'utf8');
  return { ca: pem, cert: pem, key: readFileSync(key, 'utf8') };
}
