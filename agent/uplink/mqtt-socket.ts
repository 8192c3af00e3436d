import type { Socket } from 'node:net';
import type { IClientOptions, MqttClient, Packet, Store } from 'mqtt';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { CloseCause, ServerHints } from './machine.js';
import {
  closeCauseOf,
  codeOf,
  formatReason,
  hintsOf,
  isPacketTooLarge,
  isQuotaExceeded,
  RECEIVE_MAXIMUM_DEFAULT,
  refusalOf,
  versionsOf,
} from './mqtt-answers.js';
import { PacketGuard } from './packet-guard.js';
import type { OpenSocket, PublishResult, SocketHandlers, UplinkSocket } from './socket.js';
import { openStream, type StreamSettings, type TlsSession } from './stream.js';
import { connectionError } from './tls-errors.js';

/** What a camera shows its broker, and the authorities by which it judges it. PEM; undefined if not configured. */
export interface MqttSecrets {
  readonly password: string | undefined;
  /** Undefined: the authorities of the system. */
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

/** The largest message of the protocol, with room for topic and properties. */
const PACKET_MAX_BYTES = LIMITS.messageMaxBytes + 4096;
/**
 * MQTT 5 §3.14.2.1: disconnect, and publish the last will, so that the owner learns immediately that the camera is
 * offline.
 */
const REASON_DISCONNECT_WITH_WILL = 4;
/** How long a DISCONNECT may take to leave before the stream is cut. */
const DISCONNECT_TIMEOUT_MS = 1000;

function clientOptions(settings: MqttSettings, protocol: 5 | 4, makeStore: () => Store): IClientOptions {
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
    // The machine decides when to connect.
    reconnectPeriod: 0,
    manualConnect: true,
    // The cache holds a buffer for each of 65,536 numbers: 5 MB of a camera's memory.
    writeCache: false,
    resubscribe: false,
    queueQoSZero: false,
    // The default store is null once closed, and a packet that arrives after the end then throws where nothing catches
    // it.
    incomingStore: makeStore(),
    outgoingStore: makeStore(),
    // The machine has a deadline of its own; the library's must not fire first.
    connectTimeout: 2 ** 31 - 1,
  };
}

function closedByBroker(): SealcamError {
  return new SealcamError('broker-unreachable', 'the broker closed it');
}

/** Returns an opener of MQTT connections. They share one TLS session, so that a reconnect resumes it. */
export function mqttSocket(settings: MqttSettings): OpenSocket {
  const session: TlsSession = { ticket: undefined };
  return (protocol, handlers) => new MqttAttempt(settings, session, protocol, handlers);
}

/** One attempt to connect and, if it succeeds, the connection: first the stream, then MQTT over it. */
class MqttAttempt implements UplinkSocket {
  private readonly settings: MqttSettings;
  private readonly protocol: 5 | 4;
  private readonly handlers: SocketHandlers;
  private readonly stream: Socket;
  private client: MqttClient | null = null;
  /** Rejects the promises that wait for the broker's answer. */
  private readonly pending = new Set<(error: Error) => void>();
  /** Packet identifiers of publishes that were too large for the broker. */
  private readonly tooLarge = new Set<number>();
  private hints: ServerHints = {};
  private isOpen = false;
  private isOver = false;

  constructor(settings: MqttSettings, session: TlsSession, protocol: 5 | 4, handlers: SocketHandlers) {
    this.settings = settings;
    this.protocol = protocol;
    this.handlers = handlers;
    this.stream = openStream(settings, session, {
      ready: () => {
        this.startMqtt().catch((error: unknown) => {
          this.close('failed', asSealcamError(error, 'internal'));
        });
      },
      failed: (error) => {
        this.close('failed', error);
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
      // With reconnectPeriod 0 the library drops its callbacks when a connection ends; ours are kept here.
      this.pending.add(reject);
      client.publish(topic, Buffer.from(payload), { qos: 1, retain: false }, (error, packet) => {
        const isTooLarge = this.tooLarge.delete(packet?.messageId ?? -1);
        if (!this.pending.delete(reject)) return;
        if (!(error instanceof Error)) {
          resolve('acknowledged');
          return;
        }
        const code = codeOf(error);
        if (code === undefined) reject(error);
        else if (isTooLarge || isPacketTooLarge(code)) resolve('too-large');
        else resolve(isQuotaExceeded(code) ? 'quota-exceeded' : 'refused');
      });
    });
  }

  publishOnce(topic: string, payload: Uint8Array): void {
    if (!this.isOver) this.client?.publish(topic, Buffer.from(payload), { qos: 0, retain: false });
  }

  get unsentBytes(): number {
    return this.stream.writableLength;
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
    // The library sends DISCONNECT only after all answers have come, which may be never; and the one of MQTT 3.1.1
    // suppresses the last will. In both cases the stream is cut instead.
    const canDisconnect = this.isOpen && !this.isOver && protocol === 5 && this.pending.size === 0;
    this.finish();
    if (client === null || !canDisconnect) {
      this.cut();
      return;
    }
    client.end(false, { reasonCode: REASON_DISCONNECT_WITH_WILL });
    stream.setTimeout(DISCONNECT_TIMEOUT_MS, () => stream.destroy());
  }

  destroy(): void {
    this.finish();
    this.cut();
  }

  /** Starts MQTT on a stream whose other end was verified. The library is loaded with the first one: a start needs none. */
  private async startMqtt(): Promise<void> {
    const { handlers, settings, protocol, stream } = this;
    const { MqttClient, Store } = await import('mqtt');
    if (this.isOver) return;
    if (stream.destroyed) {
      this.close('failed', closedByBroker());
      return;
    }
    const guard = new PacketGuard(PACKET_MAX_BYTES, (messageId) => {
      // An identifier that nobody waits for: a broker that makes them up shall not fill the memory.
      if (this.tooLarge.size < RECEIVE_MAXIMUM_DEFAULT) this.tooLarge.add(messageId);
    });
    stream.on('data', (chunk: Buffer) => {
      if (!guard.accepts(chunk)) stream.destroy(new Error('a packet over the announced maximum, or not MQTT at all'));
    });
    const makeStore = (): Store => new Store({ clean: false });
    const client = new MqttClient(() => stream, clientOptions(settings, protocol, makeStore));
    this.client = client;
    client.on('packetreceive', (packet) => {
      this.inspectPacket(packet);
    });
    client.on('connect', (packet) => {
      if (this.isOver) return;
      this.isOpen = true;
      const { receiveMaximum = RECEIVE_MAXIMUM_DEFAULT, maximumPacketSize } = packet.properties ?? {};
      handlers.opened(this.hints, receiveMaximum, maximumPacketSize ?? null, versionsOf(packet.properties));
    });
    client.on('message', (topic, payload) => {
      if (!this.isOver) handlers.message(topic, new Uint8Array(payload));
    });
    client.on('error', (error) => {
      this.onError(error);
    });
    stream.on('error', (error) => {
      this.onError(error);
    });
    client.on('close', () => {
      this.close(this.isOpen ? 'lost' : 'failed', closedByBroker());
    });
    client.connect();
  }

  /** Reads hints and the reason of a DISCONNECT, before the library acts on the packet. */
  private inspectPacket(packet: Packet): void {
    if (packet.cmd === 'connack') {
      this.hints = hintsOf(packet.properties);
      const keepAliveS = packet.properties?.serverKeepAlive;
      // A camera may ping more often than the broker requests. Less often, and it would notice a half-open connection
      // late.
      if (keepAliveS !== undefined && keepAliveS * 1000 > this.settings.keepAliveMs)
        delete packet.properties?.serverKeepAlive;
    }
    if (packet.cmd === 'disconnect') {
      const code = packet.reasonCode ?? 0;
      const error = new SealcamError('broker-refused', `the broker ended it, reason ${formatReason(code)}`);
      this.close(closeCauseOf(code), error, hintsOf(packet.properties), isPacketTooLarge(code));
    }
  }

  private onError(error: Error): void {
    const code = codeOf(error);
    if (!this.isOpen && code !== undefined && !this.isOver) {
      this.finish();
      this.handlers.refused(refusalOf(code), this.hints, formatReason(code));
      this.cut();
      return;
    }
    this.close(this.isOpen ? 'lost' : 'failed', connectionError(error));
  }

  private close(cause: CloseCause, error: SealcamError, hints: ServerHints = {}, isTooLarge = false): void {
    if (this.isOver) return;
    this.finish();
    this.handlers.closed(cause, error.message, { error, hints, isTooLarge });
    this.cut();
  }

  /** Destroys client and stream; nothing of the attempt stays open, whatever the other end does. */
  private cut(): void {
    this.client?.end(true);
    this.stream.destroy();
  }

  /** From here on the attempt is over: no handler is called again, and nothing waits for an answer. */
  private finish(): void {
    this.isOver = true;
    for (const reject of [...this.pending]) reject(new Error('the connection ended'));
    this.pending.clear();
  }
}
