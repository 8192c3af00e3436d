import { describe, expect, it } from 'vitest';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { anyClaimKind, checkClaimSuccession, claimKindV2, mayOrder } from '../../../../protocol/objects/claim.js';
import { commandKindV2, type CommandV2 } from '../../../../protocol/objects/command.js';
import { checkKemKeys } from '../../../../protocol/objects/kem-keys.js';
import { keyBodyBytes } from '../../../../protocol/objects/key-record.js';
import { lookKind, type Look } from '../../../../protocol/objects/look.js';
import { memberKind, memberKindV2, memberNumber, type MemberV2 } from '../../../../protocol/objects/member.js';
import { formatMemberCode, parseAnyMemberCode, parseMemberCode } from '../../../../protocol/objects/member-code.js';
import { mediaReceiptKind } from '../../../../protocol/objects/media-receipt.js';
import { anyReceiptKind, checkReceiptAgainstClaim, type AnyReceipt } from '../../../../protocol/objects/receipt.js';
import {
  anyRecordKind,
  LOSS_REASONS,
  recordKind,
  recordKindV2,
  type AnyRecord,
} from '../../../../protocol/objects/record.js';
import { LOSS_REASONS_V2 } from '../../../../protocol/objects/record-fields-v2.js';
import {
  MEDIA_ROLES,
  MEDIA_ROLES_V2,
  RECORD_KINDS,
  RECORD_KINDS_V2,
} from '../../../../protocol/objects/record-kinds.js';
import {
  checkVersionOfEpoch,
  openSigned,
  PROTOCOL_VERSIONS,
  signObject,
  type Verified,
} from '../../../../protocol/objects/signed-object.js';
import { liveAad, liveNonce } from '../../../../protocol/transport/live.js';
import { topicOf } from '../../../../protocol/transport/topics.js';
import { History } from '../../../../protocol/verify/history.js';
import { isSegmentOf } from '../../../../protocol/verify/media.js';
import {
  checkLook,
  checkOrder,
  checkOrderCounter,
  isVersionHidden,
  openAnsweredLook,
} from '../../../../protocol/verify/orders.js';
import { encodeCbor } from '../../../../protocol/wire/cbor.js';
import { Forge } from '../../../../scripts/vectors/forge.js';
import { NAMES, seedOf, signerOf } from '../../../../scripts/vectors/keyring.js';
import { recordChainV2, VectorWorldV2, type RecordRest } from '../../../../scripts/vectors/signed-v2.js';
import { codeOf } from '../../../support/codes.js';

const world = new VectorWorldV2(nodeSuite);
const { claimV2, claim, kemKeys } = world;
const chain = recordChainV2(world);
const hash = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const sign = (record: AnyRecord): Verified<AnyRecord> => signObject(anyRecordKind, nodeSuite, world.device, record);

function recordOf(name: string): AnyRecord {
  const [, record] = chain.find(([known]) => known === name) ?? [];
  if (record === undefined) throw new Error(`no record ${name}`);
  return record;
}

describe('KEM keys beside a claim', () => {
  const check = (keys: readonly Uint8Array[]): string =>
    codeOf(() => {
      checkKemKeys(nodeSuite, claimV2.value, keys);
    });

  it('are those that the claim names, in its order', () => {
    expect(check(kemKeys)).toBe('accepted');
  });

  it('are refused if one is replaced, missing, added, cut or in another place', () => {
    const [owner = hash(0), browser = hash(0), member = hash(0)] = kemKeys;
    const lists = [
      [owner, browser, world.kemKey('stranger')],
      [owner, browser],
      [owner, browser, member, member],
      [owner, browser, member.slice(1)],
      [browser, owner, member],
      [],
    ];
    for (const keys of lists) expect(check(keys)).toBe('kem-key');
  });
});

describe('the version of an epoch', () => {
  it('is that of its claim', () => {
    const codes = [claim.value, claimV2.value].flatMap((of) =>
      [claim.value, claimV2.value].map((object) =>
        codeOf(() => {
          checkVersionOfEpoch(object, of);
        }),
      ),
    );
    expect(codes).toEqual(['accepted', 'malformed', 'malformed', 'accepted']);
  });

  it('does not go back under the same owner, and may under another', () => {
    const next = (before: typeof claim | typeof claimV2, value: typeof claim | typeof claimV2): string =>
      codeOf(() => {
        checkClaimSuccession(before.value, value.value);
      });
    const stranger = signerOf(nodeSuite, NAMES.stranger);
    const other = { value: { ...claim.value, ownerKey: stranger.publicKey } } as typeof claim;
    expect(next(claimV2, claim)).toBe('claim-downgrade');
    expect([next(claim, claimV2), next(claimV2, claimV2), next(claim, claim), next(claimV2, other)]).toEqual(
      Array.from({ length: 4 }, () => 'accepted'),
    );
  });

  it('is hidden by a cloud where a camera of 1.1 has a claim of version 1', () => {
    const hidden = ['0.1.0', '1.0.9', '1.1.0', '1.2', '2.0.0-rc1', '10.0.0', 'x', ''].map((agent) =>
      isVersionHidden(claim.value, agent),
    );
    expect(hidden).toEqual([false, false, true, true, true, true, false, false]);
    expect(isVersionHidden(claimV2.value, '1.1.0')).toBe(false);
  });

  it('decides about receipts', () => {
    const ranges: AnyReceipt['ranges'] = [];
    const place = { device: world.deviceId, epoch: 2, claimHash: claimV2.hash, ranges };
    const check = (receipt: AnyReceipt, signer: keyof typeof NAMES): string =>
      codeOf(() => {
        checkReceiptAgainstClaim(
          signObject(anyReceiptKind, nodeSuite, signerOf(nodeSuite, NAMES[signer]), receipt),
          claimV2,
        );
      });
    expect(check({ ...place, version: 2 }, 'receiptNext')).toBe('accepted');
    expect(check(place, 'receiptNext')).toBe('malformed');
    expect(check({ ...place, version: 2 }, 'owner')).toBe('foreign');
    expect(check({ ...place, version: 2, claimHash: claim.hash }, 'receipt')).toBe('foreign');
  });

  it('leaves the numbers of version 1 as they are', () => {
    expect(RECORD_KINDS_V2).toEqual({ ...RECORD_KINDS, key: 8, clip: 9 });
    expect(MEDIA_ROLES_V2).toEqual({ ...MEDIA_ROLES, key: 3, mini: 4, segment: 5 });
    expect(LOSS_REASONS_V2).toEqual({ ...LOSS_REASONS, refused: 10 });
    expect(PROTOCOL_VERSIONS).toEqual([1, 2]);
  });

  it.each(chain)('what a record %s has of version 2 is refused in version 1', (name, record) => {
    // Unknown keys are malformed there, unknown numbers of enumerations unsupported, as ever.
    const object = new Forge(nodeSuite).forged(recordKindV2, record, [[0, 1]], world.device);
    const isOld = ['accept', 'motion-end', 'scene', 'tombstone'].includes(name);
    expect(codeOf(() => openSigned(recordKind, nodeSuite, object))).toMatch(
      isOld ? /^accepted$/ : /^(malformed|unsupported)$/,
    );
  });

  it('makes a claim with KEM keys malformed in version 1', () => {
    const object = new Forge(nodeSuite).forged(claimKindV2, claimV2.value, [[0, 1]], world.owner);
    expect(codeOf(() => openSigned(anyClaimKind, nodeSuite, object))).toBe('malformed');
  });
});

describe('orders of several browsers', () => {
  const kidOf = (name: keyof typeof NAMES): Uint8Array => signerOf(nodeSuite, NAMES[name]).publicKey;
  const order = (by: keyof typeof NAMES, change: Partial<CommandV2> = {}): string =>
    codeOf(() => {
      const value = world.order({ action: 'snapshot', ...change });
      checkOrder(signObject(commandKindV2, nodeSuite, signerOf(nodeSuite, NAMES[by]), value), claimV2);
    });

  it('are taken from every recipient with role owner', () => {
    expect(order('owner')).toBe('accepted');
    expect(order('ownerNext')).toBe('accepted');
    expect(order('member')).toBe('command-refused');
    expect(order('stranger')).toBe('command-refused');
    expect(order('owner', { claimHash: claim.hash })).toBe('command-refused');
    expect(order('owner', { epoch: 1 })).toBe('command-refused');
  });

  it('end the ownership by the root key alone, which began it', () => {
    expect(order('ownerNext', { action: 'release' })).toBe('command-refused');
    expect(order('owner', { action: 'release' })).toBe('accepted');
  });

  it('are the owner key alone in version 1', () => {
    expect([kidOf('owner'), kidOf('member')].map((kid) => mayOrder(claim.value, kid))).toEqual([true, false]);
  });

  it('have a counter each, which may not run ahead of a clock that is set', () => {
    const dayMs = 86_400_000;
    const check = (version: 1 | 2, counter: number, last: number, wallMs: number | null): string =>
      codeOf(() => {
        checkOrderCounter(version, counter, last, wallMs);
      });
    expect(check(2, 1000, 999, 1000)).toBe('accepted');
    expect(check(2, 999, 999, 1000)).toBe('command-replayed');
    expect(check(2, 1000 + dayMs, 0, 1000)).toBe('accepted');
    expect(check(2, 1001 + dayMs, 0, 1000)).toBe('command-ahead');
    expect(check(2, 1001 + dayMs, 0, null)).toBe('accepted');
    expect(check(1, 1001 + dayMs, 0, 1000)).toBe('accepted');
  });
});

describe('a look', () => {
  const look = (by: keyof typeof NAMES, change: Partial<Look> = {}): Verified<Look> =>
    signObject(lookKind, nodeSuite, signerOf(nodeSuite, NAMES[by]), world.lookOrder(change));

  it('is taken from every recipient of the claim', () => {
    const check = (order: Verified<Look>): string =>
      codeOf(() => {
        checkLook(order, claimV2);
      });
    expect((['owner', 'ownerNext', 'member'] as const).map((by) => check(look(by)))).toEqual(
      Array.from({ length: 3 }, () => 'accepted'),
    );
    expect(check(look('stranger'))).toBe('command-refused');
    expect(check(look('member', { claimHash: claim.hash }))).toBe('command-refused');
    expect(check(look('member', { device: hash(1) }))).toBe('command-refused');
  });

  it('is in the record that answers it, whole', () => {
    expect(openAnsweredLook(nodeSuite, recordOf('look'), claimV2)?.value).toEqual(world.lookOrder());
    expect(openAnsweredLook(nodeSuite, recordOf('look-renewed'), claimV2)?.value.renewal).toBe(1);
    expect(openAnsweredLook(nodeSuite, recordOf('look-ended'), claimV2)).toBeNull();
    expect(openAnsweredLook(nodeSuite, recordOf('health'), claimV2)).toBeNull();
  });

  it('is refused there if a stranger gave it, it was altered, or its key and the ciphertext do not fit', () => {
    const { command } = recordOf('look');
    if (command?.look === undefined) throw new Error('no look');
    const { look: answer } = command;
    const open = (change: Partial<typeof answer>): string => {
      const record = { ...recordOf('look'), command: { ...command, look: { ...answer, ...change } } };
      return codeOf(() => openAnsweredLook(nodeSuite, record, claimV2));
    };
    expect(open({})).toBe('accepted');
    expect(open({ order: look('stranger').bytes })).toBe('command-refused');
    expect(open({ order: answer.order.map((byte, i) => (i === 200 ? byte ^ 1 : byte)) })).toBe('bad-signature');
    expect(open({ ciphertext: null })).toBe('malformed');
    expect(open({ order: look('member', { renewal: 1, kemKey: null }).bytes })).toBe('malformed');
  });
});

describe('a history with periods', () => {
  const periodId = world.id('period');
  const keyAt = (seq: number, commit: number, period = periodId): Verified<AnyRecord> => {
    const rest: RecordRest = {
      kind: 'key',
      key: { periodId: period, commit: hash(commit) },
      media: [world.keyMedia(`key ${String(seq)}`)],
    };
    return sign(world.recordV2(seq, hash(seq), rest));
  };
  const stateOf = (history: History, period = periodId): string => history.periodOf(world.deviceId, 2, period).state;

  it('waits for the key record of a period', () => {
    const history = new History();
    expect(stateOf(history)).toBe('pending');
    const first = keyAt(3, 1);
    expect(history.add(first)).toBe('added');
    expect(history.add(first)).toBe('duplicate');
    expect(history.periodOf(world.deviceId, 2, periodId)).toEqual({ state: 'known', record: first.hash });
    expect(history.add(keyAt(9, 1, world.id('period 2')))).toBe('added');
    expect(stateOf(history, world.id('period 3'))).toBe('pending');
  });

  it('takes a second key record of a period for a contradiction, and shows nothing of the period any more', () => {
    const history = new History();
    const first = keyAt(3, 1);
    const second = keyAt(9, 2);
    history.add(first);
    expect(history.continuityOf(second).verdict).toBe('equivocation');
    expect(history.add(second)).toBe('equivocation');
    expect(stateOf(history)).toBe('equivocation');
    expect(history.hashOf(world.deviceId, 2, 9)).toBeUndefined();
    expect(history.add(keyAt(10, 1))).toBe('equivocation');
  });

  it('takes it so at the same seq too', () => {
    const history = new History();
    history.add(keyAt(3, 1));
    expect(history.add(keyAt(3, 2))).toBe('equivocation');
    expect(stateOf(history)).toBe('equivocation');
  });

  it('takes no key from a record that contradicts another in its place', () => {
    const history = new History();
    history.add(sign(world.recordV2(3, hash(3), { kind: 'scene', scene: { class: 'stall' } })));
    expect(history.add(keyAt(3, 1))).toBe('equivocation');
    expect(stateOf(history)).toBe('pending');
  });

  it('does not change by being asked', () => {
    const history = new History();
    history.add(keyAt(3, 1));
    expect(history.continuityOf(keyAt(9, 2)).verdict).toBe('equivocation');
    expect(stateOf(history)).toBe('known');
  });

  it('keeps the periods of two epochs apart', () => {
    const history = new History();
    history.add(keyAt(3, 1));
    const { value } = keyAt(3, 2);
    expect(history.add(sign({ ...value, epoch: 3 }))).toBe('added');
    expect(stateOf(history)).toBe('known');
  });

  it('follows records of both kinds like any other', () => {
    const history = new History();
    for (const [, record] of chain) expect(history.add(sign(record))).toBe('added');
    for (const [, record] of chain) expect(history.continuityOf(sign(record)).verdict).toBe('intact');
  });
});

describe('clips, live messages and member codes', () => {
  it('a segment is the body that its record names, by length and hash', () => {
    const body = new Uint8Array(16_400).fill(7);
    const [index, id, , , header, sync, durationMs] = world.segment(0);
    const segment = [index, id, body.length, nodeSuite.sha256(body), header, sync, durationMs] as const;
    expect(isSegmentOf(nodeSuite, segment, body)).toBe(true);
    expect(isSegmentOf(nodeSuite, segment, body.slice(1))).toBe(false);
    expect(
      isSegmentOf(
        nodeSuite,
        segment,
        body.map((byte, i) => (i === 9 ? byte ^ 1 : byte)),
      ),
    ).toBe(false);
  });

  it('31 segments fit into a signed record, and a key record for 8 has 9,395 bytes', () => {
    const segments = Array.from({ length: 31 }, (_, i) => world.segment(i));
    const clip = { eventId: world.id('event'), number: 0, phase: 'start', segments } as const;
    expect(sign(world.recordV2(3, hash(2), { kind: 'clip', clip })).bytes.length).toBeLessThan(8192);
    expect(keyBodyBytes(8)).toBe(9395);
  });

  it('a nonce is the number of its message, and its flags are authenticated', () => {
    expect(Buffer.from(liveNonce(2 ** 32 + 5)).toString('hex')).toBe('000000000000000100000005');
    const session = world.id('session');
    expect(liveAad({ session, n: 7, flags: 9 })).toEqual(encodeCbor([session, 7, 9]));
    expect(topicOf(world.deviceId, 'live')).toMatch(/^sealcam\/v1\/[0-9a-f]{64}\/live$/);
  });

  it('a media receipt is checked against the claim like a receipt', () => {
    const check = (signer: keyof typeof NAMES, claimHash: Uint8Array): string =>
      codeOf(() => {
        const value = { version: 2, device: world.deviceId, epoch: 2, claimHash, issuedAtMs: 0 } as const;
        const receipt = signObject(mediaReceiptKind, nodeSuite, signerOf(nodeSuite, NAMES[signer]), {
          ...value,
          entries: [[hash(1), 'stored']],
        });
        checkReceiptAgainstClaim(receipt, claimV2);
      });
    expect(check('receipt', claimV2.hash)).toBe('accepted');
    expect(check('stranger', claimV2.hash)).toBe('foreign');
    expect(check('receipt', claim.hash)).toBe('foreign');
  });

  it('a member code carries either version, and its number covers the hash of the KEM key', () => {
    const signer = signerOf(nodeSuite, NAMES.member);
    const make = (kem: Uint8Array): Verified<MemberV2> =>
      signObject<MemberV2>(memberKindV2, nodeSuite, signer, { version: 2, ed25519: signer.publicKey, kem });
    const member = make(world.kem(NAMES.member));
    const code = formatMemberCode(nodeSuite, member);
    expect(parseAnyMemberCode(nodeSuite, code).value).toEqual(member.value);
    expect(codeOf(() => parseMemberCode(nodeSuite, code))).toBe('unsupported');
    expect(memberNumber(make(seedOf(nodeSuite, 'another key')))).not.toBe(memberNumber(member));
    const one = { ed25519: signer.publicKey, x25519: world.x25519(NAMES.member) };
    const old = formatMemberCode(nodeSuite, signObject(memberKind, nodeSuite, signer, one));
    expect(parseAnyMemberCode(nodeSuite, old).value).toEqual(one);
  });
});
