import { join } from 'node:path';
import { nextTurn } from '../../common/adapters/next-turn.js';
import { createLog } from '../../common/adapters/pino-log.js';
import { realClock } from '../../common/adapters/real-clock.js';
import { realRandom } from '../../common/adapters/real-random.js';
import { Counters } from '../../common/counters.js';
import { EmbeddedBroker } from '../../cloud/broker/embedded-broker.js';
import { Ingest } from '../../cloud/ingest/ingest.js';
import { MqttFeed } from '../../cloud/ingest/mqtt-feed.js';
import { openSqliteStore } from '../../cloud/store/sqlite/sqlite-store.js';
import { loadReceiptKeys } from '../../cloud/trust/receipt-keys.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { PROTOCOL_VERSIONS } from '../../protocol/objects/signed-object.js';

/**
 * The other end of a camera whose memory is measured: broker, ingest and store in a process of its own, so that the queue
 * drains. The API is left out: nobody reads. Arguments: the folder with its receipt keys, and the broker's port.
 */
const [folder = '.', port = '1883'] = process.argv.slice(2);
const log = createLog('warn', process.stdout);
const counters = new Counters();
const password = 'only on this machine';
const listening = await new EmbeddedBroker({
  host: '127.0.0.1',
  port: Number(port),
  cloudUser: 'cloud',
  cloudPassword: password,
  mayConnect: () => true,
  counters,
}).start();
const ingest = new Ingest({
  store: openSqliteStore(join(folder, 'cloud.db')),
  suite: nodeSuite,
  receiptSigner: loadReceiptKeys(folder, nodeSuite, realRandom).current.signer,
  clock: realClock,
  counters,
  log,
  nextTurn,
  versions: PROTOCOL_VERSIONS,
  publish: (topic, payload) => {
    feed.publish(topic, payload);
  },
  onStored: () => undefined,
  onStatus: () => undefined,
  pacing: () => null,
});
const feed = new MqttFeed(
  {
    url: `mqtt://127.0.0.1:${String(listening)}`,
    username: 'cloud',
    password,
    clientId: 'cloud',
    group: undefined,
  },
  {
    onMessages: (messages) => ingest.handleMessages(messages),
    clock: realClock,
    counters,
    log,
    nextTurn,
  },
);
await feed.start(new AbortController().signal);
process.stdout.write('receiving\n');
