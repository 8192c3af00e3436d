import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { checkByFloor } from './floor-check.js';
import { connectionError } from './tls-errors.js';

export interface StreamSettings {
  readonly url: string;
  /** PEM of the authorities; undefined for the system's. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** Least that the time can be while the wall clock is not to be believed, else null. */
  readonly timeFloorMs?: () => number | null;
}

/** What the last connection left for the next one. */
export interface TlsSession {
  ticket: Buffer | undefined;
}

export interface Handshake {
  /** Null without TLS. */
  readonly tls: string | null;
  /** The session of an earlier connection goes on: no certificate was sent, no signature made. */
  readonly isResumed: boolean;
}

export interface StreamHandlers {
  /** Connected, and over TLS the other end is the right one. Nothing was written before. */
  readonly ready: (how: Handshake) => void;
  /** It never became ready; not called for what ends later. */
  readonly failed: (error: SealcamError) => void;
}

const [PORT, TLS_PORT] = [1883, 8883];

/** Opens TCP or TLS to a broker, checks who is there, and only then says so. The socket is the caller's to destroy. */
export function openStream(settings: StreamSettings, session: TlsSession, handlers: StreamHandlers): Socket {
  const { protocol, hostname, port } = new URL(settings.url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const isTls = protocol === 'mqtts:';
  const place = { host, port: port === '' ? (isTls ? TLS_PORT : PORT) : Number(port) };
  let isDecided = false;
  const fail = (error: SealcamError): void => {
    socket.destroy();
    if (isDecided) return;
    isDecided = true;
    handlers.failed(error);
  };
  const ready = (how: Handshake): void => {
    isDecided = true;
    handlers.ready(how);
  };
  const socket = isTls
    ? tlsStream(settings, place, session, ready, fail)
    : connectTcp(place, () => {
        ready({ tls: null, isResumed: false });
      });
  socket.on('error', (error) => {
    fail(connectionError(error));
  });
  socket.once('close', () => {
    fail(connectionError(new Error('the connection was closed before it was made')));
  });
  return socket;
}

function tlsStream(
  { ca, cert, key, timeFloorMs = () => null }: StreamSettings,
  place: { readonly host: string; readonly port: number },
  session: TlsSession,
  ready: StreamHandlers['ready'],
  fail: (error: SealcamError) => void,
): TLSSocket {
  // Only with an authority of our own: whom the system's hundred vouch for is checked by OpenSSL or not at all.
  const floorMs = ca === undefined ? null : timeFloorMs();
  const offered = floorMs === null ? session.ticket : undefined;
  // One that the broker does not take must not be offered again: it could be why the attempt fails.
  session.ticket = undefined;
  const socket = connectTls({
    ...place,
    ...(isIP(place.host) === 0 ? { servername: place.host } : {}),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(offered === undefined ? {} : { session: offered }),
    minVersion: 'TLSv1.2',
    // Without a clock the check is ours, below, before a byte is written.
    rejectUnauthorized: floorMs === null,
  });
  socket.once('secureConnect', () => {
    try {
      if (floorMs !== null && ca !== undefined) checkByFloor(socket, place.host, ca, floorMs);
    } catch (error) {
      fail(asSealcamError(error, 'broker-untrusted'));
      return;
    }
    // TLS 1.2 sends no new ticket with a resumed session; the old one stays good.
    const isResumed = socket.isSessionReused();
    if (isResumed) session.ticket ??= offered;
    ready({ tls: socket.getProtocol(), isResumed });
  });
  // A resumed session costs both ends a fraction of a handshake, which is what a returning fleet is made of.
  if (floorMs === null) socket.on('session', (ticket: Buffer) => void (session.ticket = ticket));
  return socket;
}
