import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { anyRecordKind, type AnyRecord } from '../../protocol/objects/record.js';
import { signObject } from '../../protocol/objects/signed-object.js';
import type { ClaimBinding } from '../../protocol/verify/binding.js';
import type { Verdict } from '../../protocol/verify/verdict.js';
import { seedOf } from './keyring.js';
import { VectorWorldV2 } from './signed-v2.js';
import type { VerifyVector } from './verify.js';

/** Returns the content of verify-v2.json: as verify.json, where the row of an epoch has a version too. */
export function verifyVectorsV2(suite: CryptoSuite): readonly VerifyVector[] {
  const world = new VectorWorldV2(suite);
  const before = seedOf(suite, 'record 4');
  const scene = { kind: 'scene', scene: { class: 'stall' } } as const;
  const one = world.record(5, before, scene);
  const two = world.recordV2(5, before, scene);
  const rowOne: ClaimBinding = {
    device: world.deviceId,
    account: world.account,
    epoch: 1,
    claimHash: world.claim.hash,
    version: 1,
    state: 'open',
    closedAtSeq: null,
  };
  const rowTwo: ClaimBinding = { ...rowOne, epoch: 2, claimHash: world.claimV2.hash, version: 2 };
  const of = (name: string, record: AnyRecord, row: ClaimBinding | null, expect: Verdict): VerifyVector => ({
    name,
    record: signObject(anyRecordKind, suite, world.device, record).bytes,
    row,
    before: { predecessor: before, missing: 0, missingSigned: false, drainedUpTo: 0 },
    expect,
  });
  const inEpochOne = { epoch: 1, claimHash: world.claim.hash };
  const inEpochTwo = { epoch: 2, claimHash: world.claimV2.hash };
  const another = seedOf(suite, 'another record 4');
  return [
    of('version-1-in-an-epoch-of-version-1', one, rowOne, 'intact'),
    of('version-2-in-an-epoch-of-version-2', two, rowTwo, 'intact'),
    of('version-2-in-an-epoch-of-version-1', { ...two, ...inEpochOne }, rowOne, 'malformed'),
    of('version-1-in-an-epoch-of-version-2', { ...one, ...inEpochTwo }, rowTwo, 'malformed'),
    of('version-2-of-another-epoch', two, rowOne, 'foreign'),
    of('version-2-without-a-row', two, null, 'foreign'),
    of('version-2-revoked', two, { ...rowTwo, state: 'revoked' }, 'revoked'),
    of('version-2-after-the-tombstone', two, { ...rowTwo, state: 'closed', closedAtSeq: 4 }, 'revoked'),
    of('version-2-another-predecessor', { ...two, prev: another }, rowTwo, 'equivocation'),
  ];
}
