import { realClock } from '../../common/adapters/real-clock.js';
import { realRandom } from '../../common/adapters/real-random.js';
import { toBase64, toHex } from '../../common/bytes.js';
import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import { parseClaimCode } from '../../protocol/objects/claim-code.js';
import { CloudClient } from '../../app/core/cloud-client.js';
import { HistoryKeeper } from '../../app/core/history-keeper.js';
import { MemberBook } from '../../app/core/member-keys.js';
import { OwnKem } from '../../app/core/own-kem.js';
import { Owner } from '../../app/core/owner.js';
import { ownerKeys, recipientOf } from '../../app/core/owner-keys.js';
import type { LookEnd } from '../../app/core/looks.js';
import { OwnerSession } from '../../app/core/owner-session.js';
import type { SessionView } from '../../app/core/session-view.js';
import { ReceiptKeyPins } from '../../app/core/receipt-key-pins.js';
import { MemoryStorage } from '../../app/core/storage.js';
import type { EventPicture, TimelineEvent } from '../../app/core/timeline.js';
import type { SealedContent } from '../../protocol/seal/content.js';
import type { ClipWatch } from './clip-watch.js';

export interface OpenedEvent {
  readonly device: string;
  readonly event: TimelineEvent;
  /** Wall-clock times at which its first record was verified and its picture opened. */
  readonly verifiedAtMs: number;
  readonly openedAtMs: number;
  readonly jpegBytes: number;
}

/** An owner without a browser: runs the page's own modules in Node, and claims, verifies and opens as the page does. */
export class Watcher {
  readonly name: string;
  readonly master: Uint8Array;
  private readonly session: OwnerSession;
  private readonly owner: Owner;
  private readonly seen = new Map<string, number>();
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(name: string, cloudOrigin: string, pageOrigin: string, onOpened: (opened: OpenedEvent) => void) {
    this.name = name;
    this.master = realRandom.bytes(32);
    const suite = tweetnaclSuite;
    const clock = realClock;
    const keys = ownerKeys(suite, this.master);
    const client = new CloudClient({
      suite,
      clock,
      keys,
      cloudOrigin,
      pageOrigin,
      fetch: (url, init) => fetch(url, init),
    });
    const storage = new MemoryStorage();
    const kem = { own: new OwnKem(suite, keys, storage), members: new MemberBook(storage) };
    const history = new HistoryKeeper(suite, storage, recipientOf(keys), { kemHash: () => kem.own.hash() });
    const receiptKeys = new ReceiptKeyPins({ suite, storage, clock, client, ownerKey: keys.signer.publicKey });
    this.owner = new Owner({ suite, clock, keys, client, history, receiptKeys, kem });
    this.session = new OwnerSession({ client, history, clock, random: realRandom });
    this.session.subscribe(({ events }) => {
      for (const event of events) this.open(event, onOpened);
    });
  }

  /** The owner's key as it is written in the fragment of the demo's link. */
  get fragment(): string {
    return toBase64(this.master).replaceAll('+', '-').replaceAll('/', '_');
  }

  start(): void {
    this.running = this.session.run(this.stopping.signal);
  }

  async claim(code: string): Promise<string> {
    const parsed = parseClaimCode(tweetnaclSuite, code);
    await this.owner.claim(parsed, () => undefined, this.stopping.signal);
    await this.session.refresh();
    return toHex(parsed.device);
  }

  /** Loads every clip, as the page does for the one that is watched. */
  followClips(clips: ClipWatch): void {
    const { owner, session } = this;
    const deps: Parameters<ClipWatch['update']>[1] = {
      open: (segment) => owner.openSegment(segment),
      keyStateOf: (segment) => owner.keyStateOfSegment(segment),
      refuse: (message, code, about) => {
        session.refusePicture(message, code, about);
      },
    };
    session.subscribe((view) => {
      clips.update(view, deps);
    });
  }

  view(): SessionView {
    return this.session.view();
  }

  /** How the looks through these cameras ended, as their own records say. */
  lookEnds(devices: readonly string[]): readonly LookEnd[] {
    return devices.flatMap((device) => {
      const epoch = this.view().cameras.find((camera) => camera.device === device)?.epoch ?? 0;
      return this.session.looks.of(device, epoch).flatMap(({ end }) => (end === null ? [] : [end]));
    });
  }

  alarms(): number {
    return this.view().alarms.length;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Opens a picture again. @throws SealcamError as {@link Owner.openPicture} does */
  picture(picture: EventPicture): Promise<SealedContent> {
    return this.owner.openPicture(picture);
  }

  private open(event: TimelineEvent, onOpened: (opened: OpenedEvent) => void): void {
    if (event.picture === null || this.seen.has(event.key)) return;
    const verifiedAtMs = realClock.wallMs();
    this.seen.set(event.key, verifiedAtMs);
    this.owner
      .openPicture(event.picture)
      .then(({ jpeg }) => {
        if (jpeg === null) return;
        onOpened({ device: event.device, event, verifiedAtMs, openedAtMs: realClock.wallMs(), jpegBytes: jpeg.length });
      })
      .catch(() => {
        // Tried again at the next change of the view.
        this.seen.delete(event.key);
      });
  }
}
