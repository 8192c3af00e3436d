import { equal, toBase64, toHex } from '../../common/bytes.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import * as v from '../../common/schema.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { AnyClaim } from '../../protocol/objects/claim.js';
import { anyReceiptKind, checkReceiptAgainstClaim, type AnyReceipt } from '../../protocol/objects/receipt.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import { openSigned, type Verified } from '../../protocol/objects/signed-object.js';
import type { CloudClient } from './cloud-client.js';

/** Records of one request, and receipts in its answer at most. */
const RANGE_RECORDS = 200;
const RECEIPTS_MAX = 64;
const receiptsAnswer = v.object({ receipts: v.pipe(v.array(v.base64Bytes), v.maxLength(RECEIPTS_MAX)) });

/**
 * Returns the cloud's receipts for a range of records, each by a receipt key that the claim names and for these very records. An
 * older cloud has none to give, and one whose keys the claim does not name gives none.
 * @throws SealcamError `cloud-lied` for a receipt of something else; `cloud-unreachable`, …
 */
export async function receiptsFor(
  suite: CryptoSuite,
  client: Pick<CloudClient, 'call'>,
  claim: Verified<AnyClaim>,
  records: readonly Verified<AnyRecord>[],
): Promise<readonly Verified<AnyReceipt>[]> {
  const seqs = records.map(({ value }) => value.seq);
  const [first, last] = [Math.min(...seqs), Math.max(...seqs)];
  const receipts = new Map<string, Verified<AnyReceipt>>();
  for (let from = first; from <= last; from += RANGE_RECORDS) {
    const limit = Math.min(RANGE_RECORDS, last - from + 1);
    for (const bytes of await fetchReceipts(client, claim.value, from, limit)) {
      receipts.set(toBase64(bytes), checked(suite, claim, records, bytes));
    }
  }
  return [...receipts.values()];
}

async function fetchReceipts(
  client: Pick<CloudClient, 'call'>,
  { device, epoch }: Pick<AnyClaim, 'device' | 'epoch'>,
  from: number,
  limit: number,
): Promise<readonly Uint8Array[]> {
  const path = `/v1/cameras/${toHex(device)}/${String(epoch)}/receipts?from=${String(from)}&limit=${String(limit)}`;
  try {
    return (await client.call({ method: 'GET', path }, receiptsAnswer)).receipts;
  } catch (error) {
    if (isSealcamError(error) && error.code === 'not-found') return [];
    throw error;
  }
}

function checked(
  suite: CryptoSuite,
  claim: Verified<AnyClaim>,
  records: readonly Verified<AnyRecord>[],
  bytes: Uint8Array,
): Verified<AnyReceipt> {
  try {
    const receipt = openSigned(anyReceiptKind, suite, bytes);
    checkReceiptAgainstClaim(receipt, claim);
    for (const [, to, hash] of receipt.value.ranges) {
      const own = records.find(({ value }) => value.seq === to);
      if (own === undefined || equal(own.hash, hash)) continue;
      throw new SealcamError('malformed', `it names another record ${String(to)}`);
    }
    return receipt;
  } catch (error) {
    if (!isSealcamError(error)) throw error;
    throw new SealcamError('cloud-lied', `a receipt that is refused: ${error.message}`);
  }
}
