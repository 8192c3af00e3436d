import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterThisTest } from '../runner/after-test.js';

/** A request as a server saw it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Whether this server asked for the body. */
  isContinued: boolean;
  body: Buffer;
}

export type Answer = (request: IncomingMessage, response: ServerResponse, seen: Seen) => void;

/** A server for the bodies of clips that a test lets do anything. */
export class ClipServer {
  readonly requests: Seen[] = [];
  connections = 0;
  answer: Answer;
  private readonly server: Server;
  private readonly scheme: string;

  private constructor(answer: Answer, tls: ServerOptions | null) {
    this.answer = answer;
    this.scheme = tls === null ? 'http' : 'https';
    this.server = tls === null ? createServer() : createTlsServer(tls);
    const handle = (request: IncomingMessage, response: ServerResponse): void => {
      const { method = '', url: path = '', headers } = request;
      const seen: Seen = { method, path, headers, isContinued: false, body: Buffer.alloc(0) };
      this.requests.push(seen);
      request.on('data', (part: Buffer) => (seen.body = Buffer.concat([seen.body, part])));
      request.on('error', () => undefined);
      response.on('error', () => undefined);
      this.answer(request, response, seen);
    };
    this.server.on('checkContinue', handle);
    this.server.on('request', handle);
    this.server.on(tls === null ? 'connection' : 'secureConnection', () => {
      this.connections++;
    });
  }

  /** Starts a server on 127.0.0.1, which ends with the test. */
  static async start(answer: Answer, tls: ServerOptions | null = null): Promise<ClipServer> {
    const made = new ClipServer(answer, tls);
    await made.listen();
    return made;
  }

  get url(): string {
    const { port } = this.server.address() as AddressInfo;
    return `${this.scheme}://127.0.0.1:${String(port)}`;
  }

  cutAll(): void {
    this.server.closeAllConnections();
  }

  private async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    afterThisTest(() => {
      this.server.closeAllConnections();
      this.server.close();
    });
  }
}

/** Asks for the body, reads it, then answers with what this returns. */
export function reading(
  answerTo: (body: Buffer) => { status: number; headers?: Record<string, string>; bytes?: Uint8Array },
): Answer {
  return (request, response, seen) => {
    seen.isContinued = true;
    response.writeContinue();
    request.on('end', () => {
      const { status, headers = {}, bytes = new Uint8Array(0) } = answerTo(seen.body);
      response.writeHead(status, headers).end(bytes);
    });
  };
}
