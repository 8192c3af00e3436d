import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BrowserContext } from 'playwright-core';
import { fromBase64 } from '../../../common/bytes.js';
import type { RecordV2 } from '../../../protocol/objects/record.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { afterThisTest } from '../runner/after-test.js';
import { framed } from '../worlds/look-page.js';
import type { SealedCloud } from '../worlds/sealing-camera.js';
import { answerFrom, itemJson } from './lying-cloud.js';

/** The parts of a made-up cloud that stream: the events, and what a camera shows now. The rest is answered in the browser. */
export class LookServer {
  /** Orders as they came, starts and renewals. */
  readonly orders: Uint8Array[] = [];
  /** Streams of looks that the page left. */
  left = 0;
  private readonly cloud: SealedCloud;
  private readonly server: Server;
  private events: ServerResponse | null = null;
  private look: ServerResponse | null = null;

  private constructor(cloud: SealedCloud) {
    this.cloud = cloud;
    this.server = createServer((request, response) => {
      this.answer(request, response);
    });
  }

  /** Starts one on 127.0.0.1, which ends with the test. */
  static async start(cloud: SealedCloud): Promise<LookServer> {
    const made = new LookServer(cloud);
    await new Promise<void>((resolve) => made.server.listen(0, '127.0.0.1', resolve));
    afterThisTest(() => {
      made.server.closeAllConnections();
      made.server.close();
    });
    return made;
  }

  /** Lets a browser ask this cloud under the page's own origin. */
  async serve(context: BrowserContext): Promise<void> {
    await answerFrom(context, this.cloud);
    const { port } = this.server.address() as AddressInfo;
    const isStream = ({ pathname }: URL): boolean => pathname === '/v1/stream' || pathname.includes('/looks');
    await context.route(isStream, async (route) => {
      const { pathname } = new URL(route.request().url());
      await route.continue({ url: `http://127.0.0.1:${String(port)}${pathname}` });
    });
  }

  /** Sends a record on the stream of events. */
  pushRecord(record: Verified<RecordV2>): void {
    this.events?.write(`event: record\ndata: ${JSON.stringify(itemJson(this.cloud.itemOf(record)))}\n\n`);
  }

  /** Passes messages on. */
  pass(...messages: readonly Uint8Array[]): void {
    for (const message of messages) this.look?.write(framed(message));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader('access-control-allow-origin', request.headers.origin ?? '*');
    if (request.url === '/v1/stream') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: ready\ndata: {}\n\n');
      this.events = response;
      return;
    }
    const body: Buffer[] = [];
    request.on('data', (part: Buffer) => body.push(part));
    request.on('end', () => {
      const { order } = JSON.parse(Buffer.concat(body).toString()) as { order: string };
      this.orders.push(fromBase64(order) ?? new Uint8Array(0));
      if (request.url?.endsWith('/renewals') === true) {
        response.writeHead(202, { 'content-type': 'application/json' }).end('{"online":true}');
        return;
      }
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      response.write(framed(new Uint8Array(0)));
      response.on('close', () => {
        this.left++;
      });
      this.look = response;
    });
  }
}
