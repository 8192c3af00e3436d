import { Agent, request } from 'node:http';
import { platform } from 'node:os';
import type { PageFetch } from '../../../app/core/cloud-requests.js';

/** Returns a fetch for one household, from its own loopback address, because the cloud limits requests by address. */
export function pageFetch(household: number): PageFetch {
  // Only Linux has all of 127.0.0.0/8 configured.
  const own = `127.1.${String(Math.floor(household / 250))}.${String(1 + (household % 250))}`;
  const agent = new Agent({ keepAlive: true, maxSockets: 2, ...(platform() === 'linux' ? { localAddress: own } : {}) });
  return (url, { method = 'GET', headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const sent = request(
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
      sent.once('error', reject);
      sent.end(typeof body === 'string' ? body : undefined);
    });
}
