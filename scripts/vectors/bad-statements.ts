import type { ErrorCode } from '../../common/error-codes.js';
import type { Signer } from '../../protocol/crypto/suite.js';
import { deletionKind, type Deletion } from '../../protocol/objects/deletion.js';
import { floorKind, type Floor } from '../../protocol/objects/floor.js';
import { headsKind, type Heads } from '../../protocol/objects/heads.js';
import { memberKind, type Member } from '../../protocol/objects/member.js';
import type { SignedKind } from '../../protocol/objects/signed-object.js';
import type { Cbor } from '../../protocol/wire/cbor.js';
import { hex, RECORD, type Forge } from './forge.js';
import { NAMES, seedOf, signerOf } from './keyring.js';

type BadCase = readonly [name: string, domain: string, object: Uint8Array, expect: ErrorCode];

const ORDER_EIGHT = hex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');

/** Statements between pages and cloud, and what newer versions may hold, one breach each; every object is signed. */
export function statementCases(forge: Forge): readonly BadCase[] {
  const { world, suite } = forge;
  const member = signerOf(suite, NAMES.member);
  const cloud = signerOf(suite, NAMES.receipt);
  const head = [world.deviceId, 1, 7, seedOf(suite, 'record 7')] as const;
  const place = { device: world.deviceId, epoch: 1, claimHash: world.claim.hash };
  const keys: Member = { ed25519: member.publicKey, x25519: world.x25519(NAMES.member) };
  const heads: Heads = { browser: world.id('browser'), counter: 1, issuedAtMs: 0, heads: [head] };
  const deletion: Deletion = { ...place, fromSeq: 1, toSeq: 3, lastHash: seedOf(suite, 'record 3'), issuedAtMs: 0 };
  const floor: Floor = { ...place, belowSeq: 7, sinceMs: 86_400_000, periodMs: 86_400_000 };
  /** A record of a newer version with one more field. */
  const newer = (key: number, item: Cbor): Uint8Array =>
    forge.edited([
      [0, 2],
      [key, item],
    ]);
  const bad = <T>(
    name: string,
    kind: SignedKind<T>,
    value: T,
    signer: Signer,
    key: number,
    item: Cbor | undefined,
    expect: ErrorCode = 'malformed',
  ): BadCase => [name, kind.domain, forge.forged(kind, value, [[key, item]], signer), expect];
  return [
    bad('member-signed-by-stranger', memberKind, keys, signerOf(suite, NAMES.stranger), 1, member.publicKey, 'foreign'),
    bad('member-names-another-signer', memberKind, keys, member, 1, ORDER_EIGHT, 'foreign'),
    bad('member-x25519-low-order', memberKind, keys, member, 2, new Uint8Array(32)),
    bad('member-without-x25519', memberKind, keys, member, 2, undefined),
    bad('member-version-2', memberKind, keys, member, 0, 2, 'unsupported'),
    bad('heads-epoch-twice', headsKind, heads, member, 4, [head, [world.deviceId, 1, 8, seedOf(suite, 'record 8')]]),
    bad('heads-epoch-0', headsKind, heads, member, 4, [[world.deviceId, 0, 7, seedOf(suite, 'record 7')]]),
    bad('heads-browser-15-bytes', headsKind, heads, member, 1, world.id('browser').slice(1)),
    bad('deletion-backwards', deletionKind, deletion, world.owner, 4, 4),
    bad('deletion-without-hash', deletionKind, deletion, world.owner, 6, undefined),
    bad('floor-below-0', floorKind, floor, cloud, 4, 0),
    bad('floor-period-0', floorKind, floor, cloud, 6, 0),
    bad('floor-since-before-its-period', floorKind, floor, cloud, 5, 86_399_999),
    ['version-2-key-24', RECORD, newer(24, 0), 'malformed'],
    ['version-2-key-negative', RECORD, newer(-1, 0), 'malformed'],
    ['version-2-text-with-control-character', RECORD, newer(22, 'a\nb'), 'unsupported'],
    ['version-2-text-with-byte-order-mark', RECORD, newer(22, '\ufeffa'), 'malformed'],
    ['version-negative', RECORD, forge.edited([[0, -1]]), 'unsupported'],
  ];
}
