import { realClock } from '../../../common/adapters/real-clock.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toHex } from '../../../common/bytes.js';
import type { Clock } from '../../../common/clock.js';
import { asSealcamError } from '../../../common/errors.js';
import { CloudClient } from '../../../app/core/cloud-client.js';
import type { PageFetch } from '../../../app/core/cloud-requests.js';
import type { HistoryKeeper } from '../../../app/core/history-keeper.js';
import { Owner, type OwnerDependencies } from '../../../app/core/owner.js';
import { ownerKeys, type OwnerKeys } from '../../../app/core/owner-keys.js';
import { OwnerSession } from '../../../app/core/owner-session.js';
import type { SessionView } from '../../../app/core/session-view.js';
import { openClips, type ShownClips } from './shown-clips.js';
import { ReceiptKeyPins } from '../../../app/core/receipt-key-pins.js';
import { MemoryStorage } from '../../../app/core/storage.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { parseClaimCode } from '../../../protocol/objects/claim-code.js';
import { versionOf, type ProtocolVersion } from '../../../protocol/objects/signed-object.js';
import { pageKeys, untilOffered } from '../../support/worlds/page-keys.js';

/** Connecting many cameras takes a while. */
const CLAIM_TIMEOUT_MS = 120_000;

export interface PageVisit {
  readonly view: SessionView;
  /** Pictures that the page could open. */
  readonly opened: number;
  readonly clips: ShownClips;
}

export interface HouseholdOptions {
  readonly cloudOrigin: string;
  readonly pageOrigin: string;
  readonly fetch: PageFetch;
  readonly clock?: Clock;
  /** Version 1 is a page of version 0.1, whose cameras seal with suite 1. */
  readonly version: ProtocolVersion;
  /** The control: a KEM key in place of its own, which others have too. */
  readonly kemSeed?: Uint8Array;
}

/** One account: its keys, and the page's own modules without a browser. */
export class Household {
  readonly keys: OwnerKeys;
  readonly account: string;
  readonly version: ProtocolVersion;
  readonly client: CloudClient;
  readonly history: HistoryKeeper;
  private readonly deps: OwnerDependencies;

  constructor({ cloudOrigin, pageOrigin, fetch, clock = realClock, version, kemSeed }: HouseholdOptions) {
    const own = ownerKeys(nodeSuite, realRandom.bytes(32));
    const keys = { ...own, kemSeed: kemSeed ?? own.kemSeed };
    this.keys = keys;
    this.account = toHex(keys.account);
    this.version = version;
    const client = new CloudClient({ suite: nodeSuite, clock, keys, cloudOrigin, pageOrigin, fetch });
    const storage = new MemoryStorage();
    const receiptKeys = new ReceiptKeyPins({
      suite: nodeSuite,
      clock,
      client,
      storage,
      ownerKey: keys.signer.publicKey,
    });
    const kept = pageKeys(nodeSuite, keys, storage, version);
    this.deps = { suite: nodeSuite, clock, keys, client, receiptKeys, ...kept };
    this.client = client;
    this.history = kept.history;
  }

  async claim(code: string): Promise<void> {
    const parsed = parseClaimCode(nodeSuite, code);
    const { client, version } = this;
    await untilOffered(client, parsed.device, version, CLAIM_TIMEOUT_MS);
    const epoch = await new Owner(this.deps).claim(parsed, () => undefined, new AbortController().signal);
    const claim = this.history.claimOf(parsed.device, epoch);
    if (claim === null || versionOf(claim.value) !== version)
      throw new Error(`not a claim of version ${String(version)}`);
  }

  /** Opens the page with every picture and clip in it. The page's memory of each history is kept between visits. */
  async visitPage(): Promise<PageVisit> {
    const { client, history, clock } = this.deps;
    // The keys of periods are fetched again, as by every page that opens.
    const owner = new Owner(this.deps);
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
        else if (code !== 'key-pending')
          session.refusePicture(message, code, { device: toHex(picture.device), epoch: picture.epoch });
      }
    }
    const clips = await openClips({ session, owner, clock });
    return { view: session.view(), opened, clips };
  }
}
