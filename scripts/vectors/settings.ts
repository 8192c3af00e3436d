/** The content of settings.json: settings objects of a household, sealed and signed, good and bad. */
import { concat, copyOf, fromHex, toHex } from '../../common/bytes.js';
import type { ErrorCode } from '../../common/error-codes.js';
import { LIMITS } from '../../common/limits.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { encodeHousehold } from '../../protocol/household/content.js';
import { sealSettings } from '../../protocol/household/seal.js';
import { EMPTY_STATE, MARK_ID_BYTES, QUIET, type HouseholdState, type Mark } from '../../protocol/household/state.js';
import { settingsKind, type Settings } from '../../protocol/objects/settings.js';
import { openSigned, signObject } from '../../protocol/objects/signed-object.js';
import { encodeCbor, type Cbor } from '../../protocol/wire/cbor.js';
import { NAMES, signerOf, vectorRandom } from './keyring.js';
import { kemKeysOf, type RecipientName } from './seal2-shapes.js';
import { VectorWorld } from './signed.js';

interface SettingsVector {
  readonly name: string;
  /** Names of seal2.json's keys, in the order of the wraps. */
  readonly recipients: readonly RecipientName[];
  /** K (32 bytes), then 64 bytes for each wrap. */
  readonly randomness: readonly Uint8Array[];
  readonly content: Uint8Array;
  readonly object: Uint8Array;
}

/** A good object with other fields, opened by `recipient`; its signature is not looked at. */
interface BadSeal extends Partial<Omit<Settings, 'version'>> {
  readonly name: string;
  readonly of: string;
  readonly recipient: RecipientName;
  readonly kid?: Uint8Array;
  readonly expect: ErrorCode;
}

interface BadContent {
  readonly name: string;
  readonly content: Uint8Array;
  readonly expect: ErrorCode;
}

export interface SettingsVectors {
  readonly good: readonly SettingsVector[];
  readonly badSeals: readonly BadSeal[];
  readonly badContents: readonly BadContent[];
}

/** Returns the content of settings.json. */
export function settingsVectors(suite: CryptoSuite): SettingsVectors {
  const world = new VectorWorld(suite);
  const [owner, member] = [signerOf(suite, NAMES.owner), signerOf(suite, NAMES.member)];
  const by = (key: { readonly publicKey: Uint8Array }, counter: number) => ({
    counter,
    signer: toHex(key.publicKey.subarray(0, 4)),
  });
  const camera = toHex(world.deviceId);
  const mark = (index: number, value: Mark) =>
    [
      toHex(suite.sha256(Uint8Array.of(index)).subarray(0, MARK_ID_BYTES)),
      { value, ...by(member, 10 + index) },
    ] as const;
  const household: HouseholdState = {
    names: new Map([
      [camera, { value: 'Front door 🚪', ...by(owner, 1) }],
      [toHex(member.publicKey), { value: '', ...by(owner, 2) }],
    ]),
    order: new Map([[camera, { value: 3, ...by(owner, 3) }]]),
    zones: new Map([[`${camera}/door`, { value: '👨‍👩‍👧'.repeat(14), ...by(member, 4) }]]),
    quiet: new Map([[QUIET, { value: { fromMinute: 1320, toMinute: 420 }, ...by(member, 5) }]]),
    reviewed: new Map([mark(0, { isReviewed: true, day: 20_457 }), mark(1, { isReviewed: false, day: 20_458 })]),
    ancestors: new Map([[toHex(suite.sha256(Uint8Array.of(9))), 0]]),
  };
  const many: HouseholdState = {
    ...EMPTY_STATE,
    reviewed: new Map(
      Array.from({ length: LIMITS.householdMarksMax }, (_, i) => mark(i % 256, { isReviewed: i > 0, day: i })),
    ),
  };
  const good = (
    name: string,
    state: HouseholdState,
    signer: typeof owner,
    place: Pick<Settings, 'settingsVersion' | 'parents'>,
    recipients: readonly RecipientName[],
  ): SettingsVector => {
    const content = encodeHousehold(state);
    const context = { account: world.account, ...place, kid: signer.publicKey };
    const keys = recipients.map((recipient) => kemKeysOf(suite, recipient).publicKey);
    const draws = vectorRandom(suite, `settings ${name}`);
    const sealed = sealSettings(suite, vectorRandom(suite, `settings ${name}`), context, keys, content);
    const value: Settings = { version: 2, account: world.account, ...place, issuedAtMs: 1_767_323_045_000, ...sealed };
    return {
      name,
      recipients,
      randomness: [32, ...recipients.map(() => 64)].map((length) => draws.bytes(length)),
      content,
      object: signObject(settingsKind, suite, signer, value).bytes,
    };
  };
  const first = { settingsVersion: 0, parents: [] };
  const empty = good('nothing', EMPTY_STATE, owner, first, ['owner']);
  const parents = [openSigned(settingsKind, suite, empty.object).hash];
  const all = good('household', household, member, { settingsVersion: 1, parents }, ['owner', 'member']);
  const full = good('many-marks', many, owner, { settingsVersion: 2, parents }, ['owner']);
  const { value, kid } = openSigned(settingsKind, suite, all.object);
  const flip = (bytes: Uint8Array, at: number): Uint8Array => {
    const flipped = copyOf(bytes);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    return flipped;
  };
  const bad = (name: string, expect: ErrorCode, change: Partial<BadSeal>): BadSeal => ({
    name,
    of: all.name,
    recipient: 'member',
    expect,
    ...change,
  });
  const header = (...items: readonly Cbor[]): Uint8Array => encodeCbor(items);
  return {
    good: [empty, all, full],
    badSeals: [
      bad('another-account', 'seal-refused', { account: suite.sha256(kid).slice(0, 16) }),
      bad('another-version', 'seal-refused', { settingsVersion: value.settingsVersion + 1 }),
      bad('another-parent', 'seal-refused', { parents: [suite.sha256(kid)] }),
      bad('another-signer', 'seal-refused', { kid: owner.publicKey }),
      bad('commit-altered', 'seal-refused', { header: flip(value.header, 10) }),
      bad('wrap-altered', 'seal-refused', { header: flip(value.header, value.header.length - 1) }),
      bad('body-altered', 'seal-refused', { body: flip(value.body, 0) }),
      bad('body-cut', 'seal-refused', { body: value.body.slice(0, -1) }),
      bad('body-of-a-tag', 'malformed', { body: value.body.slice(0, 16) }),
      bad('not-a-recipient', 'not-sealed-to-you', { recipient: 'stranger' }),
      bad('suite-3', 'unsupported', { header: header(3, 'new') }),
      bad('suite-1', 'malformed', { header: header(1, new Uint8Array(32), []) }),
      bad('no-wraps', 'malformed', { header: header(2, new Uint8Array(32), []) }),
      bad('header-trailing', 'malformed', { header: concat(value.header, Uint8Array.of(0)) }),
    ],
    badContents: badContents(world.deviceId, owner.publicKey.slice(0, 4)),
  };
}

function badContents(id: Uint8Array, signer: Uint8Array): readonly BadContent[] {
  const content = (changes: Readonly<Record<number, Cbor>>): Uint8Array => {
    const base: readonly (readonly [number, Cbor])[] = [0, 1, 2, 3, 5, 6].map((key) => [key, key === 0 ? 1 : []]);
    return encodeCbor(new Map([...base, ...Object.entries(changes).map(([key, one]) => [Number(key), one] as const)]));
  };
  const bad = (name: string, expect: ErrorCode, changes: Readonly<Record<number, Cbor>>): BadContent => ({
    name,
    content: content(changes),
    expect,
  });
  const higher = fromHex('ff'.repeat(32), 32) ?? id;
  const named = (of: Uint8Array, name: Cbor, counter: Cbor = 1, by: Cbor = signer): Cbor => [of, name, counter, by];
  return [
    bad('version-2', 'unsupported', { 0: 2, 9: true }),
    bad('no-version', 'malformed', { 0: '1' }),
    bad('unknown-key', 'malformed', { 7: [] }),
    bad('names-unsorted', 'malformed', { 1: [named(higher, 'a'), named(id, 'b')] }),
    bad('a-name-twice', 'malformed', { 1: [named(id, 'a'), named(id, 'b', 2)] }),
    bad('name-of-257-bytes', 'malformed', { 1: [named(id, 'n'.repeat(LIMITS.householdNameMaxBytes + 1))] }),
    bad('name-with-a-line', 'malformed', { 1: [named(id, 'a\nb')] }),
    bad('id-short', 'malformed', { 1: [named(id.slice(1), 'a')] }),
    bad('counter-negative', 'malformed', { 1: [named(id, 'a', -1)] }),
    bad('signer-whole', 'malformed', { 1: [named(id, 'a', 1, id)] }),
    bad('257-names', 'malformed', { 1: new Array<Cbor>(LIMITS.householdNamesMax + 1).fill(named(id, 'a')) }),
    bad('place-65536', 'malformed', { 2: [[id, 65_536, 1, signer]] }),
    bad('a-zone-twice', 'malformed', { 3: [1, 2].map((counter) => [id, 'door', 'a', counter, signer]) }),
    bad('quiet-minute-1440', 'malformed', { 4: [[0, 1440], 1, signer] }),
    bad('quiet-without-a-stamp', 'malformed', { 4: [null] }),
    bad('mark-of-an-event-id', 'malformed', { 5: [[id.slice(0, 16), true, 1, 1, signer]] }),
    bad('1025-marks', 'malformed', {
      5: new Array<Cbor>(LIMITS.householdMarksMax + 1).fill([id.slice(0, MARK_ID_BYTES), true, 1, 1, signer]),
    }),
    bad('65-ancestors', 'malformed', { 6: new Array<Cbor>(LIMITS.householdAncestorsMax + 1).fill([id, 1]) }),
  ];
}
