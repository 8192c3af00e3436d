import { equal, toHex } from '../../common/bytes.js';
import { asSealcamError, isSealcamError, SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { claimKind } from '../../protocol/objects/claim.js';
import { deviceId } from '../../protocol/objects/ids.js';
import { recordKind, type SealcamRecord } from '../../protocol/objects/record.js';
import { rulesOf } from '../../protocol/objects/record-kinds.js';
import { openSigned, signedButFaulty, type Verified } from '../../protocol/objects/signed-object.js';
import type { SentRecord } from '../../protocol/transport/messages.js';
import { checkBinding } from '../../protocol/verify/binding.js';
import { isMediaOf } from '../../protocol/verify/media.js';
import type { Verdict } from '../../protocol/verify/verdict.js';
import type { ClaimRow, CloudStore, NewMedia } from '../store/store.js';
import type { ReceiptedEpoch, Settled } from './receipts.js';

/** What became of one record of a message. */
export type Judgement =
  | {
      readonly type: 'stored';
      readonly record: Verified<SealcamRecord>;
      /** Order of arrival; null for a duplicate. */
      readonly id: number | null;
      /** Whom a receipt of it is for. */
      readonly epoch: ReceiptedEpoch;
      /** Null while media are missing that no signed loss names: then there is no receipt yet. */
      readonly settled: Settled | null;
      /** Sealed objects that came but are not the ones the record names. */
      readonly wrongMedia: number;
    }
  | {
      readonly type: 'refused';
      readonly verdict: Extract<Verdict, 'malformed' | 'unsupported' | 'foreign' | 'revoked' | 'equivocation'>;
      readonly reason: string;
      readonly rejected: { readonly epoch: ReceiptedEpoch; readonly settled: Settled } | null;
    };

function refused(
  verdict: Extract<Judgement, { type: 'refused' }>['verdict'],
  reason: string,
  rejected: Extract<Judgement, { type: 'refused' }>['rejected'] = null,
): Judgement {
  return { type: 'refused', verdict, reason, rejected };
}

/**
 * §10 of the protocol, in its order, for one record of a message on the topic of `device`: verify, bind by the
 * authoritative row of its own epoch, store. If claims or store cannot be read this throws, and nothing is receipted.
 */
export async function judgeRecord(
  store: CloudStore,
  suite: CryptoSuite,
  device: Uint8Array,
  sent: SentRecord,
  nowMs: number,
  /** Asked for a row that is not there yet, where it may be on its way by another worker. */
  waitForClaim?: (epoch: number) => Promise<ClaimRow | undefined>,
): Promise<Judgement> {
  let record: Verified<SealcamRecord>;
  try {
    record = openSigned(recordKind, suite, sent.record);
  } catch (error) {
    return refuseUnreadable(store, suite, device, sent, error);
  }
  const { value, hash } = record;
  if (!equal(value.device, device)) return refused('foreign', `signed by ${toHex(value.device)}`);

  const row = (await store.claims.row(value.device, value.epoch)) ?? (await waitForClaim?.(value.epoch));
  const binding = checkBinding(value, row);
  if (binding !== 'bound') return refused(binding, bindingReason(row, value));

  const named = value.media ?? [];
  if (sent.media.length !== named.length) return refused('malformed', 'a media list of another length');
  const media: NewMedia[] = [];
  let wrongMedia = 0;
  for (const [i, meta] of named.entries()) {
    const sealed = sent.media[i] ?? null;
    if (sealed === null) continue;
    if (isMediaOf(suite, meta, sealed)) media.push({ id: meta.id, sealed });
    else wrongMedia++;
  }

  const put = await store.records.put(record, media, nowMs);
  const epoch = { device: value.device, epoch: value.epoch, claimHash: value.claimHash, claim: row?.claim ?? null };
  if (put.outcome === 'equivocation') {
    const settled = { type: 'rejected', seq: value.seq, hash, code: 'equivocation' } as const;
    return refused('equivocation', `another record for seq ${String(value.seq)}`, { epoch, settled });
  }
  if (rulesOf(value.kind).isLast) await store.claims.close(value.device, value.epoch, value.seq);
  const isComplete = await hasMediaOrLoss(store, value);
  return {
    type: 'stored',
    record,
    epoch,
    id: put.outcome === 'stored' ? put.id : null,
    settled: isComplete ? { type: 'stored', seq: value.seq, hash } : null,
    wrongMedia,
  };
}

export const REVOKED_BY_MAKER = 'the maker revoked this camera';

/** A record of a camera that the maker revoked: nothing of it is stored, receipted or rejected for good. */
export function judgeRevoked(suite: CryptoSuite, device: Uint8Array, sent: SentRecord): Judgement {
  try {
    const { value } = openSigned(recordKind, suite, sent.record);
    if (!equal(value.device, device)) return refused('foreign', `signed by ${toHex(value.device)}`);
    return refused('revoked', REVOKED_BY_MAKER);
  } catch (error) {
    const { code, message } = asSealcamError(error);
    return refused(code === 'foreign' || code === 'unsupported' ? code : 'malformed', message);
  }
}

/** Everything the record names is here, or a stored, signed loss says that it never will be. */
async function hasMediaOrLoss(store: CloudStore, { device, epoch, media }: SealcamRecord): Promise<boolean> {
  if (media === undefined) return true;
  const present = await store.records.mediaPresent(
    device,
    epoch,
    media.map(({ id }) => id),
  );
  for (const [i, { id }] of media.entries()) {
    if (present[i] !== true && !(await store.records.isLossSigned(device, epoch, id))) return false;
  }
  return true;
}

function bindingReason(row: ClaimRow | undefined, record: SealcamRecord): string {
  if (row === undefined) return `no claim of epoch ${String(record.epoch)}`;
  if (!equal(row.account, record.account)) return 'the row names another account';
  if (!equal(row.claimHash, record.claimHash)) return 'the row names another claim';
  return `the epoch is ${row.state}`;
}

/**
 * A record that cannot be read is rejected for good only if this very camera signed it and it fits the row; a reject of
 * anything else could name the hash of a good record.
 */
async function refuseUnreadable(
  store: CloudStore,
  suite: CryptoSuite,
  device: Uint8Array,
  sent: SentRecord,
  error: unknown,
): Promise<Judgement> {
  if (!isSealcamError(error)) throw error;
  if (error.code === 'foreign' || error.code === 'unsupported') return refused(error.code, error.message);
  if (error.code !== 'malformed' && error.code !== 'bad-signature') throw error;
  const faulty = signedButFaulty(recordKind, suite, sent.record);
  if (faulty === undefined || !equal(deviceId(suite, faulty.kid), device)) {
    return refused('malformed', `${error.code}: ${error.message}`);
  }
  const [named, epoch, claimHash, seq] = [2, 4, 5, 6].map((key) => faulty.fields.get(key));
  const isNamed =
    named instanceof Uint8Array &&
    equal(named, device) &&
    typeof epoch === 'number' &&
    typeof seq === 'number' &&
    seq >= 0;
  const row = isNamed && epoch >= 1 ? await store.claims.row(device, epoch) : undefined;
  if (row === undefined || !isNamed || !(claimHash instanceof Uint8Array) || !equal(row.claimHash, claimHash)) {
    return refused('malformed', error.message);
  }
  return refused('malformed', error.message, {
    epoch: { device, epoch: row.epoch, claimHash, claim: row.claim },
    settled: { type: 'rejected', seq, hash: faulty.hash, code: 'malformed' },
  });
}

/** A claim with its accept: the only way in which a row comes to be. */
export async function judgeAccept(
  store: CloudStore,
  suite: CryptoSuite,
  device: Uint8Array,
  claimBytes: Uint8Array,
  recordBytes: Uint8Array,
  nowMs: number,
): Promise<Judgement> {
  const claim = openSigned(claimKind, suite, claimBytes);
  const accept = openSigned(recordKind, suite, recordBytes);
  const { value } = accept;
  const agrees =
    rulesOf(value.kind).isFirst &&
    equal(claim.value.device, device) &&
    checkBinding(value, {
      device: claim.value.device,
      account: claim.value.account,
      epoch: claim.value.epoch,
      claimHash: claim.hash,
      state: 'open',
      closedAtSeq: null,
    }) === 'bound';
  if (!agrees) throw new SealcamError('foreign', 'an accept that is not of its claim');
  // The row of a revoked epoch stays; its camera is told nothing, however often it says that it accepted.
  const row = await store.claims.row(value.device, value.epoch);
  if (row?.state === 'revoked') return refused('revoked', `epoch ${String(value.epoch)} is revoked`);
  const put = await store.claims.accept(claim, accept, nowMs);
  if (put.outcome === 'equivocation') return refused('equivocation', `another claim for epoch ${String(value.epoch)}`);
  return {
    type: 'stored',
    record: accept,
    epoch: { device, epoch: value.epoch, claimHash: claim.hash, claim: claim.bytes },
    id: put.outcome === 'stored' ? put.id : null,
    settled: { type: 'stored', seq: 0, hash: accept.hash },
    wrongMedia: 0,
  };
}
