import { realRandom } from '../../../common/adapters/real-random.js';
import type { Clock } from '../../../common/clock.js';
import { CloudClient } from '../../../app/core/cloud-client.js';
import type { HistoryKeeper } from '../../../app/core/history-keeper.js';
import { HouseholdHeads } from '../../../app/core/household-heads.js';
import { Owner } from '../../../app/core/owner.js';
import { ownerKeys, type OwnerKeys } from '../../../app/core/owner-keys.js';
import { OwnerSession } from '../../../app/core/owner-session.js';
import { ReceiptKeyPins } from '../../../app/core/receipt-key-pins.js';
import { MemoryStorage } from '../../../app/core/storage.js';
import { tweetnaclSuite } from '../../../protocol/crypto/tweetnacl.js';
import { CLOUD, PAGE, type ApiWorld } from './api-world.js';
import { pageKeys } from './page-keys.js';

/** An owner's page whose requests are injected into the API of a world. */
export class PageOnApi {
  readonly keys: OwnerKeys;
  readonly owner: Owner;
  readonly history: HistoryKeeper;
  readonly session: OwnerSession;
  readonly client: CloudClient;
  readonly storage: MemoryStorage;
  readonly household: HouseholdHeads;

  /** The same `master` is another browser of the same owner. `clock` is the browser's. */
  constructor(api: ApiWorld, clock: Clock = api.clock, master = realRandom.bytes(32)) {
    const suite = tweetnaclSuite;
    this.keys = ownerKeys(suite, master);
    const storage = new MemoryStorage();
    this.storage = storage;
    const own = pageKeys(suite, this.keys, storage);
    this.history = own.history;
    const client = new CloudClient({
      suite,
      clock,
      keys: this.keys,
      cloudOrigin: CLOUD,
      pageOrigin: PAGE,
      fetch: async (url, init) => {
        const { pathname, search } = new URL(url);
        const response = await api.app.inject({
          method: (init.method ?? 'GET') as 'GET',
          url: pathname + search,
          headers: init.headers as Record<string, string>,
          ...(init.body === undefined ? {} : { payload: init.body as string }),
        });
        const headers = { 'content-type': String(response.headers['content-type']) };
        return new Response(response.statusCode === 204 ? null : response.payload, {
          status: response.statusCode,
          headers,
        });
      },
    });
    this.client = client;
    const { keys, history } = this;
    const receiptKeys = new ReceiptKeyPins({ suite, storage, clock, client, ownerKey: keys.signer.publicKey });
    const { signer } = keys;
    this.household = new HouseholdHeads({ client, history, storage, suite, signer, clock, random: realRandom });
    this.session = new OwnerSession({ client, history, clock, random: realRandom, household: this.household });
    this.owner = new Owner({ suite, clock, keys, client, receiptKeys, ...own });
  }

  /** Loads what the page keeps, as it does when it opens. */
  async load(): Promise<this> {
    await this.history.load();
    await this.household.load();
    return this;
  }
}
