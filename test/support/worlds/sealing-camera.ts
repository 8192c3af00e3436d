import { realRandom } from '../../../common/adapters/real-random.js';
import { toBase64, toHex } from '../../../common/bytes.js';
import { SealcamError } from '../../../common/errors.js';
import { LIMITS } from '../../../common/limits.js';
import type { Random } from '../../../common/random.js';
import * as v from '../../../common/schema.js';
import type { CameraItem, PeriodAnswer, RecordItem, RecordsAnswer } from '../../../app/core/cloud-answers.js';
import type { CloudClient } from '../../../app/core/cloud-client.js';
import { ownerKeys, type OwnerKeys } from '../../../app/core/owner-keys.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { xwingKeys } from '../../../protocol/crypto/xwing.js';
import type { ClaimV2 } from '../../../protocol/objects/claim.js';
import { kemHash } from '../../../protocol/objects/kem-keys.js';
import { NO_EVENT } from '../../../protocol/objects/ids.js';
import type { ClipSegment, RecordClip } from '../../../protocol/objects/clip.js';
import type { RecordEvent, RecordTime, RecordV2 } from '../../../protocol/objects/record.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { encodeContent, type SealedDetail } from '../../../protocol/seal/content.js';
import { encodeInForce, type InForce } from '../../../protocol/seal/in-force.js';
import { wrapKey, type WrapKey } from '../../../protocol/seal/key-record.js';
import type { ObjectPlace } from '../../../protocol/seal/object.js';
import { beginPeriod, type KeyRecordMedia, type Period } from '../../../protocol/seal/period.js';
import type { SealedObject } from '../../../protocol/seal/seal.js';
import { CameraWorld } from './camera-world.js';

/** What every sealed picture shows: four grey pixels. */
const JPEG = Buffer.from(
  '/9j/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqMyP/L2u71////m8H////6/+b9//j/2wBDASstLTw1PH' +
    'ZBQXb4pYyl+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj/wAARCAACAAIDASIAAhEBAxEB/8QAFQAB' +
    'AQAAAAAAAAAAAAAAAAAAAAL/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFAEBAAAAAAAAAAAAAAAAAAAAAP/EABQRAQAAAAAAAAAAAAAAAAAAAA' +
    'D/2gAMAwEAAhEDEQA/AKAB/9k=',
  'base64',
);

/** Returns the keys of a new person. */
export function newPerson(): OwnerKeys {
  return ownerKeys(nodeSuite, realRandom.bytes(32));
}

/** A person's KEM key. */
export function kemKeyOf({ kemSeed }: OwnerKeys): Uint8Array {
  return xwingKeys(nodeSuite, kemSeed).publicKey;
}

/** A segment of a clip, before it is sealed. */
export interface FilmedSegment {
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly isSync: boolean;
  readonly durationMs: number;
}

export interface BegunPeriod {
  readonly keyRecord: KeyRecordMedia;
  readonly period: Period;
}

/** A camera in an epoch of version 2: its history, as it signs and seals it for a household, the owner first. */
export class SealingCamera {
  readonly world: CameraWorld;
  readonly claim: Verified<ClaimV2>;
  readonly kemKeys: readonly Uint8Array[];
  /** By place. */
  readonly records: Verified<RecordV2>[] = [];
  /** By hex of the media id. */
  readonly media = new Map<string, SealedObject>();
  /** Bodies of segments by hex of their hash. */
  readonly segments = new Map<string, Uint8Array>();
  /** UTC of its first record; the others follow a second apart. */
  firstMs: number | null = null;
  private readonly people: readonly OwnerKeys[];

  constructor(people: readonly [OwnerKeys, ...OwnerKeys[]], change: Partial<ClaimV2> = {}, world?: CameraWorld) {
    const [owner, ...members] = people;
    this.people = people;
    this.world = world ?? new CameraWorld({ owner: owner.signer, ownerSecret: owner.recipient.secret });
    this.kemKeys = people.map(kemKeyOf);
    const named = (keys: OwnerKeys, role: 'owner' | 'member') => {
      return { ed25519: keys.signer.publicKey, kem: kemHash(nodeSuite, kemKeyOf(keys)), role };
    };
    const recipients = [named(owner, 'owner'), ...members.map((member) => named(member, 'member'))];
    this.claim = this.world.claimV2(1, null, { recipients, ...change });
    this.add({ kind: 'accept' });
  }

  /** Signs the next record; it follows the one before unless `prev` says otherwise. */
  add(rest: Partial<RecordV2> & Pick<RecordV2, 'kind'>): Verified<RecordV2> {
    const record = this.world.recordV2(
      this.claim,
      this.records.length,
      this.records.at(-1)?.hash ?? this.claim.hash,
      this.firstMs === null ? rest : { time: this.timeOf(this.firstMs), ...rest },
    );
    this.records.push(record);
    return record;
  }

  /** Begins a period; `wrap` may wrap it wrongly, and `random` give a key twice. */
  begin(
    wrap: WrapKey = (job) => Promise.resolve(wrapKey(nodeSuite, realRandom, job)),
    random: Random = realRandom,
  ): Promise<BegunPeriod> {
    const { device, account, epoch } = this.claim.value;
    const context = { device, account, epoch, claimHash: this.claim.hash };
    return beginPeriod({
      suite: nodeSuite,
      random,
      context,
      recipients: this.people.map(kemKeyOf),
      wrap,
    });
  }

  /** Signs the key record of a period. */
  addKey({ keyRecord }: Pick<BegunPeriod, 'keyRecord'>): Verified<RecordV2> {
    const { periodId, commit, sealed } = keyRecord;
    const media = [this.named(realRandom.bytes(16), 'key', sealed)];
    return this.add({ kind: 'key', key: { periodId, commit }, media });
  }

  /** Signs a snapshot with a picture that is sealed in this period. */
  addPicture({ period }: Pick<BegunPeriod, 'period'>): Verified<RecordV2> {
    const place: ObjectPlace = { eventId: realRandom.bytes(16), mediaId: realRandom.bytes(16), role: 'thumbnail' };
    const { header, body } = period.seal(place, encodeContent({ detail: {}, jpeg: new Uint8Array(JPEG) }));
    const event = { id: place.eventId, phase: 'single', revision: 0 } as const;
    return this.add({ kind: 'snapshot', event, media: [this.named(place.mediaId, 'thumbnail', { header, body })] });
  }

  /** Signs a record of a motion event, with its picture where it has one. */
  addMotion({ period }: Pick<BegunPeriod, 'period'>, event: RecordEvent, jpeg: Uint8Array | null = null): void {
    const place: ObjectPlace = { eventId: event.id, mediaId: realRandom.bytes(16), role: 'thumbnail' };
    const media =
      jpeg === null
        ? {}
        : { media: [this.named(place.mediaId, 'thumbnail', period.seal(place, encodeContent({ detail: {}, jpeg })))] };
    this.add({ kind: 'motion', event, ...media });
  }

  /** Signs the start of a motion event with the mini picture that a push carries, and returns both. */
  addMini(
    { period }: Pick<BegunPeriod, 'period'>,
    jpeg: Uint8Array,
    rest: Partial<RecordV2> = {},
    detail: SealedDetail = {},
  ): { readonly record: Verified<RecordV2>; readonly mini: SealedObject } {
    const event: RecordEvent = { id: realRandom.bytes(16), phase: 'start', revision: 0 };
    const place: ObjectPlace = { eventId: event.id, mediaId: realRandom.bytes(16), role: 'mini' };
    const mini = period.seal(place, encodeContent({ detail, jpeg }));
    const record = this.add({ kind: 'motion', event, media: [this.named(place.mediaId, 'mini', mini)], ...rest });
    return { record, mini };
  }

  /** Signs a clip record with these segments, sealed in this period; their bodies are in `segments`. */
  addClip(
    { period }: Pick<BegunPeriod, 'period'>,
    eventId: Uint8Array,
    phase: RecordClip['phase'],
    segments: readonly FilmedSegment[],
    /** The place that they are sealed for, where it is not the one that the record names. */
    sealedFor: Partial<ObjectPlace> = {},
  ): Verified<RecordV2> {
    const entries = segments.map(({ index, bytes, isSync, durationMs }): ClipSegment => {
      const mediaId = realRandom.bytes(16);
      const { header, body } = period.seal({ eventId, mediaId, role: 'segment', ...sealedFor }, bytes);
      const hash = nodeSuite.sha256(body);
      this.segments.set(toHex(hash), body);
      return [index, mediaId, body.length, hash, header, isSync, durationMs];
    });
    return this.add({ kind: 'clip', clip: { eventId, number: 0, phase, segments: entries } });
  }

  /** Signs the answer to an order that was done; with a period it carries what is in force. */
  addAnswer(
    command: Partial<RecordV2['command']> & Pick<NonNullable<RecordV2['command']>, 'action'>,
    { period }: { readonly period: Period | null },
    inForce: InForce = {},
  ): Verified<RecordV2> {
    const answer = { source: 'owner', result: 'done', object: realRandom.bytes(32), ...command } as const;
    if (period === null) return this.add({ kind: 'command', command: answer });
    const place: ObjectPlace = { eventId: NO_EVENT, mediaId: realRandom.bytes(16), role: 'detail' };
    const { header, body } = period.seal(place, encodeInForce(inForce));
    return this.add({
      kind: 'command',
      command: answer,
      media: [this.named(place.mediaId, 'detail', { header, body })],
    });
  }

  private timeOf(firstMs: number): RecordTime {
    const monotonicMs = 1000 * this.records.length;
    return this.world.time(monotonicMs, firstMs + monotonicMs);
  }

  private named(id: Uint8Array, role: 'key' | 'thumbnail' | 'detail' | 'mini', sealed: SealedObject) {
    this.media.set(toHex(id), sealed);
    const [bodyHash, headerHash] = [nodeSuite.sha256(sealed.body), nodeSuite.sha256(sealed.header)];
    return { id, role, length: sealed.body.length, bodyHash, headerHash };
  }
}

/** A cloud with one sealing camera, for pages. It answers as the API does, unless a test lets it lie. */
export class SealedCloud {
  readonly sealing: SealingCamera;
  readonly isListed = true;
  readonly statements: Uint8Array[] = [];
  /** Whether it shows a record. */
  hides: (record: RecordV2) => boolean = () => false;
  /** What it answers when it is asked for a key record, in place of what it has. */
  keyAnswer: ((answer: PeriodAnswer) => PeriodAnswer) | null = null;
  /** What it answers when it is asked for the body with this hash (hex), null for nothing; by default what it has. */
  segmentOf = (hash: string): Uint8Array | null => this.sealing.segments.get(hash) ?? null;
  /** The receipts that it gives for a range of records; by default true ones. */
  receiptsOf = (from: number, to: number): readonly Uint8Array[] => this.trueReceipts(from, to);
  readonly asked: string[] = [];

  constructor(sealing: SealingCamera) {
    this.sealing = sealing;
  }

  get world(): CameraWorld {
    return this.sealing.world;
  }

  /** Returns the item of a record. */
  itemOf({ value, bytes }: Verified<RecordV2>): RecordItem {
    const media = (value.media ?? []).map(({ id }) => ({ id, available: true }));
    return { id: value.seq + 1, record: bytes, receivedAtMs: value.time.wallMs ?? 0, media };
  }

  /** Returns the key record of a period, whether it is hidden or not. */
  keyRecordOf(periodId: Uint8Array): PeriodAnswer | null {
    const record = this.keyRecord(periodId);
    const sealed = this.sealing.media.get(toHex(record?.value.media?.[0]?.id ?? new Uint8Array(0)));
    return record === undefined || sealed === undefined ? null : { record: this.itemOf(record), body: sealed.body };
  }

  get client(): CloudClient {
    const { sealing } = this;
    const missing = (): Promise<never> => Promise.reject(new SealcamError('not-found', 'no such thing'));
    const client: Partial<CloudClient> = {
      acceptHouseholds: () => undefined,
      takeFirst: () => Promise.resolve(null),
      reportAlarm: () => Promise.resolve(),
      revocation: () => Promise.resolve(null),
      cameras: () => Promise.resolve([this.camera()]),
      records: (_device, _epoch, before, limit) => Promise.resolve(this.page(before, limit)),
      media: (_device, _epoch, id) => {
        const sealed = sealing.media.get(toHex(id));
        return sealed === undefined ? missing() : Promise.resolve(sealed);
      },
      segment: (_device, _epoch, hash) => {
        const body = this.segmentOf(toHex(hash));
        return body === null ? missing() : Promise.resolve(body);
      },
      call: (request, schema) => {
        const { searchParams } = new URL(request.path, 'http://cloud.invalid');
        const [from = 0, limit = 0] = ['from', 'limit'].map((name) => Number(searchParams.get(name)));
        const receipts = this.receiptsOf(from, from + limit - 1).map(toBase64);
        return Promise.resolve(v.parse(schema, { receipts }));
      },
      keyRecord: (_device, _epoch, periodId) => {
        this.asked.push(toHex(periodId));
        const answer = this.answerFor(periodId);
        return answer === null ? missing() : Promise.resolve(answer);
      },
    };
    return client as CloudClient;
  }

  /** Returns what it answers when it is asked for a key record. */
  answerFor(periodId: Uint8Array): PeriodAnswer | null {
    const answer = this.keyRecordOf(periodId);
    const record = this.keyRecord(periodId);
    if (answer === null || record === undefined || this.hides(record.value)) return null;
    return this.keyAnswer?.(answer) ?? answer;
  }

  /** Returns receipts for the records of a range that it shows, each by its own hash. */
  trueReceipts(from: number, to: number): readonly Uint8Array[] {
    const { records, claim } = this.sealing;
    const ranges = records
      .filter(({ value }) => value.seq >= from && value.seq <= to && !this.hides(value))
      .map(({ value: { seq }, hash }) => [seq, seq, hash] as const);
    const each = LIMITS.receiptRangesMax;
    const parts = Array.from({ length: Math.ceil(ranges.length / each) }, (_, i) =>
      ranges.slice(i * each, (i + 1) * each),
    );
    return parts.map((part) => this.world.receipt(claim, part).bytes);
  }

  private keyRecord(periodId: Uint8Array): Verified<RecordV2> | undefined {
    const isOf = ({ value: { key } }: Verified<RecordV2>): boolean =>
      key !== undefined && toHex(key.periodId) === toHex(periodId);
    return this.sealing.records.find(isOf);
  }

  camera(): CameraItem {
    const { device, epoch } = this.sealing.claim.value;
    const rest = { online: null, lastReceivedAtMs: null, incomplete: false, health: null };
    const { claim, records } = this.sealing;
    return { device, epoch, claim: claim.bytes, state: 'open', highestSeq: records.length - 1, ...rest };
  }

  page(before: number | null, limit: number): RecordsAnswer {
    const kept = this.sealing.records.filter(({ value }) => !this.hides(value));
    const shown = kept.filter(({ value: { seq } }) => seq < (before ?? Infinity)).slice(-limit);
    const records = shown.reverse().map((record) => this.itemOf(record));
    return { records, lowestSeq: 0, highestSeq: this.sealing.records.length - 1 };
  }
}
