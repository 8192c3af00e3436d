import type { SealcamError } from '../../common/errors.js';
import type { CloseCause, RefusalKind, ServerHints } from './machine.js';

export interface SocketHandlers {
  /**
   * `packetMaxBytes`: the largest packet that the broker takes; null where it announces none. `versions`: those of the protocol
   * that the cloud behind it announces; none where it does not.
   */
  opened(hints: ServerHints, receiveMaximum: number, packetMaxBytes: number | null, versions?: readonly number[]): void;
  /** The broker refused the attempt. `reason`: the code of the protocol, for a log. */
  refused(kind: RefusalKind, hints: ServerHints, reason?: string): void;
  /**
   * The attempt failed or the connection ended. Called once, and no handler after it. `answer`: what the broker sent
   * with it.
   */
  closed(
    cause: CloseCause,
    reason: string,
    answer?: {
      readonly error: SealcamError;
      readonly hints: ServerHints;
      /** The broker named the size of a packet as its reason. */
      readonly isTooLarge?: boolean;
    },
  ): void;
  message(topic: string, payload: Uint8Array): void;
}

/** How a broker answered a publish. */
export type PublishResult = 'acknowledged' | 'quota-exceeded' | 'refused' | 'too-large';

/** One attempt to connect and the connection that comes of it. It never reconnects and stores nothing. */
export interface UplinkSocket {
  /** Resolves with the broker's answer; rejects when the connection ends first. */
  publish(topic: string, payload: Uint8Array): Promise<PublishResult>;
  /** Sends at most once (QoS 0): nobody says whether it arrived. */
  publishOnce(topic: string, payload: Uint8Array): void;
  /** Bytes that the operating system has not taken yet. */
  readonly unsentBytes: number;
  subscribe(topic: string): Promise<void>;
  /** Ends the connection in order where it can. The broker publishes the last will: a camera that stops is offline. */
  end(): void;
  /** Cuts the connection. The broker publishes the last will. */
  destroy(): void;
}

export type OpenSocket = (protocol: 5 | 4, handlers: SocketHandlers) => UplinkSocket;
