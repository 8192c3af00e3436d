/**
 * The floor of a rate: a worker with the real feed, store and receipts that believes what arrives. It decodes a record, and
 * skips its signature, its claim row, the revocation and the hashes of its pictures. A program of this campaign alone:
 * nothing in the product can be set to it.
 */
import { createLog } from '../../../common/adapters/pino-log.js';
import { nextTurn } from '../../../common/adapters/next-turn.js';
import { realClock } from '../../../common/adapters/real-clock.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { Counters } from '../../../common/counters.js';
import type { CameraMessage } from '../../../cloud/ingest/ingest.js';
import { MqttFeed } from '../../../cloud/ingest/mqtt-feed.js';
import { makeReceipt } from '../../../cloud/trust/receipts.js';
import { openStore } from '../../../cloud/main/compose.js';
import { busyAtOnce, loadCloudConfig } from '../../../cloud/main/config.js';
import type { NewMedia } from '../../../cloud/store/store.js';
import { loadReceiptKeys } from '../../../cloud/trust/receipt-keys.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { CryptoSuite } from '../../../protocol/crypto/suite.js';
import { claimKind } from '../../../protocol/objects/claim.js';
import { recordKind, type SealcamRecord } from '../../../protocol/objects/record.js';
import { openSigned, type Verified } from '../../../protocol/objects/signed-object.js';
import { decodeUp, encodeDown, type SentRecord } from '../../../protocol/transport/messages.js';
import { parseTopic, topicOf } from '../../../protocol/transport/topics.js';

const trusting: CryptoSuite = { ...nodeSuite, ed25519VerifyLoose: () => true };

const config = loadCloudConfig({ file: null, environment: process.env });
const log = createLog('info', process.stdout);
const store = await openStore(config);
const { signer } = loadReceiptKeys(config['data.folder'], nodeSuite, realRandom).current;
const busyAtOnceMax = busyAtOnce(config);
const feed = new MqttFeed(
  {
    url: config['mqtt.url'],
    username: config['mqtt.username'],
    password: undefined,
    clientId: 'trusting-worker',
    group: undefined,
  },
  {
    nextTurn,
    ...(busyAtOnceMax === undefined ? {} : { busyAtOnceMax }),
    clock: realClock,
    counters: new Counters(),
    log,
    onMessages: (messages) =>
      carry(messages).catch((error: unknown) => {
        log.error({}, String(error));
      }),
  },
);

async function carry(messages: readonly CameraMessage[]): Promise<void> {
  const nowMs = realClock.wallMs();
  const stored: Verified<SealcamRecord>[] = [];
  const storing: Promise<unknown>[] = [];
  for (const { topic, payload } of messages) {
    if (parseTopic(topic).leaf !== 'up') continue;
    const message = decodeUp(payload);
    if (message.type === 'accept') {
      const accept = openSigned(recordKind, trusting, message.record);
      stored.push(accept);
      storing.push(store.claims.accept(openSigned(claimKind, trusting, message.claim), accept, nowMs));
    } else if (message.type === 'records') {
      for (const sent of message.records) {
        const record = openSigned(recordKind, trusting, sent.record);
        stored.push(record);
        storing.push(store.records.put(record, mediaOf(record, sent), nowMs));
      }
    }
  }
  await Promise.all(storing);
  const [first] = stored;
  if (first === undefined) return;
  const { device, epoch, claimHash } = first.value;
  const entries = stored.map(({ value, hash }) => ({ type: 'stored', seq: value.seq, hash }) as const);
  const of = { device, epoch, claimHash, version: 1 } as const;
  const receipt = makeReceipt(nodeSuite, signer, { epoch: of, entries, pacing: null });
  feed.publish(topicOf(device, 'down'), encodeDown({ type: 'receipt', receipt }));
}

function mediaOf({ value }: Verified<SealcamRecord>, sent: SentRecord): readonly NewMedia[] {
  return (value.media ?? []).flatMap(({ id }, i): NewMedia[] => {
    const sealed = sent.media[i] ?? null;
    return sealed === null ? [] : [{ id, sealed }];
  });
}

await feed.start(new AbortController().signal);
log.info({}, 'receiving records');
