import { realClock } from '../../../common/adapters/real-clock.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { fromHex, toHex } from '../../../common/bytes.js';
import type { Clock } from '../../../common/clock.js';
import { CloudClient } from '../../../app/core/cloud-client.js';
import type { HistoryKeeper } from '../../../app/core/history-keeper.js';
import type { MemberKeys } from '../../../app/core/member-keys.js';
import { Orders } from '../../../app/core/orders.js';
import { Owner, type OwnerDependencies } from '../../../app/core/owner.js';
import { ownerKeys, recipientOf, type OwnerKeys } from '../../../app/core/owner-keys.js';
import { OwnerSession } from '../../../app/core/owner-session.js';
import type { CameraView } from '../../../app/core/session-view.js';
import { ReceiptKeyPins } from '../../../app/core/receipt-key-pins.js';
import { MemoryStorage } from '../../../app/core/storage.js';
import type { TimelineEvent } from '../../../app/core/timeline.js';
import { tweetnaclSuite } from '../../../protocol/crypto/tweetnacl.js';
import { parseClaimCode } from '../../../protocol/objects/claim-code.js';
import { offerKind } from '../../../protocol/objects/offer.js';
import { openSigned, type ProtocolVersion } from '../../../protocol/objects/signed-object.js';
import { pageKeys } from './page-keys.js';
import { PAGE_ORIGIN } from './test-cloud.js';

/** Reads of an offer what a page of version 1 can read. */
class ClientOfVersionOne extends CloudClient {
  override async offer(device: Uint8Array): Promise<{ readonly offer: Uint8Array }> {
    const { offer } = await super.offer(device);
    openSigned(offerKind, tweetnaclSuite, offer);
    return { offer };
  }
}

/** An owner or member with the page open: the page's own modules, without a browser. With version 1 it is a page of version 0.1. */
export class Person {
  readonly keys: OwnerKeys;
  readonly client: CloudClient;
  readonly history: HistoryKeeper;
  readonly receiptKeys: ReceiptKeyPins;
  readonly owner: Owner;
  readonly session: OwnerSession;
  readonly orders: Orders;
  private readonly kem: OwnerDependencies['kem'];
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    cloudOrigin: string,
    master = realRandom.bytes(32),
    clock: Clock = realClock,
    version: ProtocolVersion = 2,
    storage: MemoryStorage = new MemoryStorage(),
  ) {
    const suite = tweetnaclSuite;
    this.keys = ownerKeys(suite, master);
    const { keys } = this;
    const client = new (version === 1 ? ClientOfVersionOne : CloudClient)({
      suite,
      clock,
      keys,
      cloudOrigin,
      pageOrigin: PAGE_ORIGIN,
      fetch: (url, init) => fetch(url, init),
    });
    this.client = client;
    const own = pageKeys(suite, keys, storage, version);
    const { history } = own;
    this.history = history;
    this.kem = own.kem;
    this.receiptKeys = new ReceiptKeyPins({ suite, storage, clock, client, ownerKey: keys.signer.publicKey });
    this.owner = new Owner({ suite, clock, keys, client, receiptKeys: this.receiptKeys, ...own });
    const session = new OwnerSession({ client, history, clock, random: realRandom });
    this.session = session;
    const refresh = (): Promise<void> => session.refresh();
    this.orders = new Orders({ suite, clock, keys, client, history, answers: session.answers, refresh });
  }

  /** Returns the keys that an owner needs to make this person a member. The KEM key waits in the cloud. */
  async asMember(): Promise<MemberKeys> {
    const keys = recipientOf(this.keys);
    if (this.kem === undefined) return keys;
    const kem = await this.kem.own.hash();
    await this.client.sendKemKey(kem, await this.kem.own.publicKey());
    return { ...keys, kem };
  }

  start(): this {
    this.running = this.session.run(this.stopping.signal);
    return this;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Claims a camera by its code. Returns the device id in hex. */
  async claim(code: string): Promise<string> {
    const parsed = parseClaimCode(tweetnaclSuite, code);
    await this.owner.claim(parsed, () => undefined, this.stopping.signal);
    await this.session.refresh();
    return toHex(parsed.device);
  }

  /** Replaces the members of a household. Returns the new epoch. */
  async changeMembers(device: string, epoch: number, members: readonly MemberKeys[]): Promise<number> {
    const id = fromHex(device, 32) ?? new Uint8Array(32);
    const change = { device: id, epoch, members, onStep: () => undefined, signal: this.stopping.signal };
    const next = await this.owner.changeMembers(change);
    await this.session.refresh();
    return next;
  }

  camera(device: string, epoch: number): CameraView | undefined {
    return this.session.view().cameras.find((camera) => camera.device === device && camera.epoch === epoch);
  }

  /** Returns the events of one epoch that have a picture, newest first. */
  pictures(epoch: number): TimelineEvent[] {
    return this.session.view().events.filter((event) => event.epoch === epoch && event.picture !== null);
  }
}
