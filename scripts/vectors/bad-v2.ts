import type { ErrorCode } from '../../common/error-codes.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { claimKindV2 } from '../../protocol/objects/claim.js';
import { commandKindV2, type CommandV2 } from '../../protocol/objects/command.js';
import { headsKindV2, type HeadsV2 } from '../../protocol/objects/heads.js';
import { lookKind } from '../../protocol/objects/look.js';
import { mediaReceiptKind, type MediaReceipt } from '../../protocol/objects/media-receipt.js';
import { memberKindV2, type MemberV2 } from '../../protocol/objects/member.js';
import { offerKindV2 } from '../../protocol/objects/offer.js';
import { receiptKindV2, type ReceiptV2 } from '../../protocol/objects/receipt.js';
import { recordKindV2 } from '../../protocol/objects/record.js';
import { settingsKind, type Settings } from '../../protocol/objects/settings.js';
import type { SignedKind } from '../../protocol/objects/signed-object.js';
import type { Cbor } from '../../protocol/wire/cbor.js';
import { Forge } from './forge.js';
import { NAMES, seedOf, signerOf } from './keyring.js';
import { recordChainV2, VectorWorldV2 } from './signed-v2.js';

type Changes = readonly (readonly [number, Cbor | undefined])[];
interface BadVector {
  readonly name: string;
  readonly domain: string;
  readonly object: Uint8Array;
  readonly expect: ErrorCode;
}

const map = (...entries: readonly (readonly [number, Cbor])[]): ReadonlyMap<number, Cbor> => new Map(entries);

/** Makes one bad object after another: a valid value, one change, a valid signature. */
class Breaker {
  readonly world: VectorWorldV2;
  readonly forge: Forge;
  private readonly chain: ReturnType<typeof recordChainV2>;

  readonly suite: CryptoSuite;

  constructor(suite: CryptoSuite) {
    this.suite = suite;
    this.world = new VectorWorldV2(suite);
    this.forge = new Forge(suite);
    this.chain = recordChainV2(this.world);
  }

  hash(name: string): Uint8Array {
    return seedOf(this.suite, name);
  }

  signer(name: keyof typeof NAMES): Signer {
    return signerOf(this.suite, NAMES[name]);
  }

  of<T>(
    name: string,
    kind: SignedKind<T>,
    value: T,
    signer: keyof typeof NAMES,
    changes: Changes,
    expect: ErrorCode = 'malformed',
  ): BadVector {
    const object = this.forge.forged(kind, value, changes, this.signer(signer));
    return { name, domain: kind.domain, object, expect };
  }

  /** Changes the record of this name. */
  record(name: string, base: string, changes: Changes, expect: ErrorCode = 'malformed'): BadVector {
    const [, value] = this.chain.find(([known]) => known === base) ?? [];
    if (value === undefined) throw new Error(`no record ${base}`);
    return this.of(`record-${name}`, recordKindV2, value, 'device', changes, expect);
  }

  /** CBOR of the field with this key in the record of this name, with some of its own keys replaced. */
  part(base: string, key: number, changes: Changes): Cbor {
    const [, value] = this.chain.find(([known]) => known === base) ?? [];
    if (value === undefined) throw new Error(`no record ${base}`);
    const fields = recordKindV2.codec.toCbor(value) as ReadonlyMap<number, Cbor>;
    const part = new Map(fields.get(key) as ReadonlyMap<number, Cbor>);
    for (const [inner, item] of changes) {
      if (item === undefined) part.delete(inner);
      else part.set(inner, item);
    }
    return part;
  }
}

function versions(b: Breaker): readonly BadVector[] {
  const { world } = b;
  return [
    b.record('version-3', 'scene', [[0, 3]], 'unsupported'),
    b.record('version-0', 'scene', [[0, 0]], 'unsupported'),
    b.record('version-text', 'scene', [[0, '2']]),
    b.record('kind-10', 'scene', [[1, 10]], 'unsupported'),
    b.record('key-18', 'scene', [[18, 0]]),
    b.of('claim-version-3', claimKindV2, world.claimV2Value(), 'owner', [[0, 3]], 'unsupported'),
    b.of('look-version-1', lookKind, world.lookOrder(), 'member', [[0, 1]], 'unsupported'),
    b.of('offer-version-3', offerKindV2, offerOf(b), 'device', [[0, 3]], 'unsupported'),
  ];
}

function offerOf({ world }: Breaker) {
  return {
    version: 2,
    device: world.deviceId,
    lastEpoch: 1,
    lastClaimHash: world.claim.hash,
    mode: 'owner',
    nonce: world.id('nonce 2'),
  } as const;
}

function claims(b: Breaker): readonly BadVector[] {
  const { world } = b;
  const person = (name: string, kem: string, role: number): Cbor =>
    map([1, world.key(name)], [2, world.kem(kem)], [3, role]);
  const owner = person(NAMES.owner, NAMES.owner, 0);
  const claim = (name: string, recipients: Cbor, expect: ErrorCode = 'malformed'): BadVector =>
    b.of(`claim-${name}`, claimKindV2, world.claimV2Value(), 'owner', [[5, recipients]], expect);
  return [
    claim('kem-twice', [owner, person(NAMES.member, NAMES.owner, 1)]),
    claim('ed25519-twice', [owner, person(NAMES.owner, NAMES.member, 1)]),
    claim('owner-second', [person(NAMES.member, NAMES.member, 0), owner]),
    claim('owner-as-member', [person(NAMES.owner, NAMES.owner, 1)]),
    claim('role-2', [owner, person(NAMES.member, NAMES.member, 2)], 'unsupported'),
    claim('x25519', [map([0, world.x25519(NAMES.owner)], [1, world.owner.publicKey])]),
    claim('x25519-beside-kem', [
      map([0, world.x25519(NAMES.owner)], [1, world.owner.publicKey], [2, world.kem(NAMES.owner)], [3, 0]),
    ]),
    claim('kem-key-itself', [map([1, world.owner.publicKey], [2, world.kemKey(NAMES.owner)], [3, 0])]),
    claim('small-order', [owner, map([1, new Uint8Array(32)], [2, world.kem(NAMES.member)], [3, 1])]),
    claim('no-recipients', []),
    b.of('claim-by-another-browser', claimKindV2, world.claimV2Value(), 'ownerNext', [], 'foreign'),
  ];
}

function keyRecords(b: Breaker): readonly BadVector[] {
  const { world } = b;
  const media = (role: number, length: number, headerHash: Uint8Array, name = 'key'): Cbor =>
    map([0, world.id(name)], [1, role], [2, length], [3, b.hash('body')], [4, headerHash]);
  const empty = b.suite.sha256(new Uint8Array(0));
  const good = media(3, 3525, empty);
  const event = map([0, world.id('event')], [1, 3], [2, 0]);
  return [
    b.record('key-without-media', 'key', [[10, undefined]]),
    b.record('key-two-media', 'key', [[10, [good, media(3, 3525, empty, 'key 2')]]]),
    b.record('key-media-of-role-detail', 'key', [[10, [media(1, 3525, empty)]]]),
    b.record('key-with-header', 'key', [[10, [media(3, 3525, b.hash('header'))]]]),
    b.record('key-of-no-wraps', 'key', [[10, [media(3, 3, empty)]]]),
    b.record('key-of-nine-wraps', 'key', [[10, [media(3, 3 + 9 * 1174, empty)]]]),
    b.record('key-cut-short', 'key', [[10, [media(3, 3524, empty)]]]),
    b.record('key-with-event', 'key', [[9, event]]),
    b.record('key-without-body', 'key', [[16, undefined]]),
    b.record('key-without-commit', 'key', [[16, map([0, world.id('period')])]]),
    b.record('scene-with-key', 'scene', [[16, map([0, world.id('period')], [1, b.hash('commit')])]]),
    b.record('motion-media-of-role-key', 'motion-start', [[10, [good]]]),
    b.record('motion-media-of-role-clip', 'motion-start', [[10, [media(2, 4112, b.hash('header'))]]]),
    b.record('motion-media-of-role-segment', 'motion-start', [[10, [media(5, 4112, b.hash('header'))]]]),
    b.record('motion-media-of-role-6', 'motion-start', [[10, [media(6, 4112, b.hash('header'))]]], 'unsupported'),
  ];
}

function clips(b: Breaker): readonly BadVector[] {
  const { world } = b;
  const entry = (index: number, change: Readonly<Record<number, Cbor>> = {}): Cbor =>
    Object.assign([...world.segment(index)] as Cbor[], change);
  const clip = (name: string, changes: Changes, expect: ErrorCode = 'malformed'): BadVector =>
    b.record(`clip-${name}`, 'clip-start', [[17, b.part('clip-start', 17, changes)]], expect);
  const many = (from: number, count: number): Cbor => Array.from({ length: count }, (_, i) => entry(from + i));
  return [
    clip('start-of-nothing', [[3, []]]),
    clip('start-at-1', [[3, [entry(1)]]]),
    clip('start-32-segments', [[3, many(0, 32)]]),
    clip('more-at-0', [[2, 1]]),
    clip('more-of-nothing', [
      [2, 1],
      [3, []],
    ]),
    clip('not-in-a-row', [[3, [entry(0), entry(2)]]]),
    clip('backwards', [
      [2, 1],
      [3, [entry(2), entry(1)]],
    ]),
    clip('segment-twice', [[3, [entry(0), entry(1, { 1: world.id('segment 0') })]]]),
    clip('index-1024', [
      [2, 1],
      [3, [entry(1024)]],
    ]),
    clip('segment-too-long', [[3, [entry(0, { 2: 524_417 })]]]),
    clip('segment-of-0-bytes', [[3, [entry(0, { 2: 0 })]]]),
    clip('header-57-bytes', [[3, [entry(0, { 4: new Uint8Array(57) })]]]),
    clip('header-empty', [[3, [entry(0, { 4: new Uint8Array(0) })]]]),
    clip('sync-1', [[3, [entry(0, { 5: 1 })]]]),
    clip('duration-2001', [[3, [entry(0, { 6: 2001 })]]]),
    clip('segment-of-six', [[3, [(entry(0) as readonly Cbor[]).slice(0, 6)]]]),
    clip('phase-3', [[2, 3]], 'unsupported'),
    clip('without-event-id', [[0, undefined]]),
    b.record('clip-with-media', 'clip-start', [[10, [mediaOf(b)]]]),
    b.record('clip-with-event', 'clip-start', [[9, map([0, world.id('event')], [1, 0], [2, 0])]]),
    b.record('clip-without-body', 'clip-start', [[17, undefined]]),
    b.record('motion-with-clip', 'motion-start', [[17, b.part('clip-start', 17, [])]]),
  ];
}

function mediaOf(b: Breaker): Cbor {
  return map([0, b.world.id('media')], [1, 5], [2, 4112], [3, b.hash('body')], [4, b.hash('header')]);
}

function answers(b: Breaker): readonly BadVector[] {
  const answer = (name: string, base: string, changes: Changes, expect: ErrorCode = 'malformed'): BadVector =>
    b.record(`answer-${name}`, base, [[13, b.part(base, 13, changes)]], expect);
  const lookEnd = map([0, b.world.id('session')], [1, 1], [2, 0], [3, 1], [4, 0]);
  const detail = (id: string): Cbor =>
    map([0, b.world.id(id)], [1, 1], [2, 4112], [3, b.hash('body')], [4, b.hash('header')]);
  return [
    answer('action-11', 'answer-in-force', [[1, 11]], 'unsupported'),
    answer('source-4', 'answer-in-force', [[0, 4]], 'unsupported'),
    answer('counter-without-signer', 'answer-in-force', [[6, undefined]]),
    answer('signer-without-counter', 'answer-in-force', [[5, undefined]]),
    answer('snapshot-with-what-is-in-force', 'answer-in-force', [[1, 0]]),
    b.record('answer-with-two-details', 'answer-in-force', [[10, [detail('a'), detail('b')]]]),
    b.record('answer-with-a-picture', 'answer-in-force', [
      [10, [new Map([...(detail('a') as Map<number, Cbor>), [1, 0]])]],
    ]),
    answer('look-done-without-order', 'look', [[7, undefined]]),
    answer('look-and-end-at-once', 'look', [[8, lookEnd]]),
    answer('look-refused-with-order', 'look', [[2, 1]]),
    answer('look-in-a-snapshot', 'look', [[1, 0]]),
    answer(
      'look-end-reason-7',
      'look-ended',
      [[8, map([0, b.world.id('session')], [1, 1], [2, 0], [3, 1], [4, 7])]],
      'unsupported',
    ),
    answer('look-order-too-long', 'look', [[7, map([0, new Uint8Array(2049)], [1, null], [2, 0])]]),
    answer('look-ciphertext-short', 'look', [[7, map([0, Uint8Array.of(1)], [1, new Uint8Array(1119)], [2, 0])]]),
    b.record('loss-reason-11', 'gap-refused', [[11, [map([0, 11], [3, 1])]]], 'unsupported'),
    b.record('health-without-memory', 'health', [[12, b.part('health', 12, [[15, undefined]])]]),
    b.record('health-key-22', 'health', [[12, b.part('health', 12, [[22, 0]])]]),
    b.record('health-ring-3601-s', 'health-full', [[12, b.part('health-full', 12, [[17, 3601]])]]),
  ];
}

function others(b: Breaker): readonly BadVector[] {
  const { world } = b;
  const place = { version: 2, device: world.deviceId, epoch: 2, claimHash: world.claimV2.hash } as const;
  const receipt: ReceiptV2 = { ...place, ranges: [] };
  const mediaReceipt: MediaReceipt = { ...place, entries: [[b.hash('body'), 'stored']], issuedAtMs: 0 };
  const snapshot: CommandV2 = world.order({ action: 'snapshot' });
  const member: MemberV2 = { version: 2, ed25519: world.key(NAMES.member), kem: world.kem(NAMES.member) };
  const heads: HeadsV2 = { version: 2, browser: world.id('browser'), counter: 1, issuedAtMs: 0, heads: [] };
  const settings: Settings = {
    version: 2,
    account: world.account,
    settingsVersion: 1,
    parents: [b.hash('settings')],
    issuedAtMs: 0,
    header: Uint8Array.of(1),
    body: Uint8Array.of(1),
  };
  const entries = (count: number): Cbor =>
    Array.from({ length: count }, (_, i): Cbor => [b.hash(`body ${String(i)}`), 0]);
  const command = (name: string, changes: Changes, expect: ErrorCode = 'malformed'): BadVector =>
    b.of(`command-${name}`, commandKindV2, snapshot, 'owner', changes, expect);
  const look = (name: string, changes: Changes): BadVector =>
    b.of(`look-${name}`, lookKind, world.lookOrder(), 'member', changes);
  return [
    b.of('receipt-backwards', receiptKindV2, receipt, 'receipt', [[4, [[3, 2, b.hash('record 2')]]]]),
    b.of('receipt-pacing-key-4', receiptKindV2, receipt, 'receipt', [[6, map([2, 0], [4, 0])]]),
    command('without-recent', [[6, undefined]]),
    command('release-without-recent', [
      [1, 4],
      [6, undefined],
    ]),
    command('action-5', [[1, 5]], 'unsupported'),
    command('masks-without-masks', [[1, 9]]),
    command('snapshot-with-masks', [[10, []]]),
    command('nine-masks', [
      [1, 9],
      [
        10,
        Array.from({ length: 9 }, (): Cbor =>
          map(
            [0, ''],
            [
              1,
              [
                [0, 0],
                [1, 0],
                [0, 1],
              ],
            ],
          ),
        ),
      ],
    ]),
    command('schedule-on-no-day', [
      [1, 10],
      [11, [map([0, 0], [1, 0], [2, 60])]],
    ]),
    command('schedule-minute-1440', [
      [1, 10],
      [11, [map([0, 1], [1, 1440], [2, 60])]],
    ]),
    look('start-without-key', [[5, null]]),
    look('renewal-with-key', [[6, 1]]),
    look('61-seconds', [[7, 61]]),
    look('0-seconds', [[7, 0]]),
    look('key-1215-bytes', [[5, new Uint8Array(1215)]]),
    look('without-recent', [[8, undefined]]),
    b.of('media-receipt-empty', mediaReceiptKind, mediaReceipt, 'receipt', [[4, []]]),
    b.of('media-receipt-33-bodies', mediaReceiptKind, mediaReceipt, 'receipt', [[4, entries(33)]]),
    b.of('media-receipt-body-twice', mediaReceiptKind, mediaReceipt, 'receipt', [
      [
        4,
        [
          [b.hash('body'), 0],
          [b.hash('body'), 1],
        ],
      ],
    ]),
    b.of(
      'media-receipt-result-4',
      mediaReceiptKind,
      mediaReceipt,
      'receipt',
      [[4, [[b.hash('body'), 4]]]],
      'unsupported',
    ),
    b.of('member-by-a-stranger', memberKindV2, member, 'stranger', [], 'foreign'),
    b.of('member-with-x25519', memberKindV2, member, 'member', [[2, world.x25519(NAMES.member)]]),
    b.of('heads-settings-of-one', headsKindV2, heads, 'member', [[5, [4]]]),
    b.of('settings-first-with-parents', settingsKind, settings, 'owner', [[2, 0]]),
    b.of('settings-without-parents', settingsKind, settings, 'owner', [[3, []]]),
    b.of('settings-parent-twice', settingsKind, settings, 'owner', [[3, [b.hash('settings'), b.hash('settings')]]]),
    b.of('settings-nine-parents', settingsKind, settings, 'owner', [
      [3, Array.from({ length: 9 }, (_, i) => b.hash(String(i)))],
    ]),
    b.of('settings-empty-body', settingsKind, settings, 'owner', [[6, new Uint8Array(0)]]),
    b.of('settings-body-over-48-kib', settingsKind, settings, 'owner', [[6, new Uint8Array(49_153)]]),
  ];
}

/** Returns the content of bad-v2.json: one breach of a rule of version 2 each, and every object is signed. */
export function badVectorsV2(suite: CryptoSuite): readonly BadVector[] {
  const b = new Breaker(suite);
  return [...versions(b), ...claims(b), ...keyRecords(b), ...clips(b), ...answers(b), ...others(b)];
}
