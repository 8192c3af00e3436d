/**
 * The floor of `npm run fleet -- --only media`: takes the same bodies over HTTP into the same MediaStore as a worker, and asks neither
 * whether they are expected nor whether they are whole, notes no row and signs nothing. A program of this campaign alone.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { createLog } from '../../../common/adapters/pino-log.js';
import { fromHex, toHex } from '../../../common/bytes.js';
import { openMedia } from '../../../cloud/main/compose.js';
import { loadCloudConfig } from '../../../cloud/main/config.js';

const config = loadCloudConfig({ file: null, environment: process.env });
const log = createLog('info', process.stdout);
const { store, staging } = openMedia(config);

async function storeBody(request: IncomingMessage): Promise<Uint8Array> {
  const [device = '', epoch = '', hash = ''] = (request.url ?? '').split('/').slice(3);
  const key = { device: bytesOf(device), epoch: Number(epoch), bodyHash: bytesOf(hash) };
  const staged = await staging.receive(request, Number(request.headers['content-length']));
  try {
    return await store.put(key, staged);
  } finally {
    await staging.discard(staged);
  }
}

function bytesOf(hex: string): Uint8Array {
  const bytes = fromHex(hex, 32);
  if (bytes === undefined) throw new Error('not a hash');
  return bytes;
}

createServer((request, response) => {
  storeBody(request).then(
    (stored) => response.writeHead(200, { 'content-type': 'application/cose' }).end(toHex(stored)),
    (error: unknown) => {
      log.error({}, String(error));
      response.writeHead(500).end();
    },
  );
}).listen(config['http.port'], config['http.host'], () => {
  log.info({}, 'receiving records');
});
