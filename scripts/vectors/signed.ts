import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { claimKind, claimMac, type Claim } from '../../protocol/objects/claim.js';
import { commandKind, type Command } from '../../protocol/objects/command.js';
import { accountId, deviceId } from '../../protocol/objects/ids.js';
import { deletionKind } from '../../protocol/objects/deletion.js';
import { floorKind } from '../../protocol/objects/floor.js';
import { headsKind } from '../../protocol/objects/heads.js';
import { memberKind } from '../../protocol/objects/member.js';
import { offerKind, type Offer } from '../../protocol/objects/offer.js';
import { receiptKind, type Receipt } from '../../protocol/objects/receipt.js';
import { recordKind, type SealcamRecord } from '../../protocol/objects/record.js';
import { revocationKind, type Revocation } from '../../protocol/objects/revocation.js';
import { sessionKind, type Session } from '../../protocol/objects/session.js';
import { signObject, type SignedKind, type Verified } from '../../protocol/objects/signed-object.js';
import { unlockKind, type Unlock } from '../../protocol/objects/unlock.js';
import { parseSign1 } from '../../protocol/wire/cose.js';
import { NAMES, seedOf, signerOf } from './keyring.js';

/** 2026-01-02T03:04:05Z */
export const WALL_MS = 1_767_323_045_000;

export interface SignedVector {
  readonly name: string;
  readonly domain: string;
  readonly signer: keyof typeof NAMES;
  readonly value: unknown;
  readonly payload: Uint8Array;
  readonly sigStructure: Uint8Array;
  readonly hash: Uint8Array;
  readonly signature: Uint8Array;
  readonly object: Uint8Array;
  readonly mac?: Uint8Array;
}

export class VectorWorld {
  readonly device: Signer;
  readonly owner: Signer;
  readonly deviceId: Uint8Array;
  readonly account: Uint8Array;
  readonly boot: Uint8Array;
  readonly secret: Uint8Array;
  readonly claim: Verified<Claim>;
  readonly suite: CryptoSuite;

  constructor(suite: CryptoSuite) {
    this.suite = suite;
    this.device = signerOf(suite, NAMES.device);
    this.owner = signerOf(suite, NAMES.owner);
    this.deviceId = deviceId(suite, this.device.publicKey);
    this.account = accountId(suite, this.owner.publicKey);
    this.boot = this.id('boot');
    this.secret = this.id('claim secret');
    this.claim = signObject(claimKind, suite, this.owner, this.claimValue());
  }

  id(name: string): Uint8Array {
    return seedOf(this.suite, name).slice(0, 16);
  }

  x25519(name: string): Uint8Array {
    return this.suite.x25519PublicKey(seedOf(this.suite, `${name} x25519`));
  }

  key(name: string): Uint8Array {
    return signerOf(this.suite, name).publicKey;
  }

  claimValue(): Claim {
    return {
      device: this.deviceId,
      epoch: 1,
      account: this.account,
      ownerKey: this.owner.publicKey,
      recipients: [
        { x25519: this.x25519(NAMES.owner), ed25519: this.owner.publicKey },
        { x25519: this.x25519(NAMES.member), ed25519: this.key(NAMES.member) },
      ],
      receiptKeys: [this.key(NAMES.receipt), this.key(NAMES.receiptNext)],
      previous: null,
      nonce: this.id('nonce'),
      issuedAtMs: WALL_MS,
    };
  }

  /** Returns a record with defaults that a test can override. */
  record(
    seq: number,
    prev: Uint8Array | null,
    rest: Partial<SealcamRecord> & Pick<SealcamRecord, 'kind'>,
  ): SealcamRecord {
    return {
      device: this.deviceId,
      account: this.account,
      epoch: 1,
      claimHash: this.claim.hash,
      seq,
      prev,
      time: { boot: this.boot, monotonicMs: 60_000 + 1000 * seq, wallMs: WALL_MS + 1000 * seq, quality: 'ntp' },
      ...rest,
    };
  }
}

/** Of a camera of version 1. */
export const HEALTH = {
  agent: '0.1.0',
  uptimeS: 3600,
  temperatureDeciC: -52,
  freeBytes: 1_000_000_000,
  produced: 7,
  receipted: 6,
  queued: 1,
  quarantined: 0,
  lost: 0,
  framesSeen: 36_000,
  framesDropped: 3,
  framesCorrupt: 1,
  camera: 'ok',
  privacy: false,
  connects: 2,
} as const;

/** Returns a chain of records with at least one of every kind. */
export function recordChain(world: VectorWorld): readonly (readonly [string, SealcamRecord])[] {
  const eventId = world.id('event');
  const media = {
    id: world.id('media'),
    role: 'thumbnail' as const,
    length: 4112,
    bodyHash: seedOf(world.suite, 'body'),
    headerHash: seedOf(world.suite, 'header'),
  };
  const rests: readonly (readonly [string, Partial<SealcamRecord> & Pick<SealcamRecord, 'kind'>])[] = [
    ['accept', { kind: 'accept' }],
    ['motion-start', { kind: 'motion', event: { id: eventId, phase: 'start', revision: 0 }, media: [media] }],
    [
      'motion-update',
      {
        kind: 'motion',
        event: { id: eventId, phase: 'update', revision: 1 },
        media: [{ ...media, id: world.id('media 2') }],
      },
    ],
    [
      'motion-end-same',
      {
        kind: 'motion',
        event: { id: eventId, phase: 'end', revision: 2, picture: world.id('media 2') },
        media: [{ ...media, id: world.id('media 3'), role: 'detail' }],
      },
    ],
    ['scene', { kind: 'scene', scene: { class: 'illumination', durationMs: 1200 } }],
    [
      'snapshot',
      {
        kind: 'snapshot',
        event: { id: world.id('event 2'), phase: 'single', revision: 0 },
        media: [{ ...media, id: world.id('media 4') }],
      },
    ],
    [
      'command',
      {
        kind: 'command',
        command: { source: 'owner', action: 'privacy', result: 'done', object: seedOf(world.suite, 'command') },
      },
    ],
    [
      'health',
      {
        kind: 'health',
        health: HEALTH,
      },
    ],
    [
      'gap',
      {
        kind: 'gap',
        loss: [
          { reason: 'full', seqs: [2, 3] },
          { reason: 'too-large', media: [world.id('media 4')] },
          { reason: 'claim-changed', count: 1 },
        ],
      },
    ],
    [
      'clock-unset',
      {
        kind: 'scene',
        scene: { class: 'startup' },
        time: { boot: world.id('boot 2'), monotonicMs: 10, wallMs: null, quality: 'unset' },
      },
    ],
    ['tombstone', { kind: 'tombstone', tombstone: { reason: 'release' } }],
  ];
  let prev = world.claim.hash;
  return rests.map(([name, rest], seq) => {
    const record = world.record(seq, prev, rest);
    prev = signObject(recordKind, world.suite, world.device, record).hash;
    return [name, record] as const;
  });
}

/** Signs a value and takes the object apart. */
export function signedVector<T>(
  suite: CryptoSuite,
  name: string,
  kind: SignedKind<T>,
  signer: keyof typeof NAMES,
  value: T,
): SignedVector {
  const object = signObject(kind, suite, signerOf(suite, NAMES[signer]), value);
  const parsed = parseSign1(object.bytes, kind.domain, kind.maxBytes);
  return {
    name,
    domain: kind.domain,
    signer,
    value,
    payload: parsed.payload,
    sigStructure: parsed.sigStructure,
    hash: object.hash,
    signature: parsed.signature,
    object: object.bytes,
  };
}

/** Returns the content of signed.json. */
export function signedVectors(suite: CryptoSuite): readonly SignedVector[] {
  const world = new VectorWorld(suite);
  const vectors: SignedVector[] = [];
  const vectorOf = <T>(name: string, kind: SignedKind<T>, signer: keyof typeof NAMES, value: T): SignedVector =>
    signedVector(suite, name, kind, signer, value);
  const add = <T>(name: string, kind: SignedKind<T>, signer: keyof typeof NAMES, value: T): void => {
    vectors.push(vectorOf(name, kind, signer, value));
  };

  const offer: Offer = {
    device: world.deviceId,
    lastEpoch: 0,
    lastClaimHash: null,
    mode: 'physical',
    nonce: world.id('nonce'),
  };
  add('offer-first', offerKind, 'device', offer);
  add('offer-owner', offerKind, 'device', {
    ...offer,
    lastEpoch: 1,
    lastClaimHash: world.claim.hash,
    mode: 'owner',
  });
  const mac = claimMac(suite, world.secret, world.claim);
  vectors.push({ ...vectorOf('claim', claimKind, 'owner', world.claim.value), mac });
  for (const [name, record] of recordChain(world)) add(`record-${name}`, recordKind, 'device', record);
  const answer = { source: 'owner', action: 'zones', result: 'refused', object: seedOf(suite, 'order') } as const;
  add('answer-with-counter', recordKind, 'device', {
    ...world.record(40, seedOf(suite, 'record 39'), { kind: 'command' }),
    command: { ...answer, code: 'command-replayed', counter: WALL_MS + 7 },
  });

  const hash = (name: string): Uint8Array => seedOf(suite, name);
  const receipt: Receipt = {
    device: world.deviceId,
    epoch: 1,
    claimHash: world.claim.hash,
    ranges: [
      [0, 3, hash('record 3')],
      [5, 5, hash('record 5')],
    ],
  };
  add('receipt', receiptKind, 'receipt', receipt);
  add('receipt-rejects-pacing', receiptKind, 'receiptNext', {
    ...receipt,
    ranges: [],
    rejects: [[4, hash('record 4'), 'equivocation']],
    pacing: { windowMs: 286_000, drainIntervalMs: 2000, issuedAtMs: WALL_MS },
  });

  const command: Command = {
    action: 'snapshot',
    device: world.deviceId,
    epoch: 1,
    claimHash: world.claim.hash,
    counter: WALL_MS,
    recent: [7, hash('record 7')],
  };
  add('command-snapshot', commandKind, 'owner', command);
  add('command-privacy-on', commandKind, 'owner', {
    action: 'privacy',
    device: world.deviceId,
    epoch: 1,
    claimHash: world.claim.hash,
    counter: WALL_MS + 1,
    privacy: true,
  });
  add('command-zones', commandKind, 'owner', {
    ...command,
    action: 'zones',
    zones: [
      {
        name: 'door',
        corners: [
          [0, 0],
          [65_535, 0],
          [32_768, 65_535],
        ],
      },
    ],
  });
  add('command-sensitivity', commandKind, 'owner', { ...command, action: 'sensitivity', sensitivity: 60 });

  const session: Session = {
    cloudOrigin: 'https://cloud.example',
    pageOrigin: 'https://app.example',
    nonce: hash('challenge'),
    expiresAtMs: WALL_MS + 60_000,
  };
  add('session', sessionKind, 'member', session);

  const revocation: Revocation = {
    scope: 'owner',
    listVersion: 3,
    issuedAtMs: WALL_MS,
    entries: [{ device: world.deviceId, epoch: 1 }],
  };
  add('revocation-owner', revocationKind, 'owner', revocation);
  add('revocation-maker', revocationKind, 'maker', {
    ...revocation,
    scope: 'maker',
    entries: [{ device: world.deviceId }],
  });

  add('revocation-over-8-kib', revocationKind, 'maker', {
    ...revocation,
    scope: 'maker',
    entries: Array.from({ length: 240 }, (_, i) => ({ device: hash(`revoked ${String(i)}`) })),
  });

  const unlock: Unlock = {
    device: world.deviceId,
    nonce: world.id('console nonce'),
    scope: ['diagnose', 'capture'],
    lifetimeS: 3600,
  };
  add('unlock', unlockKind, 'qa', unlock);

  add('member', memberKind, 'member', { ed25519: world.key(NAMES.member), x25519: world.x25519(NAMES.member) });
  const heads = { browser: world.id('browser'), counter: 3, issuedAtMs: WALL_MS };
  add('heads-none', headsKind, 'owner', { ...heads, heads: [] });
  add('heads', headsKind, 'member', {
    ...heads,
    heads: [
      [world.deviceId, 1, 7, hash('record 7')],
      [world.deviceId, 2, 0, hash('record 0')],
    ],
  });
  add('heads-over-8-kib', headsKind, 'member', {
    ...heads,
    heads: Array.from(
      { length: 120 },
      (_, i) => [hash(`camera ${String(i)}`), 1, i, hash(`head ${String(i)}`)] as const,
    ),
  });
  const place = { device: world.deviceId, epoch: 1, claimHash: world.claim.hash };
  add('deletion', deletionKind, 'owner', {
    ...place,
    fromSeq: 1,
    toSeq: 3,
    lastHash: hash('record 3'),
    issuedAtMs: WALL_MS,
  });
  add('floor', floorKind, 'receipt', { ...place, belowSeq: 7, sinceMs: WALL_MS, periodMs: 30 * 86_400_000 });
  return vectors;
}
