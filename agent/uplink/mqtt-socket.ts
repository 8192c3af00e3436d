import type { Socket } from 'node:net';
import { MqttClient, Store, type ErrorWithReasonCode, type IClientOptions, type Packet } from 'mqtt';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { CloseCause, RefusalKind, ServerHints } from './machine.js';
import { PacketGuard } from './packet-guard.js';
import type { OpenSocket, PublishResult, SocketHandlers, UplinkSocket } from './socket.js';
import { openStream, type StreamSettings, type TlsSession } from './stream.js';
import { connectionError } from './tls-errors.js';

/** What a camera shows its broker, and whom it believes to be it. PEM; undefined for what is not configured. */
export interface MqttSecrets {
  readonly password: string | undefined;
  /** Undefined for the system's authorities. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

export interface MqttSettings extends MqttSecrets, StreamSettings {
  /** Lower-case hex of the device id: user name and client id. */
  readonly device: string;
  readonly keepAliveMs: number;
  readonly will: { readonly topic: string; readonly payload: Uint8Array };
}

/** User properties of a CONNACK with which a cloud paces a fleet, in milliseconds. */
export const WINDOW_PROPERTY = 'sealcam-window-ms';
export const RETRY_PROPERTY = 'sealcam-retry-after-ms';

const RECEIVE_MAXIMUM_DEFAULT = 65_535;
/** The largest message that the protocol knows, with topic and properties. */
const PACKET_MAX_BYTES = LIMITS.messageMaxBytes + 4096;
const QUOTA_EXCEEDED = 151;
const TAKEN_OVER = 142;
/** A camera that stops is offline, and who watches it should know at once. */
const DISCONNECT_WITH_WILL = 4;
/** So long a good-bye may take to leave. */
const GOOD_BYE_MS = 1000;

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
  150: 'busy',
  151: 'busy',
  // "Use another server" and "server moved": the reference is ignored, a broker cannot send a camera elsewhere.
  156: 'busy',
  157: 'busy',
  159: 'busy',
};

function clientOptions(settings: MqttSettings, protocol: 5 | 4): IClientOptions {
  const { device, password, keepAliveMs, will } = settings;
  return {
    protocolVersion: protocol,
    clientId: device,
    username: device,
    ...(password === undefined ? {} : { password }),
    clean: true,
    keepalive: Math.round(keepAliveMs / 1000),
    will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: false },
    ...(protocol === 5 ? { properties: { maximumPacketSize: PACKET_MAX_BYTES } } : {}),
    // The machine decides when to connect; a client that reconnects by itself is half a herd.
    reconnectPeriod: 0,
    manualConnect: true,
    // A buffer made beforehand for each of 65,536 numbers is 5 MB that a camera has better use for.
    writeCache: false,
    resubscribe: false,
    queueQoSZero: false,
    // A store that is closed is null for packets that came behind the end of a connection, and throws where nobody catches.
    incomingStore: new Store({ clean: false }),
    outgoingStore: new Store({ clean: false }),
    // Our own deadline is shorter or longer; the library's must not fire.
    connectTimeout: 2 ** 31 - 1,
  };
}

export function mqttSocket(settings: MqttSettings): OpenSocket {
  const session: TlsSession = { ticket: undefined };
  return (protocol, handlers) => new MqttAttempt(settings, session, protocol, handlers);
}

class MqttAttempt implements UplinkSocket {
  private readonly settings: MqttSettings;
  private readonly protocol: 5 | 4;
  private readonly handlers: SocketHandlers;
  private readonly stream: Socket;
  private client: MqttClient | null = null;
  private readonly pending = new Set<(error: Error) => void>();
  private hints: ServerHints = {};
  private isOpen = false;
  private isOver = false;

  constructor(settings: MqttSettings, session: TlsSession, protocol: 5 | 4, handlers: SocketHandlers) {
    this.settings = settings;
    this.protocol = protocol;
    this.handlers = handlers;
    this.stream = openStream(settings, session, {
      ready: () => {
        if (!this.isOver) this.greet();
      },
      failed: (error) => {
        this.over('failed', error);
      },
    });
  }

  publish(topic: string, payload: Uint8Array): Promise<PublishResult> {
    return new Promise((resolve, reject) => {
      const { client } = this;
      if (this.isOver || client === null) {
        reject(new Error('the connection is closed'));
        return;
      }
      // The library forgets its callbacks when a connection ends with reconnectPeriod 0; ours are kept here.
      this.pending.add(reject);
      client.publish(topic, Buffer.from(payload), { qos: 1, retain: false }, (error) => {
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
      const { client } = this;
      if (this.isOver || client === null) {
        reject(new Error('the connection is closed'));
        return;
      }
      this.pending.add(reject);
      client.subscribe(topic, { qos: 1 }, (error) => {
        if (!this.pending.delete(reject)) return;
        if (!(error instanceof Error)) resolve();
        // The library's error carries the SUBACK where there was one.
        else if ('packet' in error && error.packet !== undefined)
          reject(new SealcamError('broker-refused', error.message));
        else reject(error);
      });
    });
  }

  end(): void {
    const { client, stream, protocol } = this;
    // A good-bye that waits for answers may wait for ever, and MQTT 3.1.1 has none that lets the last will be sent.
    const mayWait = this.isOpen && !this.isOver && protocol === 5 && this.pending.size === 0;
    this.finish();
    if (client === null || !mayWait) {
      this.cut();
      return;
    }
    client.end(false, { reasonCode: DISCONNECT_WITH_WILL });
    stream.setTimeout(GOOD_BYE_MS, () => stream.destroy());
  }

  destroy(): void {
    this.finish();
    this.cut();
  }

  /** The other end is the right one: MQTT begins. */
  private greet(): void {
    const { handlers, settings, protocol, stream } = this;
    const guard = new PacketGuard(PACKET_MAX_BYTES);
    stream.on('data', (chunk: Buffer) => {
      if (!guard.accepts(chunk)) stream.destroy(new Error('a packet larger than the broker was told, or none at all'));
    });
    const client = new MqttClient(() => stream, clientOptions(settings, protocol));
    this.client = client;
    client.on('packetreceive', (packet) => {
      this.received(packet);
    });
    client.on('connect', (packet) => {
      if (this.isOver) return;
      this.isOpen = true;
      handlers.opened(this.hints, packet.properties?.receiveMaximum ?? RECEIVE_MAXIMUM_DEFAULT);
    });
    client.on('message', (topic, payload) => {
      if (!this.isOver) handlers.message(topic, new Uint8Array(payload));
    });
    client.on('error', (error) => {
      this.failed(error);
    });
    stream.on('error', (error) => {
      this.failed(error);
    });
    client.on('close', () => {
      this.over(this.isOpen ? 'lost' : 'failed', new SealcamError('broker-unreachable', 'the broker closed it'));
    });
    client.connect();
  }

  private received(packet: Packet): void {
    if (packet.cmd === 'connack') {
      this.hints = hintsOf(packet.properties);
      const told = packet.properties?.serverKeepAlive;
      // Proving to live more often than a broker asks for is allowed; less often, a half-open connection stays unnoticed.
      if (told !== undefined && told * 1000 > this.settings.keepAliveMs) delete packet.properties?.serverKeepAlive;
    }
    if (packet.cmd === 'disconnect') {
      const code = packet.reasonCode ?? 0;
      const kind = REFUSALS[code];
      const cause = code === TAKEN_OVER ? code : kind === 'busy' || kind === 'credentials' ? kind : 'lost';
      const error = new SealcamError('broker-refused', `the broker ended it, reason ${reasonOf(code)}`);
      this.over(cause === TAKEN_OVER ? 'taken-over' : cause, error, hintsOf(packet.properties));
    }
  }

  private failed(error: Error): void {
    const code = codeOf(error);
    if (!this.isOpen && code !== undefined && !this.isOver) {
      this.finish();
      this.handlers.refused(REFUSALS[code] ?? 'other', this.hints, reasonOf(code));
      this.cut();
      return;
    }
    this.over(this.isOpen ? 'lost' : 'failed', connectionError(error));
  }

  private over(cause: CloseCause, error: SealcamError, hints: ServerHints = {}): void {
    if (this.isOver) return;
    this.finish();
    this.handlers.closed(cause, error.message, { error, hints });
    this.cut();
  }

  /** Nothing of an attempt stays behind, whatever the other end does. */
  private cut(): void {
    this.client?.end(true);
    this.stream.destroy();
  }

  private finish(): void {
    this.isOver = true;
    for (const reject of [...this.pending]) reject(new Error('the connection ended'));
    this.pending.clear();
  }
}

function reasonOf(code: number): string {
  return `0x${code.toString(16).padStart(2, '0')}`;
}

/** Only codes of the protocol are numbers; those of the operating system are names. */
function codeOf(error: Error | ErrorWithReasonCode): number | undefined {
  return 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

/** A reference to another server is noticed and not followed: a broker cannot send a camera elsewhere. */
function hintsOf(properties: PropertiesWithHints | undefined): ServerHints {
  const told = properties?.userProperties ?? {};
  const read = (name: string): number | undefined => {
    const value = told[name];
    const number = typeof value === 'string' && value !== '' ? Number(value) : NaN;
    return Number.isFinite(number) && number >= 0 ? number : undefined;
  };
  const windowMs = read(WINDOW_PROPERTY);
  const retryAfterMs = read(RETRY_PROPERTY);
  return {
    ...(windowMs === undefined ? {} : { windowMs }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

interface PropertiesWithHints {
  readonly userProperties?: Readonly<Record<string, unknown>>;
}
