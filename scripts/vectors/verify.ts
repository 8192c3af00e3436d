import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { recordKind, type SealcamRecord } from '../../protocol/objects/record.js';
import { signObject } from '../../protocol/objects/signed-object.js';
import type { ClaimBinding } from '../../protocol/verify/binding.js';
import type { ChainFacts } from '../../protocol/verify/continuity.js';
import type { Verdict } from '../../protocol/verify/verdict.js';
import { seedOf } from './keyring.js';
import { VectorWorld } from './signed.js';

/**
 * docs/protocol.md §10, steps 3 and 5: a record, the claim row of its epoch, what is known before it, and the verdict.
 */
export interface VerifyVector {
  readonly name: string;
  readonly record: Uint8Array;
  readonly row: ClaimBinding | null;
  readonly before: {
    readonly predecessor: Uint8Array | null;
    readonly missing: number;
    readonly missingSigned: boolean;
    readonly drainedUpTo: number;
  };
  readonly expect: Verdict;
}

/** Returns the content of verify.json. */
export function verifyVectors(suite: CryptoSuite): readonly VerifyVector[] {
  const world = new VectorWorld(suite);
  const before = seedOf(suite, 'record 4');
  const other = seedOf(suite, 'another hash');
  const sign = (record: SealcamRecord): Uint8Array => signObject(recordKind, suite, world.device, record).bytes;
  const scene = sign(world.record(5, before, { kind: 'scene', scene: { class: 'stall' } }));
  const accept = sign(world.record(0, world.claim.hash, { kind: 'accept' }));
  const stateLost = sign(world.record(5, null, { kind: 'gap', loss: [{ reason: 'state-lost', seqs: [3, 4] }] }));
  const row: ClaimBinding = {
    device: world.deviceId,
    account: world.account,
    epoch: 1,
    claimHash: world.claim.hash,
    state: 'open',
    closedAtSeq: null,
  };
  const known: ChainFacts = { predecessor: before, missing: 0, missingSigned: false, drainedUpTo: 0 };
  const gone: ChainFacts = { ...known, predecessor: undefined, missing: 2 };
  const of = (
    name: string,
    expect: Verdict,
    change: { record?: Uint8Array; row?: ClaimBinding | null; before?: ChainFacts } = {},
  ): VerifyVector => {
    const facts = change.before ?? known;
    return {
      name,
      record: change.record ?? scene,
      row: change.row === undefined ? row : change.row,
      before: { ...facts, predecessor: facts.predecessor ?? null },
      expect,
    };
  };
  return [
    of('intact', 'intact'),
    of('accept-needs-no-predecessor', 'intact', { record: accept, before: { ...gone, missing: 0 } }),
    of('no-row', 'foreign', { row: null }),
    of('row-of-another-device', 'foreign', { row: { ...row, device: other } }),
    of('row-of-another-account', 'foreign', { row: { ...row, account: other.slice(0, 16) } }),
    of('row-of-another-epoch', 'foreign', { row: { ...row, epoch: 2 } }),
    of('row-of-another-claim', 'foreign', { row: { ...row, claimHash: other } }),
    of('row-revoked', 'revoked', { row: { ...row, state: 'revoked' } }),
    of('row-closed-before', 'revoked', { row: { ...row, state: 'closed', closedAtSeq: 4 } }),
    of('row-closed-here', 'intact', { row: { ...row, state: 'closed', closedAtSeq: 5 } }),
    of('row-closed-nowhere', 'revoked', { row: { ...row, state: 'closed' } }),
    of('another-predecessor', 'equivocation', { before: { ...known, predecessor: other } }),
    of('predecessor-on-its-way', 'pending', { before: gone }),
    of('predecessor-lost-and-signed', 'gap', { before: { ...gone, missingSigned: true } }),
    of('predecessor-lost-queue-empty-later', 'gap', { before: { ...gone, drainedUpTo: 9 } }),
    of('predecessor-lost-queue-empty-before', 'pending', { before: { ...gone, drainedUpTo: 4 } }),
    of('state-lost', 'gap', { record: stateLost, before: gone }),
    of('state-lost-predecessor-known', 'gap', { record: stateLost }),
  ];
}
