import { closeSync, constants, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from '../../common/adapters/durable-file.js';
import { equal } from '../../common/bytes.js';
import { SealcamError, systemCode } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { decodeCbor, encodeCbor } from '../../protocol/wire/cbor.js';
import { KEM_KEY_BYTES } from '../../protocol/objects/ids.js';
import {
  array,
  bool,
  bytes,
  bytesUpTo,
  epochNumber,
  field,
  nullable,
  optional,
  struct,
  uint,
  type TypeOf,
} from '../../protocol/wire/codec.js';

/** What was published, kept beside the database and not in it: a database without that record is behind. */
const state = struct({
  /** Rises with every write; the slot with the higher counter is the current one. */
  counter: field(0, uint()),
  epoch: field(1, epochNumber),
  claimHash: field(2, bytes(32)),
  /** The highest record published, null before the first. */
  seq: field(3, nullable(uint())),
  hash: field(4, nullable(bytes(32))),
  /** The claim itself, so that a lost database does not lose the owner. Empty after a release. */
  claim: field(5, bytesUpTo(LIMITS.signedMaxBytes)),
  /** The owner ordered privacy: with a lost database too, the camera must stay off. */
  privacy: optional(6, bool),
  /** KEM keys of a claim of version 2, in its order: without them nothing could be sealed to the owner. */
  kemKeys: optional(7, array(bytes(KEM_KEY_BYTES), 1, LIMITS.recipientsMax)),
});
export type MirrorState = TypeOf<typeof state>;

/** Two slots, written in turn: a power cut during a write leaves the other one. */
const SLOT_BYTES = 16 * 1024;
/** SHA-256 of the rest of the slot. */
const CHECK_BYTES = 32;

/** A small file that guards the outbox against a lost or rolled-back database; see docs/decisions/0004-mirror.md. */
export class Mirror {
  private readonly path: string;
  private readonly sha256: (data: Uint8Array) => Uint8Array;
  private file: number | null = null;
  private current: MirrorState | null = null;

  constructor(path: string, sha256: (data: Uint8Array) => Uint8Array) {
    this.path = path;
    this.sha256 = sha256;
  }

  /** Opens or creates the file and returns its state, null if it has none. @throws SealcamError `store-unavailable` */
  open(): MirrorState | null {
    try {
      this.file = openSync(this.path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
      syncFolder(dirname(this.path));
    } catch (cause) {
      throw new SealcamError('store-unavailable', `${this.path} cannot be opened`, { cause });
    }
    const slots = [this.readSlot(0), this.readSlot(1)].filter((slot) => slot !== null);
    this.current = slots.sort((a, b) => b.counter - a.counter)[0] ?? null;
    return this.current;
  }

  get state(): MirrorState | null {
    return this.current;
  }

  get isPrivate(): boolean {
    return this.current?.privacy === true;
  }

  /** Notes whether the owner ordered privacy. @throws SealcamError `store-unavailable`, `store-full` */
  notePrivacy(privacy: boolean): void {
    if (this.current !== null && this.isPrivate !== privacy) this.write({ ...this.current, privacy });
  }

  /**
   * Replaces the state; it is on disk when the call returns. Call it before publishing the record that it names. Privacy
   * stays as it was unless `next` has it.
   *
   * @throws SealcamError `store-unavailable`, `store-full`
   */
  write(next: Omit<MirrorState, 'counter'>): void {
    if (this.file === null) throw new SealcamError('internal', 'the mirror is not open');
    const counter = (this.current?.counter ?? 0) + 1;
    const privacy = next.privacy ?? this.isPrivate;
    const whole = { ...next, counter, privacy };
    const content = encodeCbor(state.toCbor(whole));
    const slot = new Uint8Array(SLOT_BYTES);
    new DataView(slot.buffer).setUint32(CHECK_BYTES, content.length);
    slot.set(content, CHECK_BYTES + 4);
    slot.set(this.sha256(slot.subarray(CHECK_BYTES)));
    try {
      writeSync(this.file, slot, 0, SLOT_BYTES, (counter % 2) * SLOT_BYTES);
      fdatasyncSync(this.file);
    } catch (cause) {
      const code = systemCode(cause) === 'ENOSPC' ? 'store-full' : 'store-unavailable';
      throw new SealcamError(code, `${this.path} cannot be written`, { cause });
    }
    this.current = whole;
  }

  close(): void {
    if (this.file !== null) closeSync(this.file);
    this.file = null;
  }

  private readSlot(index: number): MirrorState | null {
    if (this.file === null) return null;
    const slot = new Uint8Array(SLOT_BYTES);
    const read = readSync(this.file, slot, 0, SLOT_BYTES, index * SLOT_BYTES);
    const rest = slot.subarray(CHECK_BYTES);
    if (read < SLOT_BYTES || !equal(this.sha256(rest), slot.subarray(0, CHECK_BYTES))) return null;
    const length = new DataView(rest.buffer, rest.byteOffset).getUint32(0);
    try {
      const limits = { maxBytes: SLOT_BYTES, maxDepth: 3, maxItems: 48 };
      return state.fromCbor(decodeCbor(rest.slice(4, 4 + length), limits), 'mirror');
    } catch {
      return null;
    }
  }
}
