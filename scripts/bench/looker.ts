import { readFileSync } from 'node:fs';
import { realClock } from '../../common/adapters/real-clock.js';
import { realRandom } from '../../common/adapters/real-random.js';
import { sleep } from '../../common/clock.js';
import { CloudClient } from '../../app/core/cloud-client.js';
import { lookFrames } from '../../app/core/look-frames.js';
import { ownerKeys } from '../../app/core/owner-keys.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { xwingKeys } from '../../protocol/crypto/xwing.js';
import { anyClaimKind } from '../../protocol/objects/claim.js';
import { lookKind, type Look } from '../../protocol/objects/look.js';
import { anyRecordKind } from '../../protocol/objects/record.js';
import { openSigned, signObject } from '../../protocol/objects/signed-object.js';
import { LOOKER_ORIGIN } from './looker-file.js';

/**
 * Looks through a camera for a while, as its owner's page does, but opens no picture: what comes is counted. Arguments: the owner's
 * master key and the claim in hex, one a line; the port of the cloud's API; seconds, at most the ten minutes that a signer has in an
 * hour. Prints "looking" with the first message, and what came as JSON at the end.
 */
const [file = '', port = '8080', seconds = '60'] = process.argv.slice(2);
const [master = '', claimBytes = ''] = readFileSync(file, 'utf8').split('\n');
const owner = ownerKeys(nodeSuite, new Uint8Array(Buffer.from(master, 'hex')));
const claim = openSigned(anyClaimKind, nodeSuite, new Uint8Array(Buffer.from(claimBytes, 'hex')));
const { device, epoch } = claim.value;
const client = new CloudClient({
  suite: nodeSuite,
  clock: realClock,
  keys: owner,
  cloudOrigin: `http://127.0.0.1:${port}`,
  pageOrigin: LOOKER_ORIGIN,
  fetch: (url, init) => fetch(url, init),
});
/** An order is for a minute; it is renewed in time for the answer to come. */
const RENEW_MS = 40_000;
const POLL_MS = 1000;

const session = realRandom.bytes(16);
const stop = new AbortController();
let [messages, bytes, orders] = [0, 0, 0];

async function newest(): Promise<readonly [number, Uint8Array]> {
  for (;;) {
    const { records } = await client.records(device, epoch, null, 1).catch(() => ({ records: [] }));
    const [last] = records;
    if (last !== undefined) {
      const { value, hash } = openSigned(anyRecordKind, nodeSuite, last.record);
      return [value.seq, hash];
    }
    await sleep(realClock, POLL_MS);
  }
}

async function order(change: Pick<Look, 'renewal' | 'kemKey' | 'seconds'>): Promise<Uint8Array> {
  const about = {
    version: 2 as const,
    device,
    epoch,
    claimHash: claim.hash,
    session,
    recent: await newest(),
    ...change,
  };
  orders++;
  return signObject(lookKind, nodeSuite, owner.signer, about).bytes;
}

async function renew(): Promise<void> {
  for (let renewal = 1; ; renewal++) {
    await sleep(realClock, RENEW_MS);
    if (stop.signal.aborted) return;
    await client.renewLook(device, await order({ renewal, kemKey: null, seconds: 60 }));
  }
}

const { publicKey } = xwingKeys(nodeSuite, realRandom.bytes(32));
const body = await client.openLook(device, await order({ renewal: 0, kemKey: publicKey, seconds: 60 }), stop.signal);
for await (const frame of lookFrames(body, (wait) => wait, stop.signal)) {
  if (frame.type === 'closed') throw new Error(`the look ended: ${frame.code} ${frame.message}`);
  if (frame.type !== 'message') continue;
  if (messages++ === 0) {
    process.stdout.write('looking\n');
    setTimeout(
      () => {
        stop.abort();
      },
      1000 * Number(seconds),
    );
    renew().catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      stop.abort();
    });
  }
  bytes += frame.bytes.length;
}
process.stdout.write(`${JSON.stringify({ messages, bytes, orders })}\n`, () => process.exit(0));
