import { LIMITS } from '../../common/limits.js';

/** Why the broker ended a connection, as the metric names it. */
export type Refusal = 'connections' | 'connect-timeout' | 'packet-size' | 'credentials';

/** Limits of the embedded broker. Before CONNECT anybody who reaches the port may use them up. */
export const BROKER_LIMITS = {
  /** From the connection until the client is let in. */
  connectTimeoutMs: 10_000,
  /** Connections of one address that are not let in yet. An IPv6 address counts as its /64. */
  unknownPerAddressMax: 64,
  /** The same of all addresses. */
  unknownMax: 1024,
  /** Of a CONNECT: client id, user, password and last will. */
  connectMaxBytes: 2048,
  /** A message with its topic. */
  packetMaxBytes: LIMITS.messageMaxBytes + 1024,
  /** What a client may send at once, after which it is read at `bytesPerSecond`. */
  burstBytes: 512 * 1024,
  /** Two looks at 2 Mbit/s and 15 messages a second each, with what a camera sends besides. */
  bytesPerSecond: 768 * 1024,
  /** What a packet costs beside its bytes: many small ones take as much time as large ones. */
  packetCostBytes: 4096,
} as const;

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|\[::1\]|localhost)$/;

/** Whether only programs of this machine reach a listener on this address. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}
