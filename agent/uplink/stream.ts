import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { endpointOf } from '../../common/address.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { checkByFloor } from './floor-check.js';
import { BROKER, connectionError, type Peer } from './tls-errors.js';

export interface StreamSettings {
  readonly url: string;
  /** Who is at the other end; the broker if omitted. */
  readonly peer?: Peer;
  /** PEM of the authorities; undefined: those of the system. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** Earliest time that it can be, while the wall clock cannot be trusted; null when it can. */
  readonly timeFloorMs?: () => number | null;
}

/** What a connection leaves for the next one. */
export interface TlsSession {
  ticket: Buffer | undefined;
}

export interface Handshake {
  /** Null without TLS. */
  readonly tls: string | null;
  /** Whether the session of an earlier connection was resumed, without certificates and signatures. */
  readonly isResumed: boolean;
}

export interface StreamHandlers {
  /** Connected, and with TLS the other end is verified. Nothing was written before this. */
  readonly ready: (handshake: Handshake) => void;
  /** The stream did not become ready. Not called for a stream that ends later. */
  readonly failed: (error: SealcamError) => void;
}

/** Schemes, each with its port and whether it is TLS. */
const SCHEMES: Readonly<Record<string, readonly [port: number, isTls: boolean]>> = {
  'mqtt:': [1883, false],
  'mqtts:': [8883, true],
  'http:': [80, false],
  'https:': [443, true],
};

/**
 * Opens TCP or TLS to a server and verifies its certificate before it calls `ready`. The caller destroys the socket.
 */
export function openStream(settings: StreamSettings, session: TlsSession, handlers: StreamHandlers): Socket {
  const { peer = BROKER } = settings;
  const [port, isTls] = SCHEMES[new URL(settings.url).protocol] ?? [0, true];
  const address = endpointOf(settings.url, port);
  let isDecided = false;
  const fail = (error: SealcamError): void => {
    socket.destroy();
    if (isDecided) return;
    isDecided = true;
    handlers.failed(error);
  };
  const ready = (handshake: Handshake): void => {
    isDecided = true;
    handlers.ready(handshake);
  };
  const socket = isTls
    ? tlsStream({ settings, address, session, ready, fail })
    : connectTcp(address, () => {
        ready({ tls: null, isResumed: false });
      });
  socket.on('error', (error) => {
    fail(connectionError(error, peer));
  });
  socket.once('close', () => {
    fail(connectionError(new Error('the connection was closed before it was established'), peer));
  });
  return socket;
}

interface TlsParts {
  readonly settings: StreamSettings;
  readonly address: { readonly host: string; readonly port: number };
  readonly session: TlsSession;
  readonly ready: StreamHandlers['ready'];
  readonly fail: (error: SealcamError) => void;
}

function tlsStream({ settings, address, session, ready, fail }: TlsParts): TLSSocket {
  const { ca, cert, key, timeFloorMs = () => null, peer = BROKER } = settings;
  // Only with a configured authority: against the system's authorities only OpenSSL checks, and it needs the clock.
  const floorMs = ca === undefined ? null : timeFloorMs();
  const offered = floorMs === null ? session.ticket : undefined;
  // Offered once: a ticket that the broker rejects could be the reason why an attempt fails.
  session.ticket = undefined;
  const socket = connectTls({
    ...address,
    ...(isIP(address.host) === 0 ? { servername: address.host } : {}),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(offered === undefined ? {} : { session: offered }),
    minVersion: 'TLSv1.2',
    // Without a clock checkByFloor() verifies the certificate, below, before a byte is written.
    rejectUnauthorized: floorMs === null,
  });
  socket.once('secureConnect', () => {
    try {
      if (floorMs !== null && ca !== undefined) checkByFloor(socket, address.host, ca, floorMs, peer);
    } catch (error) {
      fail(asSealcamError(error, peer.untrusted));
      return;
    }
    // TLS 1.2 sends no new ticket with a resumed session; the old one stays valid.
    const isResumed = socket.isSessionReused();
    if (isResumed) session.ticket ??= offered;
    ready({ tls: socket.getProtocol(), isResumed });
  });
  // A resumed session costs both ends a fraction of a full handshake, which matters when a whole fleet returns.
  if (floorMs === null) {
    socket.on('session', (ticket: Buffer) => {
      session.ticket = ticket;
    });
  }
  return socket;
}
