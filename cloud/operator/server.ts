import { createServer, type Server, type ServerResponse } from 'node:http';
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
}

const SECURITY_POLICY = `default-src 'none'; style-src 'sha256-${toBase64(nodeSuite.sha256(utf8(STYLE)))}'; frame-ancestors 'none'`;

/** Serves metrics and status page on a listener of its own: an operator's figures never share a port with the API. */
export class OperatorServer {
  private readonly sources: OperatorSources;
  private readonly log: Log;
  private readonly trend: Trend;
  private readonly server: Server;

  constructor(sources: OperatorSources, log: Log) {
    this.sources = sources;
    this.log = log;
    this.trend = new Trend(sources.clock, async () => (await storeFacts(sources))?.online ?? null);
    this.server = createServer((request, response) => {
      void this.answer(request.method ?? '', (request.url ?? '').split('?')[0] ?? '', response);
    });
  }

  /**
   * Listens; resolves with the port.
   *
   * @throws SealcamError `port-in-use`
   */
  async start({ host, port }: OperatorSettings): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', (error) => {
        const code = systemCode(error) === 'EADDRINUSE' ? 'port-in-use' : 'internal';
        reject(new SealcamError(code, `operator on ${host}:${String(port)}: ${error.message}`, { cause: error }));
      });
      this.server.listen(port, host, resolve);
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

  private async answer(method: string, path: string, response: ServerResponse): Promise<void> {
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
      } else if (path === '/metrics') {
        send(200, 'text/plain; version=0.0.4', metricsText(this.sources, await storeFacts(this.sources)));
      } else if (path === '/operator' || path === '/') {
        const facts = await storeFacts(this.sources);
        send(200, 'text/html', statusPage(this.sources, facts, this.trend.samples));
      } else {
        send(404, 'text/plain', 'not found; see /metrics and /operator\n');
      }
    } catch (error) {
      logFailure(this.log, error, "the operator's request failed");
      response.destroy();
    }
  }
}
