import type { SealcamError } from '../../common/errors.js';
import type { CloseCause, RefusalKind, ServerHints } from './machine.js';

export interface SocketHandlers {
  opened(hints: ServerHints, receiveMaximum: number): void;
  /** `reason`: the protocol's code, for a log. */
  refused(kind: RefusalKind, hints: ServerHints, reason?: string): void;
  /** The attempt failed or the connection ended; called once, and nothing after it. */
  closed(cause: CloseCause, reason: string, said?: { readonly error: SealcamError; readonly hints: ServerHints }): void;
  message(topic: string, payload: Uint8Array): void;
}

/** How a broker answered a publish. */
export type PublishResult = 'acknowledged' | 'quota-exceeded' | 'refused';

/** One connection attempt and what came of it: never reconnects, never stores, ends for good. */
export interface UplinkSocket {
  /** Resolves with the broker's answer; rejects when the connection ends before it. */
  publish(topic: string, payload: Uint8Array): Promise<PublishResult>;
  subscribe(topic: string): Promise<void>;
  /** Says good-bye where it can; the broker sends the last will, for a camera that stops is offline. */
  end(): void;
  /** Cuts the connection: the broker sends the last will. */
  destroy(): void;
}

export type OpenSocket = (protocol: 5 | 4, handlers: SocketHandlers) => UplinkSocket;
