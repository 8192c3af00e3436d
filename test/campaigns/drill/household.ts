import { realClock } from '../../../common/adapters/real-clock.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toHex } from '../../../common/bytes.js';
import type { Clock } from '../../../common/clock.js';
import { asSealcamError } from '../../../common/errors.js';
import { CloudClient } from '../../../app/core/cloud-client.js';
import type { PageFetch } from '../../../app/core/cloud-requests.js';
import { HistoryKeeper } from '../../../app/core/history-keeper.js';
import { Owner } from '../../../app/core/owner.js';
import { ownerKeys, recipientOf, type OwnerKeys } from '../../../app/core/owner-keys.js';
import { OwnerSession } from '../../../app/core/owner-session.js';
import type { SessionView } from '../../../app/core/session-view.js';
import { ReceiptKeyPins } from '../../../app/core/receipt-key-pins.js';
import { MemoryStorage } from '../../../app/core/storage.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { parseClaimCode } from '../../../protocol/objects/claim-code.js';

export interface PageVisit {
  readonly view: SessionView;
  /** Pictures that the page could open. */
  readonly opened: number;
}

/** One account: its keys, and the page's own modules without a browser. */
export class Household {
  readonly keys: OwnerKeys = ownerKeys(nodeSuite, realRandom.bytes(32));
  readonly account = toHex(this.keys.account);
  readonly client: CloudClient;
  readonly history: HistoryKeeper;
  readonly owner: Owner;
  private readonly clock: Clock;

  constructor(cloudOrigin: string, pageOrigin: string, fetch: PageFetch, clock: Clock = realClock) {
    const { keys } = this;
    this.clock = clock;
    this.client = new CloudClient({ suite: nodeSuite, clock, keys, cloudOrigin, pageOrigin, fetch });
    const storage = new MemoryStorage();
    this.history = new HistoryKeeper(nodeSuite, storage, recipientOf(keys));
    const common = { suite: nodeSuite, clock, client: this.client };
    const receiptKeys = new ReceiptKeyPins({ ...common, storage, ownerKey: keys.signer.publicKey });
    this.owner = new Owner({ ...common, keys, history: this.history, receiptKeys });
  }

  async claim(code: string): Promise<void> {
    await this.owner.claim(parseClaimCode(nodeSuite, code), () => undefined, new AbortController().signal);
  }

  /** Opens the page and every picture in it. The page's memory of each history is kept between visits. */
  async visitPage(): Promise<PageVisit> {
    const { client, history, owner, clock } = this;
    const session = new OwnerSession({ client, history, clock, random: realRandom });
    await session.refresh();
    for (let pages = 0; pages < 100 && session.view().cameras.some(({ hasOlder }) => hasOlder); pages++) {
      await session.loadOlder();
    }
    let opened = 0;
    for (const { picture } of session.view().events) {
      if (picture === null) continue;
      try {
        if ((await owner.openPicture(picture)).jpeg !== null) opened++;
      } catch (error) {
        // As the page does.
        const { code, message } = asSealcamError(error);
        if (code === 'not-found') session.markPictureMissing(picture.media.id);
        else session.refusePicture(message, code, { device: toHex(picture.device), epoch: picture.epoch });
      }
    }
    return { view: session.view(), opened };
  }
}
