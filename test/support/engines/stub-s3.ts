import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { S3Settings } from '../../../cloud/media/s3-store.js';
import { afterThisTest } from '../runner/after-test.js';

/** What an S3 engine does to a body that it is given. */
interface Faults {
  /** Takes any bytes, whatever hash was signed. */
  readonly isUnchecked?: boolean;
  /** Stores other bytes than it was given. */
  readonly isAltering?: boolean;
  /** Answers everything with this status. */
  readonly status?: number;
}

/** An S3 engine in memory that has faults no real one has on demand. It checks no signature. */
export class StubS3 {
  readonly objects = new Map<string, Buffer>();
  faults: Faults;
  /** Headers of the last PUT. */
  lastPut: Readonly<Record<string, string | string[] | undefined>> = {};

  private constructor(faults: Faults) {
    this.faults = faults;
  }

  static async start(faults: Faults = {}): Promise<{ readonly stub: StubS3; readonly settings: S3Settings }> {
    const stub = new StubS3(faults);
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const [status, body] = stub.answer(
          request.method ?? '',
          request.url ?? '',
          request.headers,
          Buffer.concat(parts),
        );
        response.writeHead(status).end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    afterThisTest(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${String(port)}/bucket`;
    return { stub, settings: { url, region: 'us-east-1', keyId: 'AKTEST', secret: 'secret' } };
  }

  private answer(
    method: string,
    path: string,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    body: Buffer,
  ): [number, Buffer?] {
    const { isUnchecked = false, isAltering = false, status } = this.faults;
    if (status !== undefined) return [status, Buffer.from('<Error><Code>SlowDown</Code></Error>')];
    if (method === 'PUT') {
      this.lastPut = headers;
      const isSigned = headers['x-amz-content-sha256'] === createHash('sha256').update(body).digest('hex');
      if (!isSigned && !isUnchecked) return [400, Buffer.from('<Error><Code>XAmzContentSHA256Mismatch</Code></Error>')];
      const stored = Buffer.from(body);
      if (isAltering && stored.length > 0) stored[0] = (stored[0] ?? 0) ^ 1;
      this.objects.set(path, stored);
      return [200];
    }
    const stored = this.objects.get(path);
    if (method === 'DELETE') return [this.objects.delete(path) ? 204 : 404];
    return stored === undefined ? [404] : [200, stored];
  }
}
