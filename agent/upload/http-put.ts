import {
  Agent,
  request as httpRequest,
  type ClientRequest,
  type ClientRequestArgs,
  type OutgoingHttpHeaders,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../common/clock.js';
import { isSealcamError, systemCode, type SealcamError } from '../../common/errors.js';
import { openStream, type StreamSettings, type TlsSession } from '../uplink/stream.js';
import { connectionError, type Peer } from '../uplink/tls-errors.js';
import { exchange } from './exchange.js';
import type { PutBody, Upload, UploadAnswer } from './put.js';

export const CLIP_SERVER: Peer = {
  name: 'cloud',
  setting: 'clip.uploadUrl',
  unreachable: 'cloud-unreachable',
  untrusted: 'cloud-untrusted',
};

/** The base address of a server, and how long it may take. */
export interface PutSettings extends Omit<StreamSettings, 'peer'> {
  readonly connectTimeoutMs: number;
  readonly answerTimeoutMs: number;
}

/** An idle connection ends here before the server would end it. */
const IDLE_MS = 20_000;
const CONNECTIONS_MAX = 4;

/** Brings bodies over HTTP, with the certificates of the uplink, to the one host of its settings. It follows no redirect. */
export class HttpPut implements PutBody {
  private readonly settings: PutSettings;
  private readonly clock: Clock;
  private readonly connections: Connections;

  constructor(settings: PutSettings, clock: Clock) {
    this.settings = settings;
    this.clock = clock;
    this.connections = new Connections(settings, clock);
  }

  async put(upload: Upload): Promise<UploadAnswer | null> {
    const kept = this.open(upload);
    const seen = { isWanted: false };
    kept.once('continue', () => (seen.isWanted = true));
    try {
      return await this.bring(kept, upload);
    } catch (error) {
      // The server ended a connection that was kept while this request was on its way.
      const isStale = kept.reusedSocket && !seen.isWanted && /^(ECONNRESET|EPIPE)$/.test(systemCode(error) ?? '');
      if (!isStale) throw asUploadError(error);
    }
    try {
      return await this.bring(this.open(upload), upload);
    } catch (error) {
      throw asUploadError(error);
    }
  }

  close(): void {
    this.connections.close();
  }

  private async bring(request: ClientRequest, upload: Upload): Promise<UploadAnswer | null> {
    try {
      return await exchange(request, upload, this.clock, this.settings.answerTimeoutMs);
    } catch (error) {
      request.destroy();
      throw error;
    }
  }

  private open({ path, length }: Upload): ClientRequest {
    const headers = { 'content-type': 'application/octet-stream', 'content-length': length, expect: '100-continue' };
    return beginPut(this.settings.url, this.connections, path, headers);
  }
}

/** Begins a PUT below the base address of a server. */
export function beginPut(url: string, agent: Agent, path: string, headers: OutgoingHttpHeaders): ClientRequest {
  const { host, hostname, pathname } = new URL(url);
  return httpRequest({
    agent,
    host: hostname,
    method: 'PUT',
    path: pathname.replace(/\/$/, '') + path,
    headers: { host, ...headers },
  });
}

/** Connections that are kept for the next body, opened and verified as those of the uplink. */
export class Connections extends Agent {
  private readonly settings: PutSettings;
  private readonly clock: Clock;
  private readonly session: TlsSession = { ticket: undefined };
  private readonly opened = new Set<Socket>();

  constructor(settings: PutSettings, clock: Clock) {
    super({ keepAlive: true, maxSockets: CONNECTIONS_MAX, timeout: IDLE_MS });
    this.settings = settings;
    this.clock = clock;
  }

  override createConnection(
    _options: ClientRequestArgs,
    done: (error: Error | null, stream: Duplex) => void = () => undefined,
  ): undefined {
    const { connectTimeoutMs } = this.settings;
    const socket = openStream({ ...this.settings, peer: CLIP_SERVER }, this.session, {
      ready: () => {
        cancel();
        done(null, socket);
      },
      failed: (error) => {
        cancel();
        done(error, socket);
      },
    });
    const cancel = this.clock.after(connectTimeoutMs, () => {
      socket.destroy(new Error(`not connected within ${String(connectTimeoutMs)} ms`));
    });
    this.opened.add(socket);
    socket.once('close', () => this.opened.delete(socket));
  }

  close(): void {
    for (const socket of this.opened) socket.destroy();
    this.destroy();
  }
}

function asUploadError(error: unknown): SealcamError {
  return isSealcamError(error) ? error : connectionError(error, CLIP_SERVER);
}
