import { mqtt, type IClientOptions } from './mqtt-client.js';

/** A node's answer to a connection with MQTT 5. */
export type ProbeAnswer =
  | { readonly type: 'accepts'; readonly version: 5 | 4 }
  /** Without an error the node ended the connection or stayed silent. */
  | { readonly type: 'fails'; readonly error: Error | undefined };

/** Codes for an unsupported protocol version: return code 1 of MQTT 3.1.1, reason code 132 of MQTT 5. */
const WRONG_VERSION = [1, 132];

/**
 * Connects once with MQTT 5. Version 4 (MQTT 3.1.1) is the answer of a node that refuses 5. The signal ends it at once.
 */
export function probeNode(options: IClientOptions, signal: AbortSignal): Promise<ProbeAnswer> {
  return new Promise((resolve) => {
    const probe = mqtt.connect({ ...options, protocolVersion: 5, reconnectPeriod: 0 });
    // The library reports only some errors of the stream; the others it swallows and closes.
    let streamError: Error | undefined;
    const finish = (answer: ProbeAnswer): void => {
      signal.removeEventListener('abort', abort);
      probe.end(true);
      resolve(answer);
    };
    const abort = (): void => {
      finish({ type: 'fails', error: undefined });
    };
    probe.stream.on('error', (error: Error) => {
      streamError = error;
    });
    signal.addEventListener('abort', abort, { once: true });
    probe.once('connect', () => {
      finish({ type: 'accepts', version: 5 });
    });
    probe.on('error', (error) => {
      const isVersion = 'code' in error && WRONG_VERSION.includes(error.code);
      finish(isVersion ? { type: 'accepts', version: 4 } : { type: 'fails', error });
    });
    probe.once('close', () => {
      finish({ type: 'fails', error: streamError });
    });
  });
}
