import { realClock } from '../../../common/adapters/real-clock.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { fromHex, toHex } from '../../../common/bytes.js';
import type { Clock } from '../../../common/clock.js';
import { CloudClient } from '../../../app/core/cloud-client.js';
import { HistoryKeeper } from '../../../app/core/history-keeper.js';
import { MemberBook } from '../../../app/core/member-keys.js';
import { Orders } from '../../../app/core/orders.js';
import { OwnKem } from '../../../app/core/own-kem.js';
import { Owner } from '../../../app/core/owner.js';
import { ownerKeys, recipientOf, type OwnerKeys } from '../../../app/core/owner-keys.js';
import { OwnerSession } from '../../../app/core/owner-session.js';
import type { CameraView } from '../../../app/core/session-view.js';
import { ReceiptKeyPins } from '../../../app/core/receipt-key-pins.js';
import { MemoryStorage } from '../../../app/core/storage.js';
import type { TimelineEvent } from '../../../app/core/timeline.js';
import { tweetnaclSuite } from '../../../protocol/crypto/tweetnacl.js';
import type { Recipient } from '../../../protocol/objects/claim.js';
import { parseClaimCode } from '../../../protocol/objects/claim-code.js';
import { offerKind } from '../../../protocol/objects/offer.js';
import { openSigned, type ProtocolVersion } from '../../../protocol/objects/signed-object.js';
import { PAGE_ORIGIN } from './test-cloud.js';

/** Reads of an offer what a page of version 1 can read. */
class ClientOfVersionOne extends CloudClient {
  override async offer(device: Uint8Array): Promise<{ readonly offer: Uint8Array }> {
    const { offer } = await super.offer(device);
    openSigned(offerKind, tweetnaclSuite, offer);
    return { offer };
  }
}

/** An owner or member with the page open: the page's own modules, without a browser. */
export class Person {
  readonly keys: OwnerKeys;
  readonly client: CloudClient;
  readonly history: HistoryKeeper;
  readonly receiptKeys: ReceiptKeyPins;
  readonly owner: Owner;
  readonly session: OwnerSession;
  readonly orders: Orders;
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  /** @param version the highest version of the protocol that this page knows */
  constructor(
    cloudOrigin: string,
    master = realRandom.bytes(32),
    clock: Clock = realClock,
    version: ProtocolVersion = 1,
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
    const storage = new MemoryStorage();
    const kem = version === 1 ? null : { own: new OwnKem(suite, keys, storage), members: new MemberBook(storage) };
    const known = kem === null ? {} : { kemHash: () => kem.own.hash() };
    const history = new HistoryKeeper(suite, storage, recipientOf(keys), known);
    this.history = history;
    this.receiptKeys = new ReceiptKeyPins({ suite, storage, clock, client, ownerKey: keys.signer.publicKey });
    const claiming = kem === null ? {} : { kem };
    this.owner = new Owner({ suite, clock, keys, client, history, receiptKeys: this.receiptKeys, ...claiming });
    const session = new OwnerSession({ client, history, clock, random: realRandom });
    this.session = session;
    const refresh = (): Promise<void> => session.refresh();
    this.orders = new Orders({ suite, clock, keys, client, history, answers: session.answers, refresh });
  }

  /** The keys that an owner needs to make this person a member. */
  get asMember(): Recipient {
    return { x25519: this.keys.recipient.publicKey, ed25519: this.keys.signer.publicKey };
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
  async changeMembers(device: string, epoch: number, members: readonly Recipient[]): Promise<number> {
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
