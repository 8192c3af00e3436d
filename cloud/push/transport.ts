import { Agent, request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { PushServices } from './endpoint.js';
import type { PushRequest } from './web-push.js';

export interface PushAnswer {
  readonly status: number;
  /** How long the service asks to be left alone; null where it does not say. */
  readonly retryAfterMs: number | null;
}

export interface TransportSettings {
  readonly services: PushServices;
  /** Certificates (PEM) of the authorities that may sign the services; undefined for those of Node. */
  readonly ca?: string | undefined;
  /** From the first byte to the whole answer. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const CONNECTIONS_PER_HOST_MAX = 32;
/** What is read of an answer, whose status alone counts; a service that says more loses its connection. */
const ANSWER_MAX_BYTES = 4096;
const RETRY_AFTER_MAX_MS = 3_600_000;

/** Sends messages to push services over https. Follows no redirect. */
export class PushTransport {
  private readonly services: PushServices;
  private readonly agent: Agent;
  private readonly timeoutMs: number;

  constructor({ services, ca, timeoutMs = TIMEOUT_MS }: TransportSettings) {
    this.services = services;
    this.timeoutMs = timeoutMs;
    this.agent = new Agent({
      keepAlive: true,
      maxSockets: CONNECTIONS_PER_HOST_MAX,
      lookup: services.lookup,
      ...(ca === undefined ? {} : { ca }),
    });
  }

  /**
   * Sends one message.
   *
   * @param nowMs wall time, for a Retry-After that names a date
   * @throws SealcamError `request-invalid` for an endpoint that is not allowed; Error where there is no answer
   */
  async send(endpoint: string, { headers, body }: PushRequest, nowMs: number): Promise<PushAnswer> {
    const url = this.services.check(endpoint);
    const signal = AbortSignal.timeout(this.timeoutMs);
    const request = httpsRequest(url, { method: 'POST', headers, agent: this.agent, signal });
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve);
      request.on('error', reject);
      request.end(body);
    });
    let length = 0;
    for await (const part of response) {
      length += (part as Buffer).length;
      if (length > ANSWER_MAX_BYTES) break;
    }
    return { status: response.statusCode ?? 0, retryAfterMs: retryAfterMs(response.headers['retry-after'], nowMs) };
  }

  close(): void {
    this.agent.destroy();
  }
}

/** Reads seconds, or a date (RFC 9110, section 10.2.3). */
function retryAfterMs(text: string | undefined, nowMs: number): number | null {
  if (text === undefined) return null;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? null : Math.min(RETRY_AFTER_MAX_MS, Math.max(0, ms));
}
