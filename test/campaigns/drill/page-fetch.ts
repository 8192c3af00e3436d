import { Agent, request } from 'node:http';
import { platform } from 'node:os';
import type { PageFetch } from '../../../app/core/cloud-client.js';

/** A fetch for one household: with a loopback address of its own, because the cloud limits requests by address. */
export function pageFetch(household: number): PageFetch {
  // Only Linux answers on all of 127.0.0.0/8 without being told to.
  const own = `127.1.${String(Math.floor(household / 250))}.${String(1 + (household % 250))}`;
  const agent = new Agent({ keepAlive: true, maxSockets: 2, ...(platform() === 'linux' ? { localAddress: own } : {}) });
  return (url, { method = 'GET', headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const asked = request(
        url,
        {
          method,
          agent,
          headers: headers as Record<string, string>,
          ...(signal === undefined || signal === null ? {} : { signal }),
        },
        (answer) => {
          const parts: Buffer[] = [];
          answer.on('data', (part: Buffer) => parts.push(part));
          answer.once('error', reject);
          answer.once('end', () => {
            const { statusCode: status = 500 } = answer;
            const type = answer.headers['content-type'] ?? '';
            const content = status === 204 ? null : Buffer.concat(parts);
            resolve(new Response(content, { status, headers: { 'content-type': type } }));
          });
        },
      );
      asked.once('error', reject);
      asked.end(typeof body === 'string' ? body : undefined);
    });
}
