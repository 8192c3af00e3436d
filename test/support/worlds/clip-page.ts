import { realRandom } from '../../../common/adapters/real-random.js';
import { ClipLoader } from '../../../app/core/clip-loader.js';
import { judgeClip, playable, type JudgedClip } from '../../../app/core/clip-verdict.js';
import { clipsOf, type Clip } from '../../../app/core/clips.js';
import { HistoryKeeper } from '../../../app/core/history-keeper.js';
import { Opener } from '../../../app/core/opener.js';
import { Owner } from '../../../app/core/owner.js';
import { recipientOf, type OwnerKeys } from '../../../app/core/owner-keys.js';
import { OwnerSession } from '../../../app/core/owner-session.js';
import { ReceiptKeyPins } from '../../../app/core/receipt-key-pins.js';
import { MemoryStorage } from '../../../app/core/storage.js';
import type { TimelineEvent } from '../../../app/core/timeline.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { kemHash } from '../../../protocol/objects/kem-keys.js';
import { VirtualClock } from '../runner/virtual-clock.js';
import { until } from '../runner/wait.js';
import { kemKeyOf, type SealedCloud } from './sealing-camera.js';

/** The page's modules over a made-up cloud, with the first clip that it shows. A minute has passed since the camera's first record. */
export class ClipPage {
  readonly clock: VirtualClock;
  readonly session: OwnerSession;
  readonly owner: Owner;
  readonly history: HistoryKeeper;
  readonly loader: ClipLoader;

  private constructor(clock: VirtualClock, session: OwnerSession, owner: Owner, history: HistoryKeeper) {
    this.history = history;
    this.clock = clock;
    this.session = session;
    this.owner = owner;
    this.loader = new ClipLoader(
      {
        open: (segment) => owner.openSegment(segment),
        keyStateOf: (segment) => owner.keyStateOfSegment(segment),
        refuse: (message, code, about) => {
          session.refusePicture(message, code, about);
        },
        clock,
      },
      this.clip(),
    );
  }

  static async open(keys: OwnerKeys, { client }: Pick<SealedCloud, 'client'>): Promise<ClipPage> {
    const clock = new VirtualClock();
    clock.advance(Date.UTC(2026, 10, 21) + 60_000 - clock.wallMs());
    const storage = new MemoryStorage();
    const kemHashOf = (): Promise<Uint8Array> => Promise.resolve(kemHash(nodeSuite, kemKeyOf(keys)));
    const history = new HistoryKeeper(nodeSuite, storage, recipientOf(keys), { kemHash: kemHashOf });
    await history.load();
    const ownerKey = keys.signer.publicKey;
    const receiptKeys = new ReceiptKeyPins({ suite: nodeSuite, storage, clock, client, ownerKey });
    const opener = new Opener({ suite: nodeSuite, keys, clock });
    const owner = new Owner({ suite: nodeSuite, clock, keys, client, history, receiptKeys, opener });
    const session = new OwnerSession({ client, history, clock, random: realRandom });
    await session.refresh();
    return new ClipPage(clock, session, owner, history);
  }

  event(): TimelineEvent {
    const event = this.session.view().events.find(({ clips }) => clips.length > 0);
    if (event === undefined) throw new Error('no event with a clip');
    return event;
  }

  clip(): Clip {
    const [clip] = clipsOf(this.event());
    if (clip === undefined) throw new Error('no clip');
    return clip;
  }

  judged(): JudgedClip {
    const { cameras, marks } = this.session.view();
    const lastWordMs = cameras[0]?.lastWordMs ?? null;
    return judgeClip(this.clip(), this.loader.parts(), { lastWordMs, marks, nowMs: this.clock.wallMs() });
  }

  alarms(): readonly string[] {
    return this.session.view().alarms.map(({ verdict, message }) => `${verdict}: ${message}`);
  }

  /** Indexes of the segments that may be played. */
  played(): readonly number[] {
    return playable(this.loader.parts()).map(({ index }) => index);
  }

  /** Asks the cloud again, as the stream would tell. */
  async refresh(): Promise<void> {
    await this.session.refresh();
    this.loader.update(this.clip(), this.event().lostSegments);
  }

  /** Loads until nothing is on its way. */
  async load(): Promise<void> {
    this.loader.start();
    const isSettled = (): boolean => this.loader.parts().every(({ state }) => state !== 'asked' && state !== 'named');
    await until('nothing is on its way', isSettled);
  }
}
