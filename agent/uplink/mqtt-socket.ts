import mqtt, { type ErrorWithReasonCode, type IClientOptions, type MqttClient } from 'mqtt';
import { LIMITS } from '../../common/limits.js';
import type { RefusalKind, ServerHints } from './machine.js';
import type { OpenSocket, PublishResult, SocketHandlers, UplinkSocket } from './socket.js';

/** What a camera shows its broker, and whom it believes to be it. PEM; undefined for what is not configured. */
export interface MqttSecrets {
  readonly password: string | undefined;
  /** Undefined for the system's authorities. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

export interface MqttSettings extends MqttSecrets {
  readonly url: string;
  /** Lower-case hex of the device id: user name and client id. */
  readonly device: string;
  readonly keepAliveMs: number;
  readonly will: { readonly topic: string; readonly payload: Uint8Array };
}

/** User properties of a CONNACK with which a cloud paces a fleet, in milliseconds. */
export const WINDOW_PROPERTY = 'sealcam-window-ms';
export const RETRY_PROPERTY = 'sealcam-retry-after-ms';

const RECEIVE_MAXIMUM_DEFAULT = 65_535;
const QUOTA_EXCEEDED = 151;
const TAKEN_OVER = 142;

/** Reason codes of MQTT 5 §3.2.2.2 and return codes of MQTT 3.1.1 §3.2.2.3 that say why. */
const REFUSALS: Readonly<Record<number, RefusalKind>> = {
  1: 'protocol',
  2: 'credentials',
  3: 'busy',
  4: 'credentials',
  5: 'credentials',
  132: 'protocol',
  133: 'credentials',
  134: 'credentials',
  135: 'credentials',
  136: 'busy',
  137: 'busy',
  138: 'credentials',
  140: 'credentials',
  151: 'busy',
  // "Use another server" and "server moved": the reference is ignored, a broker cannot send a camera elsewhere.
  156: 'busy',
  157: 'busy',
  159: 'busy',
};

function clientOptions(settings: MqttSettings, protocol: 5 | 4, session: Buffer | undefined): IClientOptions {
  const { device, password, ca, cert, key, keepAliveMs, will } = settings;
  return {
    protocolVersion: protocol,
    clientId: device,
    username: device,
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(session === undefined ? {} : { session }),
    clean: true,
    keepalive: Math.round(keepAliveMs / 1000),
    will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: false },
    ...(protocol === 5 ? { properties: { maximumPacketSize: LIMITS.messageMaxBytes + 4096 } } : {}),
    // The machine decides when to connect; a client that reconnects by itself is half a herd.
    reconnectPeriod: 0,
    manualConnect: true,
    resubscribe: false,
    queueQoSZero: false,
    // Our own deadline is shorter or longer; the library's must not fire.
    connectTimeout: 2 ** 31 - 1,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
  } as IClientOptions;
}

export function mqttSocket(settings: MqttSettings): OpenSocket {
  // A resumed TLS session costs both ends a fraction of a handshake, which is what a returning fleet is made of.
  let session: Buffer | undefined;
  return (protocol, handlers) => {
    const offered = session;
    // One that the broker does not take must not be offered again: it could be why the attempt fails.
    session = undefined;
    const client = mqtt.connect(settings.url, clientOptions(settings, protocol, offered));
    return new MqttAttempt(client, handlers, (next) => {
      session = next;
    });
  };
}

class MqttAttempt implements UplinkSocket {
  private readonly client: MqttClient;
  private readonly handlers: SocketHandlers;
  private readonly pending = new Set<(error: Error) => void>();
  private hints: ServerHints = {};
  private isOpen = false;
  private isOver = false;

  constructor(client: MqttClient, handlers: SocketHandlers, onSession: (session: Buffer) => void) {
    this.client = client;
    this.handlers = handlers;
    client.on('packetreceive', (packet) => {
      if (packet.cmd === 'connack') this.hints = hintsOf(packet.properties?.userProperties);
    });
    client.on('connect', (packet) => {
      this.isOpen = true;
      handlers.opened(this.hints, packet.properties?.receiveMaximum ?? RECEIVE_MAXIMUM_DEFAULT);
    });
    client.on('message', (topic, payload) => {
      if (!this.isOver) handlers.message(topic, new Uint8Array(payload));
    });
    client.on('disconnect', (packet) => {
      this.over(packet.reasonCode === TAKEN_OVER ? 'taken-over' : 'lost', `disconnect ${String(packet.reasonCode)}`);
    });
    client.on('error', (error) => {
      this.failed(error);
    });
    client.on('close', () => {
      this.over(this.isOpen ? 'lost' : 'failed', 'closed');
    });
    client.connect();
    client.stream.on('session', onSession);
  }

  publish(topic: string, payload: Uint8Array): Promise<PublishResult> {
    return new Promise((resolve, reject) => {
      if (this.isOver) {
        reject(new Error('the connection is closed'));
        return;
      }
      // The library forgets its callbacks when a connection ends with reconnectPeriod 0; ours are kept here.
      this.pending.add(reject);
      this.client.publish(topic, Buffer.from(payload), { qos: 1, retain: false }, (error) => {
        if (!this.pending.delete(reject)) return;
        if (!(error instanceof Error)) {
          resolve('acknowledged');
          return;
        }
        const code = codeOf(error);
        if (code === undefined) reject(error);
        else resolve(code === QUOTA_EXCEEDED ? 'quota-exceeded' : 'refused');
      });
    });
  }

  subscribe(topic: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.pending.add(reject);
      this.client.subscribe(topic, { qos: 1 }, (error) => {
        if (!this.pending.delete(reject)) return;
        if (error instanceof Error) reject(error);
        else resolve();
      });
    });
  }

  end(): void {
    this.finish();
    this.client.end(false, { reasonCode: 0 });
  }

  destroy(): void {
    this.finish();
    this.client.end(true);
    this.client.stream.destroy();
  }

  private failed(error: Error): void {
    const code = codeOf(error);
    if (!this.isOpen && code !== undefined && !this.isOver) {
      this.finish();
      this.handlers.refused(REFUSALS[code] ?? 'other', this.hints);
      this.client.end(true);
      return;
    }
    this.over(this.isOpen ? 'lost' : 'failed', error.message);
  }

  private over(cause: 'lost' | 'taken-over' | 'failed', reason: string): void {
    if (this.isOver) return;
    this.finish();
    this.handlers.closed(cause, reason);
    this.client.end(true);
  }

  private finish(): void {
    this.isOver = true;
    for (const reject of [...this.pending]) reject(new Error('the connection ended'));
    this.pending.clear();
  }
}

/** Only codes of the protocol are numbers; those of the operating system are names. */
function codeOf(error: Error | ErrorWithReasonCode): number | undefined {
  return 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

function hintsOf(properties: unknown): ServerHints {
  if (typeof properties !== 'object' || properties === null) return {};
  const read = (name: string): number | undefined => {
    const value = (properties as Readonly<Record<string, unknown>>)[name];
    const number = typeof value === 'string' ? Number(value) : NaN;
    return Number.isFinite(number) && number >= 0 ? number : undefined;
  };
  const windowMs = read(WINDOW_PROPERTY);
  const retryAfterMs = read(RETRY_PROPERTY);
  return {
    ...(windowMs === undefined ? {} : { windowMs }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}
