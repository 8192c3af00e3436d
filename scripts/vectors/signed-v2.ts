import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { claimKindV2, claimMac, type ClaimV2 } from '../../protocol/objects/claim.js';
import type { ClipSegment } from '../../protocol/objects/clip.js';
import { commandKindV2, type CommandV2 } from '../../protocol/objects/command.js';
import { headsKindV2 } from '../../protocol/objects/heads.js';
import { KEM_CIPHERTEXT_BYTES } from '../../protocol/objects/ids.js';
import { kemHash } from '../../protocol/objects/kem-keys.js';
import { keyBodyBytes } from '../../protocol/objects/key-record.js';
import { lookKind, type Look } from '../../protocol/objects/look.js';
import { mediaReceiptKind } from '../../protocol/objects/media-receipt.js';
import { memberKindV2 } from '../../protocol/objects/member.js';
import { offerKindV2 } from '../../protocol/objects/offer.js';
import { receiptKindV2 } from '../../protocol/objects/receipt.js';
import { recordKindV2, type RecordV2 } from '../../protocol/objects/record.js';
import type { RecordMediaV2 } from '../../protocol/objects/record-fields-v2.js';
import { settingsKind } from '../../protocol/objects/settings.js';
import { signObject, type SignedKind, type Verified } from '../../protocol/objects/signed-object.js';
import { kemKeyOf, NAMES, seedOf, signerOf, vectorRandom } from './keyring.js';
import { HEALTH, signedVector, VectorWorld, WALL_MS, type SignedVector } from './signed.js';

/** What distinguishes a record of the vectors from the others. */
export type RecordRest = Partial<RecordV2> & Pick<RecordV2, 'kind'>;

/** The second epoch of the camera of {@link VectorWorld}: its owner has claimed it again, with KEM keys. */
export class VectorWorldV2 extends VectorWorld {
  readonly claimV2: Verified<ClaimV2>;
  /** In the order of the claim: owner, the owner's other browser, member. */
  readonly kemKeys: readonly Uint8Array[];

  constructor(suite: CryptoSuite) {
    super(suite);
    this.kemKeys = [NAMES.owner, NAMES.ownerNext, NAMES.member].map((name) => this.kemKey(name));
    this.claimV2 = signObject(claimKindV2, suite, this.owner, this.claimV2Value());
  }

  kemKey(name: string): Uint8Array {
    return kemKeyOf(this.suite, name);
  }

  kem(name: string): Uint8Array {
    return kemHash(this.suite, this.kemKey(name));
  }

  claimV2Value(): ClaimV2 {
    return {
      ...this.claimValue(),
      version: 2,
      epoch: 2,
      recipients: [
        { ed25519: this.owner.publicKey, kem: this.kem(NAMES.owner), role: 'owner' },
        { ed25519: this.key(NAMES.ownerNext), kem: this.kem(NAMES.ownerNext), role: 'owner' },
        { ed25519: this.key(NAMES.member), kem: this.kem(NAMES.member), role: 'member' },
      ],
      previous: this.claim.hash,
      nonce: this.id('nonce 2'),
    };
  }

  /** Returns a record with defaults that a test can override. */
  recordV2(seq: number, prev: Uint8Array | null, rest: RecordRest): RecordV2 {
    const { device, account, time } = this.record(seq, prev, { kind: 'accept' });
    return { version: 2, device, account, time, epoch: 2, claimHash: this.claimV2.hash, seq, prev, ...rest };
  }

  media(name: string, role: RecordMediaV2['role']): RecordMediaV2 {
    const [bodyHash, headerHash] = [seedOf(this.suite, `body of ${name}`), seedOf(this.suite, `header of ${name}`)];
    return { id: this.id(name), role, length: 4112, bodyHash, headerHash };
  }

  /** Returns the media of a key record for three recipients. */
  keyMedia(name: string): RecordMediaV2 {
    return {
      ...this.media(name, 'key'),
      length: keyBodyBytes(this.kemKeys.length),
      headerHash: this.suite.sha256(new Uint8Array(0)),
    };
  }

  segment(index: number): ClipSegment {
    const name = `segment ${String(index)}`;
    const header = vectorRandom(this.suite, `header of ${name}`).bytes(56);
    const bodyHash = seedOf(this.suite, `body of ${name}`);
    return [index, this.id(name), index === 0 ? 16_400 : 524_416, bodyHash, header, index % 2 === 1, index && 2000];
  }

  lookOrder(change: Partial<Look> = {}): Look {
    return {
      version: 2,
      device: this.deviceId,
      epoch: 2,
      claimHash: this.claimV2.hash,
      session: this.id('session'),
      kemKey: this.kemKey('session'),
      renewal: 0,
      seconds: 60,
      recent: [7, seedOf(this.suite, 'record 7')],
      ...change,
    };
  }

  order(change: Partial<CommandV2> & Pick<CommandV2, 'action'>): CommandV2 {
    return {
      version: 2,
      device: this.deviceId,
      epoch: 2,
      claimHash: this.claimV2.hash,
      counter: WALL_MS,
      recent: [7, seedOf(this.suite, 'record 7')],
      ...change,
    };
  }
}

const { temperatureDeciC, ...healthWithoutTemperature } = HEALTH;
const HEALTH_V2 = {
  ...healthWithoutTemperature,
  agent: '1.1.0',
  receipted: 7,
  queued: 0,
  memoryBytes: 67_108_864,
  restarts: 0,
  light: true,
} as const;

function looks(world: VectorWorldV2): readonly (readonly [string, RecordRest])[] {
  const signer = signerOf(world.suite, NAMES.member);
  const order = signObject(lookKind, world.suite, signer, world.lookOrder());
  const renewal = signObject(lookKind, world.suite, signer, world.lookOrder({ renewal: 1, kemKey: null }));
  const ciphertext = vectorRandom(world.suite, 'ciphertext').bytes(KEM_CIPHERTEXT_BYTES);
  const answer = { source: 'member', action: 'look', result: 'done' } as const;
  const end = {
    session: world.id('session'),
    framesSent: 240,
    framesDropped: 3,
    seconds: 61,
    reason: 'expired',
  } as const;
  return [
    ['look', { kind: 'command', command: { ...answer, look: { order: order.bytes, ciphertext, expiresMs: 130_000 } } }],
    [
      'look-renewed',
      { kind: 'command', command: { ...answer, look: { order: renewal.bytes, ciphertext: null, expiresMs: 190_000 } } },
    ],
    ['look-ended', { kind: 'command', command: { ...answer, lookEnd: end } }],
    [
      'look-refused',
      { kind: 'command', command: { ...answer, result: 'refused', object: order.hash, code: 'privacy-mode' } },
    ],
  ];
}

/** Returns a chain of records with at least one of every kind, and with everything that version 2 adds. */
export function recordChainV2(world: VectorWorldV2): readonly (readonly [string, RecordV2])[] {
  const { suite } = world;
  const eventId = world.id('event');
  const rests: readonly (readonly [string, RecordRest])[] = [
    ['accept', { kind: 'accept' }],
    [
      'key',
      {
        kind: 'key',
        key: { periodId: world.id('period'), commit: seedOf(suite, 'commit') },
        media: [world.keyMedia('key')],
      },
    ],
    [
      'motion-start',
      {
        kind: 'motion',
        event: { id: eventId, phase: 'start', revision: 0 },
        media: [world.media('thumbnail', 'thumbnail'), world.media('mini', 'mini')],
      },
    ],
    [
      'clip-start',
      { kind: 'clip', clip: { eventId, number: 0, phase: 'start', segments: [0, 1, 2].map((i) => world.segment(i)) } },
    ],
    ['clip-more', { kind: 'clip', clip: { eventId, number: 0, phase: 'more', segments: [world.segment(3)] } }],
    ['clip-end', { kind: 'clip', clip: { eventId, number: 0, phase: 'end', segments: [] } }],
    [
      'motion-end',
      {
        kind: 'motion',
        event: { id: eventId, phase: 'end', revision: 1, picture: world.id('thumbnail') },
        media: [world.media('detail', 'detail')],
      },
    ],
    [
      'answer-in-force',
      {
        kind: 'command',
        command: {
          source: 'owner',
          action: 'masks',
          result: 'done',
          object: seedOf(suite, 'order'),
          counter: WALL_MS,
          signer: world.key(NAMES.ownerNext),
        },
        media: [world.media('in force', 'detail')],
      },
    ],
    ...looks(world),
    ['health', { kind: 'health', health: HEALTH_V2 }],
    [
      'health-full',
      {
        kind: 'health',
        health: {
          ...HEALTH_V2,
          temperatureDeciC,
          ringSeconds: 5,
          flashBytesPerDay: 20_000_000,
          slot: 'b',
          buildHash: seedOf(suite, 'build'),
        },
      },
    ],
    ['scene', { kind: 'scene', scene: { class: 'illumination', durationMs: 1200 } }],
    ['gap-refused', { kind: 'gap', loss: [{ reason: 'refused', media: [world.id('segment 3')] }] }],
    ['tombstone', { kind: 'tombstone', tombstone: { reason: 'superseded' } }],
  ];
  let prev = world.claimV2.hash;
  return rests.map(([name, rest], seq) => {
    const record = world.recordV2(seq, prev, rest);
    prev = signObject(recordKindV2, suite, world.device, record).hash;
    return [name, record] as const;
  });
}

/** Returns the content of signed-v2.json. */
export function signedVectorsV2(
  suite: CryptoSuite,
): readonly (SignedVector & { readonly kemKeys?: readonly Uint8Array[] })[] {
  const world = new VectorWorldV2(suite);
  const of = <T>(name: string, kind: SignedKind<T>, signer: keyof typeof NAMES, value: T): SignedVector =>
    signedVector(suite, name, kind, signer, value);
  const hash = (name: string): Uint8Array => seedOf(suite, name);
  const place = { version: 2, device: world.deviceId, epoch: 2, claimHash: world.claimV2.hash } as const;
  const mac = claimMac(suite, world.secret, world.claimV2);
  const zones = [
    {
      name: 'door',
      corners: [
        [0, 0],
        [65_535, 0],
        [32_768, 65_535],
      ],
    },
  ] as const;
  const heads = { version: 2, browser: world.id('browser'), counter: 3, issuedAtMs: WALL_MS, heads: [] } as const;
  const settings = {
    version: 2,
    account: world.account,
    issuedAtMs: WALL_MS,
    header: Uint8Array.of(1, 2, 3),
    body: Uint8Array.of(4, 5, 6, 7),
  } as const;
  return [
    of('offer', offerKindV2, 'device', {
      version: 2,
      device: world.deviceId,
      lastEpoch: 1,
      lastClaimHash: world.claim.hash,
      mode: 'owner',
      nonce: world.id('nonce 2'),
    }),
    { ...of('claim', claimKindV2, 'owner', world.claimV2.value), mac, kemKeys: world.kemKeys },
    ...recordChainV2(world).map(([name, record]) => of(`record-${name}`, recordKindV2, 'device', record)),
    of('receipt', receiptKindV2, 'receipt', {
      ...place,
      ranges: [[0, 3, hash('record 3')]],
      pacing: { windowMs: 286_000, issuedAtMs: WALL_MS, clipBytesPerSecond: 65_536 },
    }),
    of('command-snapshot', commandKindV2, 'ownerNext', world.order({ action: 'snapshot' })),
    of('command-privacy-on', commandKindV2, 'owner', world.order({ action: 'privacy', privacy: true })),
    of('command-masks', commandKindV2, 'ownerNext', world.order({ action: 'masks', masks: zones })),
    of(
      'command-schedules',
      commandKindV2,
      'owner',
      world.order({ action: 'schedules', schedules: [{ days: 31, fromMinute: 1320, toMinute: 390 }] }),
    ),
    of('command-release', commandKindV2, 'owner', world.order({ action: 'release' })),
    of('look', lookKind, 'member', world.lookOrder()),
    of('look-renewal', lookKind, 'member', world.lookOrder({ renewal: 1, kemKey: null })),
    of('media-receipt', mediaReceiptKind, 'receiptNext', {
      ...place,
      entries: [
        [hash('body of segment 0'), 'stored'],
        [hash('body of segment 1'), 'deleted'],
        [hash('body of segment 2'), 'revoked'],
        [hash('body of segment 3'), 'quota'],
      ],
      issuedAtMs: WALL_MS,
    }),
    of('member', memberKindV2, 'member', {
      version: 2,
      ed25519: world.key(NAMES.member),
      kem: world.kem(NAMES.member),
    }),
    of('heads', headsKindV2, 'ownerNext', heads),
    of('heads-with-settings', headsKindV2, 'member', {
      ...heads,
      heads: [[world.deviceId, 2, 7, hash('record 7')]],
      settings: [4, hash('settings')],
    }),
    of('settings-first', settingsKind, 'owner', { ...settings, settingsVersion: 0, parents: [] }),
    of('settings-merged', settingsKind, 'member', {
      ...settings,
      settingsVersion: 5,
      parents: [hash('settings'), hash('settings of another browser')],
    }),
  ];
}
