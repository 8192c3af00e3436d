import { Feed } from '../../cloud/api/feed.js';
import { Reader } from '../../cloud/api/reader.js';
import { buildServer } from '../../cloud/api/server.js';
import { Sessions } from '../../cloud/api/sessions.js';
import { Statements } from '../../cloud/api/statements.js';
import { Uploads } from '../../cloud/api/uploads.js';
import { mediaOf } from '../../cloud/media/kinds.js';
import { openSqliteStore } from '../../cloud/store/sqlite/sqlite-store.js';
import { noMakerList } from '../../cloud/trust/maker-list.js';
import { ReceiptSigners } from '../../cloud/trust/receipt-signers.js';
import { realClock } from '../../common/adapters/real-clock.js';
import { realRandom } from '../../common/adapters/real-random.js';
import { Counters } from '../../common/counters.js';
import { silentLog } from '../../common/log.js';
import { nodeSuite } from '../../protocol/crypto/node.js';

const ORIGIN = 'https://cloud.example';

/** Returns the OpenAPI description as the server gives it: the routes are registered on a server that never listens. */
export async function openApiDocument(): Promise<string> {
  const store = openSqliteStore(':memory:');
  const common = { store, suite: nodeSuite, clock: realClock, counters: new Counters(), log: silentLog };
  const readS3 = (): never => {
    throw new Error('no bucket');
  };
  const media = mediaOf({ kind: 'files', folder: '', readS3 }, { clock: realClock, random: realRandom });
  const reader = new Reader({ ...common, bodies: media.store });
  const cloudOrigin = (): string => ORIGIN;
  const settings = { cloudOrigin, pageOrigins: [], lifetimeMs: 1 };
  const app = await buildServer(
    {
      ...common,
      reader,
      cloudOrigin,
      sessions: new Sessions(settings, nodeSuite, realClock, realRandom),
      statements: new Statements({ ...common, reader }),
      uploads: new Uploads({
        ...common,
        media,
        makerList: noMakerList(common),
        signers: new ReceiptSigners(nodeSuite, []),
        quota: { cameraBytes: 0, accountBytes: 0 },
      }),
      feed: new Feed(() => Promise.resolve([])),
      push: null,
      live: { subscribe: () => Promise.resolve(() => undefined) },
      keepsForMs: 0,
      deletionDelayMs: 0,
      receiptKeys: [],
      receiptSigners: [],
      sendDown: () => undefined,
      notReady: () => Promise.resolve(null),
      handInAccept: () => Promise.resolve(),
    },
    { host: 'localhost', port: 0, pageOrigins: [], requestsPerMinute: 1 },
  );
  await app.ready();
  const text = `${JSON.stringify(app.swagger(), null, 2)}\n`;
  await app.close();
  await store.close();
  return text;
}
