import { authorityOf, endpointOf } from '../../common/address.js';
import type { Clock } from '../../common/clock.js';
import type { SealcamError } from '../../common/errors.js';
import { retrying } from '../../common/retry.js';
import { brokerFault } from './broker-fault.js';
import type { IClientOptions } from './mqtt-client.js';
import { probeNode } from './probe.js';

/** Where the broker is, and as whom the cloud connects to it. */
export interface BrokerSettings {
  /** The broker, as mqtt:// or mqtts://. */
  readonly url: string;
  /** Other nodes of the same broker, tried where the first does not answer. */
  readonly otherUrls?: readonly string[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** PEM of the authorities that may sign the broker; undefined: those of the system. */
  readonly ca?: string | undefined;
}

/** A node that answered. */
export interface BrokerNode {
  readonly url: string;
  /** 5, or 4 (MQTT 3.1.1) where the node refuses 5. */
  readonly version: 5 | 4;
}

export const RECONNECT_INTERVAL_MS = 2000;
const CONNECT_TIMEOUT_MS = 5000;

/** The nodes of the broker, and how to connect to them. */
export class BrokerNodes {
  private readonly settings: BrokerSettings;
  private readonly clock: Clock;

  constructor(settings: BrokerSettings, clock: Clock) {
    this.settings = settings;
    this.clock = clock;
  }

  /** Returns what a lasting connection needs that begins at this node and goes on at the others. */
  optionsFor({ url, version }: BrokerNode): IClientOptions {
    const { url: firstUrl, otherUrls = [] } = this.settings;
    const nodes = [url, ...[firstUrl, ...otherUrls].filter((node) => node !== url)];
    return {
      ...this.credentialsFor(url),
      protocolVersion: version,
      reconnectPeriod: RECONNECT_INTERVAL_MS,
      resubscribe: false,
      servers: nodes.map(serverOf),
    };
  }

  /** Tries the nodes in turn until one answers; null where the signal ended it. */
  find(clientId: string, signal: AbortSignal, onFault: (fault: SealcamError) => void): Promise<BrokerNode | null> {
    const { url: firstUrl, otherUrls = [], username = '' } = this.settings;
    const options = {
      clock: this.clock,
      signal,
      firstDelayMs: RECONNECT_INTERVAL_MS,
      maxDelayMs: RECONNECT_INTERVAL_MS,
    };
    return retrying(options, async () => {
      for (const url of [firstUrl, ...otherUrls]) {
        const answer = await probeNode({ ...this.credentialsFor(url), clientId: `${clientId}-probe` }, signal);
        if (answer.type === 'accepts') return { url, version: answer.version };
        if (signal.aborted) return null;
        onFault(brokerFault(nameOf(url), username, answer.error));
      }
      return null;
    });
  }

  private credentialsFor(url: string): IClientOptions {
    const { username, password, ca } = this.settings;
    return {
      ...serverOf(url),
      connectTimeout: CONNECT_TIMEOUT_MS,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(ca === undefined ? {} : { ca }),
    };
  }
}

interface Server {
  readonly host: string;
  readonly port: number;
  readonly protocol: 'mqtt' | 'mqtts';
}

function serverOf(url: string): Server {
  const isTls = new URL(url).protocol === 'mqtts:';
  return { ...endpointOf(url, isTls ? 8883 : 1883), protocol: isTls ? 'mqtts' : 'mqtt' };
}

/** Returns a node's host and port, for messages. */
export function nameOf(url: string): string {
  const { host, port } = serverOf(url);
  return authorityOf(host, port);
}
