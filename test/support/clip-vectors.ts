/** The clips of clips.json, opened as a program does that has the owner's key: by either suite, or by a browser's WebCrypto. */
import { clipsOf, type Clip, type NamedSegment } from '../../app/core/clips.js';
import { playable } from '../../app/core/clip-verdict.js';
import { readFragment, readInitialisation } from '../../app/core/fragments.js';
import { concat, equal, toHex } from '../../common/bytes.js';
import { asSealcamError } from '../../common/errors.js';
import type { ChachaOpenLater, CryptoSuite } from '../../protocol/crypto/suite.js';
import { xwingKeys } from '../../protocol/crypto/xwing.js';
import { contextOf } from '../../protocol/evidence/event.js';
import { anyClaimKind, type AnyClaim } from '../../protocol/objects/claim.js';
import { kemHash } from '../../protocol/objects/kem-keys.js';
import { anyRecordKind, type AnyRecord } from '../../protocol/objects/record.js';
import { openSigned, versionOf, type Verified } from '../../protocol/objects/signed-object.js';
import { decodeObjectHeader } from '../../protocol/seal/object.js';
import { openPeriod, type OpenedPeriod, type OpenPeriodRequest } from '../../protocol/seal/open-period.js';
import { checkBinding } from '../../protocol/verify/binding.js';
import { History } from '../../protocol/verify/history.js';
import { isSegmentOf } from '../../protocol/verify/media.js';
import type { ClipCase, ClipVector } from '../../scripts/vectors/clip-history.js';
import { hex, readVectors } from './vectors.js';
import { exportedLines } from './worlds/exported.js';

type Hexed<T> = T extends Uint8Array ? string : T extends object ? { readonly [K in keyof T]: Hexed<T[K]> } : T;
export type ClipCaseJson = Hexed<ClipCase>;

export const clipVectors = readVectors<{
  readonly master: string;
  readonly kemSeed: string;
  readonly claim: string;
  readonly records: Readonly<Record<string, string>>;
  readonly bodies: Readonly<Record<string, string>>;
  readonly clips: readonly Hexed<ClipVector>[];
  readonly cases: readonly ClipCaseJson[];
}>('clips');

/** What opens: a suite, and WebCrypto in its place where a browser has it. */
export interface ClipOpening {
  readonly suite: CryptoSuite;
  readonly decapsulate?: OpenPeriodRequest['decapsulate'] | undefined;
  readonly chacha?: ChachaOpenLater | undefined;
}

function body(name: string): Uint8Array {
  return hex(clipVectors.bodies[name] ?? '');
}

/** Returns the bodies that a cloud hands out in a case: of one name, null where it has nothing. */
function answerOf({ answers }: ClipCaseJson, name: string): Uint8Array | null {
  const answer = answers[name];
  if (answer === null) return null;
  const [other, from, to] = answer ?? [name, 0, Infinity];
  return body(other).slice(from, to);
}

type Expected = ClipCaseJson['expect'];
type Found = Exclude<Expected, string>['segments'][number];

/** A verdict that is no error code. */
class Refused extends Error {
  readonly verdict: 'equivocation' | 'foreign' | 'media-missing' | 'pending';

  constructor(verdict: Refused['verdict']) {
    super(verdict);
    this.verdict = verdict;
  }
}

/** Returns the verdict with which something is refused; null where it is not. */
async function refusalOf(action: () => unknown): Promise<string | null> {
  try {
    await action();
    return null;
  } catch (error) {
    return error instanceof Refused ? error.verdict : asSealcamError(error).code;
  }
}

function refuseUnless(isGood: boolean, verdict: Refused['verdict']): asserts isGood {
  if (!isGood) throw new Refused(verdict);
}

/** Opens clips as the owner of the vectors. What cases have in common it does once. */
export class ClipOpener {
  private readonly opening: ClipOpening;
  private readonly claim: Verified<AnyClaim>;
  private readonly records = new Map<string, Verified<AnyRecord>>();
  /** Names of the bodies by their hash. */
  private readonly names: ReadonlyMap<string, string>;
  private period: Promise<OpenedPeriod> | null = null;

  constructor(opening: ClipOpening) {
    const { suite } = opening;
    this.opening = opening;
    this.claim = openSigned(anyClaimKind, suite, hex(clipVectors.claim));
    this.names = new Map(Object.keys(clipVectors.bodies).map((name) => [toHex(suite.sha256(body(name))), name]));
  }

  /** Opens the clip of a case: what is found, or the code with which one of its records is refused. */
  async open(one: ClipCaseJson): Promise<unknown> {
    let opened: Expected | null = null;
    const refusal = await refusalOf(async () => {
      opened = await this.find(one);
    });
    return refusal ?? opened;
  }

  private async find(one: ClipCaseJson): Promise<Expected> {
    const records = one.records.map((name) => this.record(name));
    const history = new History();
    for (const record of records) this.add(history, record);
    for (const record of records) refuseUnless(history.continuityOf(record).verdict !== 'equivocation', 'equivocation');
    const clip = clipIn(records, one.clip);
    const key = records.find(({ value }) => value.key !== undefined);
    const period = key === undefined ? null : await (this.period ??= this.openPeriod(key.value));
    const segments: Found[] = [];
    const whole: Uint8Array[] = [];
    for (const [index, named] of clip.segments.entries()) {
      const refusal = await refusalOf(async () => {
        if (named === null) return;
        const content = await this.openSegment(one, period, named);
        if (index === 0) readInitialisation(content);
        else readFragment(content);
        if (whole.length === index) whole.push(content);
      });
      segments.push(named === null ? null : ((refusal ?? 'here') as Found));
    }
    const parts = segments.map((found, index) => {
      const state = found === 'here' ? ('here' as const) : ('missing' as const);
      const isSync = clip.segments[index]?.entry[5] === true;
      return { index, state, isSync, startMs: 0, durationMs: 0, bytes: null, samples: [] };
    });
    const plays = playable(parts).map(({ index }) => index);
    return { segments, plays, ended: clip.hasEnd, file: toHex(this.opening.suite.sha256(concat(...whole))) };
  }

  private record(name: string): Verified<AnyRecord> {
    const known = this.records.get(name);
    if (known !== undefined) return known;
    const record = openSigned(anyRecordKind, this.opening.suite, hex(clipVectors.records[name] ?? ''));
    this.records.set(name, record);
    return record;
  }

  private add(history: History, record: Verified<AnyRecord>): void {
    const { value, hash } = this.claim;
    const { device, account, epoch } = value;
    const version = versionOf(value);
    const row = { device, account, epoch, claimHash: hash, version, state: 'open', closedAtSeq: null } as const;
    refuseUnless(checkBinding(record.value, row) === 'bound', 'foreign');
    refuseUnless(history.add(record) !== 'equivocation', 'equivocation');
  }

  private openPeriod({ device, account, epoch, claimHash, key }: AnyRecord): Promise<OpenedPeriod> {
    const { suite, decapsulate } = this.opening;
    const keys = xwingKeys(suite, hex(clipVectors.kemSeed));
    const { recipients } = this.claim.value;
    const kem = kemHash(suite, keys.publicKey);
    return openPeriod({
      suite,
      context: { device, account, epoch, claimHash, periodId: key?.periodId ?? kem },
      commit: key?.commit ?? kem,
      body: body('key'),
      recipients: recipients.length,
      own: recipients.findIndex((recipient) => 'kem' in recipient && equal(recipient.kem, kem)),
      decapsulate: decapsulate ?? ((enc) => keys.decapsulate(enc)),
    });
  }

  private async openSegment(
    one: ClipCaseJson,
    period: OpenedPeriod | null,
    { record: { value }, entry }: NamedSegment,
  ): Promise<Uint8Array> {
    const { suite, chacha } = this.opening;
    const [, mediaId, , bodyHash, header] = entry;
    const answer = answerOf(one, this.names.get(toHex(bodyHash)) ?? '');
    refuseUnless(answer !== null && isSegmentOf(suite, entry, answer), 'media-missing');
    refuseUnless(period !== null && equal(decodeObjectHeader(header).periodId, period.periodId), 'pending');
    const context = contextOf(value, value.clip?.eventId ?? new Uint8Array(0), mediaId, 'segment');
    const sealed = { header, body: answer };
    return chacha === undefined ? period.open(context, sealed) : period.openLater(chacha, context, sealed);
  }
}

function clipIn(records: readonly Verified<AnyRecord>[], name: string): Clip {
  const film = clipVectors.clips.find((one) => one.name === name);
  const ofEvent = records
    .filter(({ value: { clip } }) => clip !== undefined && toHex(clip.eventId) === film?.eventId)
    .sort((a, b) => a.value.seq - b.value.seq)
    .map((record) => ({ record, receivedAtMs: 0 }));
  const clips = clipsOf({ key: name, device: '', epoch: 1, clips: ofEvent });
  const clip = clips.find(({ number }) => number === film?.number);
  if (clip === undefined) throw new Error(`no clip ${name}`);
  return clip;
}

/** Returns a case as an account's export: a body finds its place by its hash. None of its records may be refused. */
export function exportOf(suite: CryptoSuite, one: ClipCaseJson): readonly string[] {
  const records = one.records.map((name) => ({
    record: openSigned(anyRecordKind, suite, hex(clipVectors.records[name] ?? '')),
    media: name === 'key' ? [{ header: new Uint8Array(0), body: body(name) }] : [],
  }));
  const bodies = Object.keys(clipVectors.bodies).flatMap((name) => answerOf(one, name) ?? []);
  const segments = new Map(bodies.map((bytes) => [toHex(suite.sha256(bytes)), bytes]));
  const claim = openSigned(anyClaimKind, suite, hex(clipVectors.claim));
  return exportedLines({ source: { claim, records, segments, receipts: [], mediaReceipts: [] } });
}
