import { realClock } from '../../../common/adapters/real-clock.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toBase64, toHex } from '../../../common/bytes.js';
import type { Clock } from '../../../common/clock.js';
import { FIRST_ANSWER_RECORDS } from '../../../app/core/camera-pages.js';
import type { CameraItem, FirstAnswer, RecordItem, RecordsAnswer } from '../../../app/core/cloud-answers.js';
import type { CloudClient } from '../../../app/core/cloud-client.js';
import type { AlarmReport } from '../../../app/core/cloud-requests.js';
import { HistoryKeeper } from '../../../app/core/history-keeper.js';
import { HouseholdHeads } from '../../../app/core/household-heads.js';
import { OwnerSession } from '../../../app/core/owner-session.js';
import { MemoryStorage } from '../../../app/core/storage.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import type { Claim } from '../../../protocol/objects/claim.js';
import type { SealcamRecord } from '../../../protocol/objects/record.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { CameraWorld } from './camera-world.js';

/**
 * A cloud with one camera, for owners' sessions. It answers as the API does, newest first, unless a test lets it lie: every
 * field that is not signed is its own word.
 */
export class PageCloud {
  readonly world: CameraWorld;
  readonly claim: Verified<Claim>;
  /** By place, as the camera signed them. */
  records: Verified<SealcamRecord>[];
  /** The highest seq that it shows. */
  upTo: number;
  isListed = true;
  /** Whether it sends the newest page with the session. */
  bringsFirst = false;
  /** Whether it holds a record back. */
  hides: (seq: number) => boolean = () => false;
  /** What it sends in place of a record. */
  replaces: (record: Verified<SealcamRecord>) => Uint8Array = ({ bytes }) => bytes;
  /** The page below this seq cannot be fetched. */
  failsAt: number | null = null;
  /** When it says that it received a record. */
  receivedAtMs: (record: Verified<SealcamRecord>) => number = ({ value }) => value.time.wallMs ?? 0;
  item: Partial<CameraItem> = {};
  answer: Partial<RecordsAnswer> = {};
  statements: Uint8Array[] = [];
  /** Happens before a statement of heads is answered. */
  beforeStatement: () => Promise<unknown> = () => Promise.resolve();
  /** The owner's newest revocation list. */
  revocation: Uint8Array | null = null;
  /** Happens while the list of cameras is being answered. */
  meanwhile: () => Promise<unknown> = () => Promise.resolve();
  readonly pages: (number | null)[] = [];
  readonly reports: AlarmReport[] = [];
  /** Camera items, by highest seq, that the next stream pushes. */
  readonly pushedSeqs: number[] = [];
  asked = 0;

  /** `make` makes the camera's history; by default a chain of `count` scene records. */
  constructor(
    count: number,
    make?: (world: CameraWorld, claim: Verified<Claim>) => Verified<SealcamRecord>[],
    world = new CameraWorld(),
  ) {
    this.world = world;
    this.claim = this.world.claim();
    this.records = make?.(this.world, this.claim) ?? this.world.chain(this.claim, count);
    this.upTo = this.records.length - 1;
  }

  get client(): CloudClient {
    const client: Partial<CloudClient> = {
      acceptHouseholds: () => undefined,
      takeFirst: () => Promise.resolve(this.bringsFirst ? this.first() : null),
      reportAlarm: (report) => {
        this.reports.push(report);
        return Promise.reject(new Error('a cloud that refuses alarms'));
      },
      cameras: async () => {
        this.asked++;
        const answer = this.isListed ? [this.camera()] : [];
        await this.meanwhile();
        return answer;
      },
      stream: () => this.stream(),
      records: (_device, _epoch, before, limit) =>
        before !== null && before === this.failsAt
          ? Promise.reject(new Error('connection lost'))
          : Promise.resolve(this.page(before, limit)),
      revocation: () => Promise.resolve(this.revocation),
      heads: () => Promise.resolve([...this.statements]),
      sendHeads: async (heads) => {
        await this.beforeStatement();
        this.statements.push(heads);
      },
    };
    return client as CloudClient;
  }

  /** A browser of the owner, or of the person with this key, over this cloud. */
  async browser({
    storage = new MemoryStorage(),
    clock = realClock,
    signer = this.world.owner,
  }: BrowserOptions = {}): Promise<Browser> {
    const history = new HistoryKeeper(nodeSuite, storage, { ...this.world.recipient, ed25519: signer.publicKey });
    await history.load();
    const { client } = this;
    const household = new HouseholdHeads({
      client,
      history,
      storage,
      suite: nodeSuite,
      signer,
      clock,
      random: realRandom,
    });
    await household.load();
    const session = new OwnerSession({ client, history, clock, random: realRandom, household });
    return { storage, history, household, session };
  }

  camera(): CameraItem {
    return {
      device: this.world.deviceId,
      epoch: 1,
      claim: this.claim.bytes,
      state: 'open',
      online: null,
      lastReceivedAtMs: null,
      incomplete: false,
      highestSeq: this.upTo,
      health: null,
      ...this.item,
    };
  }

  private first(): FirstAnswer {
    const cameras = this.isListed ? [{ camera: this.camera(), page: this.page(null, FIRST_ANSWER_RECORDS) }] : [];
    return { newestId: this.upTo + 1, heads: [...this.statements], cameras };
  }

  page(before: number | null, limit: number): RecordsAnswer {
    this.pages.push(before);
    const kept = this.records.filter(({ value: { seq } }) => seq <= this.upTo && !this.hides(seq));
    const shown = kept.filter(({ value: { seq } }) => seq < (before ?? Infinity)).slice(-limit);
    const items = shown.reverse().map((record): RecordItem => ({
      id: record.value.seq + 1,
      record: this.replaces(record),
      receivedAtMs: this.receivedAtMs(record),
      media: [],
    }));
    const lowestSeq = kept[0]?.value.seq ?? null;
    return { records: items, lowestSeq, highestSeq: this.upTo, ...this.answer };
  }

  private async *stream() {
    await Promise.resolve();
    yield { event: 'ready', id: null, data: '{}' };
    for (const highestSeq of this.pushedSeqs.splice(0)) {
      const { device, claim, ...rest } = this.camera();
      const item = { ...rest, device: toHex(device), claim: toBase64(claim), highestSeq };
      yield { event: 'camera', id: null, data: JSON.stringify(item) };
    }
  }
}

interface Browser {
  readonly storage: MemoryStorage;
  readonly history: HistoryKeeper;
  readonly household: HouseholdHeads;
  readonly session: OwnerSession;
}

interface BrowserOptions {
  readonly storage?: MemoryStorage;
  readonly clock?: Clock;
  readonly signer?: Signer;
}
