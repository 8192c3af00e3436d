import { concat, fromHex, utf8 } from '../../common/bytes.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { claimKind } from '../../protocol/objects/claim.js';
import { recordKind, type SealcamRecord } from '../../protocol/objects/record.js';
import type { SignedKind } from '../../protocol/objects/signed-object.js';
import { encodeCbor, type Cbor } from '../../protocol/wire/cbor.js';
import { signSign1 } from '../../protocol/wire/cose.js';
import { seedOf } from './keyring.js';
import { VectorWorld } from './signed.js';

export const RECORD = recordKind.domain;
export const CLAIM = claimKind.domain;
export const ALG = 1;
export const KID = 4;

/** Parses hex of any length. */
export function hex(text: string): Uint8Array {
  const bytes = fromHex(text, text.length / 2);
  if (bytes === undefined) throw new Error(`bad hex in a vector: ${text}`);
  return bytes;
}

interface Parts {
  readonly tag?: Uint8Array;
  readonly header?: Uint8Array;
  readonly unprotected?: Cbor;
  readonly payload?: Uint8Array | null;
  readonly signature?: Uint8Array;
}

/** Builds objects that no honest signer would make, for the bad vectors. */
export class Forge {
  readonly world: VectorWorld;
  readonly suite: CryptoSuite;
  readonly device: Signer;
  readonly good: SealcamRecord;

  constructor(suite: CryptoSuite) {
    this.suite = suite;
    this.world = new VectorWorld(suite);
    this.device = this.world.device;
    this.good = this.world.record(1, seedOf(suite, 'record 0'), {
      kind: 'scene',
      scene: { class: 'stall', durationMs: 5000 },
    });
  }

  header(kid: Uint8Array, alg: Cbor = -19): Uint8Array {
    return encodeCbor(
      new Map<number, Cbor>([
        [ALG, alg],
        [KID, kid],
      ]),
    );
  }

  /** Returns a COSE_Sign1 of these parts, with a correct signature over them unless one is given. */
  object(signer: Signer, parts: Parts, domain = RECORD): Uint8Array {
    const header = parts.header ?? this.header(signer.publicKey);
    const payload = parts.payload === undefined ? this.payload(this.good) : parts.payload;
    const signed = encodeCbor(['Signature1', header, utf8(domain), payload ?? new Uint8Array(0)]);
    const signature = parts.signature ?? signer.sign(signed);
    const tag = parts.tag ?? Uint8Array.of(0xd2);
    return concat(tag, encodeCbor([header, parts.unprotected ?? new Map(), payload, signature]));
  }

  payload(record: SealcamRecord): Uint8Array {
    return encodeCbor(this.fields(record));
  }

  fields(record: SealcamRecord): Map<number, Cbor> {
    return new Map(recordKind.codec.toCbor(record) as Map<number, Cbor>);
  }

  /** Returns the good record with some CBOR keys replaced (undefined removes one), signed. */
  edited(changes: readonly (readonly [number, Cbor | undefined])[]): Uint8Array {
    return this.forged(recordKind, this.good, changes, this.device);
  }

  /** Returns an object of any kind with some CBOR keys replaced (undefined removes one), signed. */
  forged<T>(
    kind: SignedKind<T>,
    value: T,
    changes: readonly (readonly [number, Cbor | undefined])[],
    signer: Signer,
  ): Uint8Array {
    const fields = new Map(kind.codec.toCbor(value) as Map<number, Cbor>);
    for (const [key, item] of changes) {
      if (item === undefined) fields.delete(key);
      else fields.set(key, item);
    }
    return signSign1(kind.domain, signer, encodeAnyKeys(fields));
  }

  claim(changes: readonly (readonly [number, Cbor])[], signer = this.world.owner): Uint8Array {
    return this.forged(claimKind, this.world.claimValue(), changes, signer);
  }
}

/** Encodes a map with keys that the protocol forbids too, in the deterministic order: our encoder refuses to. */
function encodeAnyKeys(fields: ReadonlyMap<number, Cbor>): Uint8Array {
  if (fields.size > 23) throw new Error('a map whose size takes more than its first byte');
  const entries = [...fields].map(([key, item]) => [encodeCbor(key), encodeCbor(item)] as const);
  entries.sort(([a], [b]) => Buffer.compare(a, b));
  return concat(Uint8Array.of(0xa0 | fields.size), ...entries.flat());
}

/** Returns a valid media entry. */
export function mediaFields(forge: Forge): Cbor {
  const hash = seedOf(forge.suite, 'body');
  return new Map<number, Cbor>([
    [0, forge.world.id('media')],
    [1, 0],
    [2, 4112],
    [3, hash],
    [4, hash],
  ]);
}

/** Returns a record time with this clock quality. */
export function timeFields(forge: Forge, quality: number): Cbor {
  return new Map<number, Cbor>([
    [0, forge.world.boot],
    [1, 5],
    [2, null],
    [3, quality],
  ]);
}
