import { realRandom } from '../../../common/adapters/real-random.js';
import type { NewMedia } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import type { ClaimV2 } from '../../../protocol/objects/claim.js';
import { KEM_KEY_BYTES } from '../../../protocol/objects/ids.js';
import { kemHash } from '../../../protocol/objects/kem-keys.js';
import { keyBodyBytes } from '../../../protocol/objects/key-record.js';
import type { AnyRecord, RecordV2 } from '../../../protocol/objects/record.js';
import type { MediaRole } from '../../../protocol/objects/record-kinds.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { sealHeader2 } from '../../../protocol/seal/object.js';
import type { SealedObject } from '../../../protocol/seal/seal.js';
import { encodeCbor } from '../../../protocol/wire/cbor.js';
import { CameraWorld } from './camera-world.js';

/** A record with its only object, as a message and as a store have it. */
export interface WithObject {
  readonly record: Verified<RecordV2>;
  readonly object: NewMedia;
}

/** A clip record with the sealed bodies of its segments, which travel apart from it. */
export interface Filmed {
  readonly record: Verified<RecordV2>;
  readonly bodies: readonly Uint8Array[];
}

interface ClipOptions {
  readonly eventId?: Uint8Array;
  /** Index of the first segment; 0 begins a clip. */
  readonly first?: number;
  /** Lengths of the bodies. */
  readonly lengths?: readonly number[];
}

/** Returns the header of an object of suite 2, which no key opens. */
function headerOf(periodId: Uint8Array, index = 0): Uint8Array {
  return encodeCbor(sealHeader2.toCbor([2, periodId, index, realRandom.bytes(32)]));
}

/** Returns the id of the period whose key record this is. */
export function periodIdOf({ value: { key } }: Verified<AnyRecord>): Uint8Array {
  if (key === undefined) throw new Error('not a key record');
  return key.periodId;
}

/**
 * A camera under claims of version 2. Its KEM keys, wraps and pictures are noise: a cloud tells them apart by their hashes and
 * headers alone.
 */
export class CameraV2 {
  readonly world: CameraWorld;
  /** The owner's browser, the owner's other browser, a member. */
  readonly signers: readonly [Signer, Signer, Signer];
  readonly kemKeys: readonly Uint8Array[];

  constructor(world = new CameraWorld()) {
    this.world = world;
    const signer = (): Signer => nodeSuite.ed25519Signer(realRandom.bytes(32));
    this.signers = [world.owner, signer(), signer()];
    this.kemKeys = this.signers.map(() => realRandom.bytes(KEM_KEY_BYTES));
  }

  claim(epoch = 1, previous: Uint8Array | null = null, change: Partial<ClaimV2> = {}): Verified<ClaimV2> {
    const roles = ['owner', 'owner', 'member'] as const;
    const recipients = this.signers.map(({ publicKey: ed25519 }, i) => ({
      ed25519,
      kem: kemHash(nodeSuite, this.kemKeys[i] ?? new Uint8Array(0)),
      role: roles[i] ?? 'member',
    }));
    return this.world.claimV2(epoch, previous, { recipients, ...change });
  }

  accept(claim: Verified<ClaimV2>): Verified<RecordV2> {
    return this.world.recordV2(claim, 0, claim.hash, { kind: 'accept' });
  }

  /** A key record; the same `periodId` twice makes two of one period. */
  key(claim: Verified<ClaimV2>, seq: number, prev: Uint8Array | null, periodId = realRandom.bytes(16)): WithObject {
    const body = realRandom.bytes(keyBodyBytes(claim.value.recipients.length));
    const key = { periodId, commit: realRandom.bytes(32) };
    return this.withObject(claim, seq, prev, { header: new Uint8Array(0), body }, 'key', { kind: 'key', key });
  }

  /** An event with a picture of a period. */
  picture(claim: Verified<ClaimV2>, seq: number, prev: Uint8Array | null, periodId: Uint8Array): WithObject {
    const event = { id: realRandom.bytes(16), phase: 'start', revision: 0 } as const;
    const sealed = { header: headerOf(periodId), body: realRandom.bytes(4112) };
    return this.withObject(claim, seq, prev, sealed, 'thumbnail', { kind: 'motion', event });
  }

  /** A clip record that names segments of a period. */
  film(
    claim: Verified<ClaimV2>,
    seq: number,
    prev: Uint8Array | null,
    periodId: Uint8Array,
    { eventId = realRandom.bytes(16), first = 0, lengths = [4112] }: ClipOptions = {},
  ): Filmed {
    const bodies = lengths.map((length) => realRandom.bytes(length));
    const segments = bodies.map((body, i) => {
      const header = headerOf(periodId, first + i);
      return [
        first + i,
        realRandom.bytes(16),
        body.length,
        nodeSuite.sha256(body),
        header,
        true,
        i === 0 ? 0 : 2000,
      ] as const;
    });
    const clip = { eventId, number: 0, phase: first === 0 ? ('start' as const) : ('more' as const), segments };
    return { record: this.world.recordV2(claim, seq, prev, { kind: 'clip', clip }), bodies };
  }

  /** A record without anything sealed. */
  scene(claim: Verified<ClaimV2>, seq: number, prev: Uint8Array | null): Verified<RecordV2> {
    return this.world.recordV2(claim, seq, prev, { kind: 'scene', scene: { class: 'stall' }, event: single() });
  }

  private withObject(
    claim: Verified<ClaimV2>,
    seq: number,
    prev: Uint8Array | null,
    sealed: SealedObject,
    role: MediaRole,
    rest: Partial<RecordV2> & Pick<RecordV2, 'kind'>,
  ): WithObject {
    const id = realRandom.bytes(16);
    const bodyHash = nodeSuite.sha256(sealed.body);
    const media = { id, role, length: sealed.body.length, bodyHash, headerHash: nodeSuite.sha256(sealed.header) };
    return { record: this.world.recordV2(claim, seq, prev, { ...rest, media: [media] }), object: { id, sealed } };
  }
}

function single(): NonNullable<RecordV2['event']> {
  return { id: realRandom.bytes(16), phase: 'single', revision: 0 };
}
