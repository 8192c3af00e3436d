import { createServer, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { authorityOf, bareHost } from '../../common/address.js';
import { toBase64, utf8 } from '../../common/bytes.js';
import { SealcamError, systemCode } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { logFailure } from '../alarms/fault-log.js';
import { storeFacts, type OperatorSources } from './facts.js';
import { metricsText } from './metrics.js';
import { STYLE, statusPage } from './page.js';
import { Trend } from './trend.js';

export interface OperatorSettings {
  readonly host: string;
  readonly port: number;
  /** Names by which it may be asked for, besides IP addresses, `localhost` and `host`. */
  readonly names?: readonly string[];
}

const SECURITY_POLICY = `default-src 'none'; style-src 'sha256-${toBase64(nodeSuite.sha256(utf8(STYLE)))}'; frame-ancestors 'none'`;

/** Serves metrics and status page on a listener of its own: an operator's figures never share a port with the API. */
export class OperatorServer {
  private readonly sources: OperatorSources;
  private readonly log: Log;
  private readonly trend: Trend;
  private readonly server: Server;
  private names: ReadonlySet<string> = new Set();

  constructor(sources: OperatorSources, log: Log) {
    this.sources = sources;
    this.log = log;
    this.trend = new Trend(sources.clock, async () => (await storeFacts(sources))?.online ?? null);
    this.server = createServer((request, response) => {
      const path = (request.url ?? '').split('?')[0] ?? '';
      void this.answer(request.method ?? '', path, request.headers.host, response);
    });
  }

  /**
   * Listens; resolves with the port.
   *
   * @throws SealcamError `port-in-use`
   */
  async start({ host, port, names = [] }: OperatorSettings): Promise<number> {
    this.names = new Set(['localhost', host, ...names].map((name) => name.toLowerCase()));
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', (error) => {
        const code = systemCode(error) === 'EADDRINUSE' ? 'port-in-use' : 'internal';
        reject(new SealcamError(code, `operator on ${authorityOf(host, port)}: ${error.message}`, { cause: error }));
      });
      this.server.listen(port, bareHost(host), resolve);
    });
    this.trend.start();
    const address = this.server.address();
    const actual = typeof address === 'object' && address !== null ? address.port : port;
    this.log.info({ host, port: actual }, 'metrics and status page are listening');
    return actual;
  }

  async stop(): Promise<void> {
    this.trend.stop();
    if (!this.server.listening) return;
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /**
   * Whether the Host header names this server. A name that anybody can point here is not one: a browser on the operator's
   * machine would let such a page read the figures as its own (DNS rebinding). An address cannot be pointed elsewhere.
   */
  private isOurs(header: string | undefined): boolean {
    const host = hostOfHeader(header ?? '');
    return host !== null && (isIP(host) !== 0 || this.names.has(host));
  }

  private async answer(
    method: string,
    path: string,
    host: string | undefined,
    response: ServerResponse,
  ): Promise<void> {
    const send = (status: number, type: string, text: string): void => {
      response.writeHead(status, {
        'content-type': `${type}; charset=utf-8`,
        'content-security-policy': SECURITY_POLICY,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
      response.end(method === 'HEAD' ? '' : text);
    };
    try {
      if (!['GET', 'HEAD'].includes(method)) {
        send(405, 'text/plain', 'only GET is supported\n');
      } else if (!this.isOurs(host)) {
        send(421, 'text/plain', 'this name is not known here; put it into operator.names\n');
      } else if (path === '/healthz') {
        send(200, 'text/plain', 'ok\n');
      } else if (path === '/readyz') {
        const reason = await this.sources.notReady();
        send(reason === null ? 200 : 503, 'text/plain', `${reason ?? 'ready'}\n`);
      } else if (path === '/metrics') {
        send(200, 'text/plain; version=0.0.4', metricsText(this.sources, await storeFacts(this.sources)));
      } else if (path === '/operator' || path === '/') {
        const facts = await storeFacts(this.sources);
        send(200, 'text/html', statusPage(this.sources, facts, this.trend.samples));
      } else {
        send(404, 'text/plain', 'not found; see /metrics, /operator, /healthz and /readyz\n');
      }
    } catch (error) {
      logFailure(this.log, error, "the operator's request failed");
      response.destroy();
    }
  }
}

/** Returns the host of a Host header (RFC 9110 §7.2) without its port, in lower case; null if it is not one. */
function hostOfHeader(header: string): string | null {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?$/.exec(header);
  return match?.[1] === undefined ? null : bareHost(match[1]).toLowerCase();
}
