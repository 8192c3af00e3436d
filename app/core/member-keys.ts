import { equal, toHex } from '../../common/bytes.js';
import * as v from '../../common/schema.js';
import { HASH_BYTES, KEY_BYTES } from '../../protocol/objects/ids.js';
import type { AppStorage } from './storage.js';

/** One person of a household, with the keys that are known of them. A claim of version 1 names `x25519`, one of version 2 `kem`. */
export interface MemberKeys {
  /** 32 bytes. */
  readonly ed25519: Uint8Array;
  /** 32 bytes. */
  readonly x25519?: Uint8Array;
  /** Hash of the KEM key, 32 bytes. */
  readonly kem?: Uint8Array;
  /** `owner` for another browser of the owner's; a member if it is missing. */
  readonly role?: 'owner' | 'member';
}

/** Name of the second code in a link's fragment. An older page takes the first one and leaves it alone. */
export const MEMBER_FRAGMENT_V2 = 'member2';

const SETTING = 'member-keys';
const MEMBERS_MAX = 64;
const keptSchema = v.pipe(
  v.array(
    v.object({
      ed25519: v.hexBytes(KEY_BYTES),
      x25519: v.nullable(v.hexBytes(KEY_BYTES)),
      kem: v.nullable(v.hexBytes(HASH_BYTES)),
    }),
  ),
  v.maxLength(MEMBERS_MAX),
);

/**
 * Keeps the keys that people showed to this person, all signed by those people: a claim names those of one version only, and
 * the other version may be needed later.
 */
export class MemberBook {
  private readonly storage: AppStorage;
  private known: readonly MemberKeys[] = [];
  /** People (hex of their key) whose KEM key the cloud did not have. */
  private readonly absent = new Set<string>();

  constructor(storage: AppStorage) {
    this.storage = storage;
  }

  /** Loads what this device keeps. Call it once, before anything else. */
  async load(): Promise<void> {
    const kept = v.safeParse(keptSchema, parsed(await this.storage.setting(SETTING)));
    const members = kept.success ? kept.output : [];
    this.known = members.map(({ ed25519, x25519, kem }) => ({
      ed25519,
      ...(x25519 === null ? {} : { x25519 }),
      ...(kem === null ? {} : { kem }),
    }));
  }

  /** Returns a recipient of a claim, with the keys that this person showed besides. */
  withKnown(member: MemberKeys): MemberKeys {
    const known = this.known.find(({ ed25519 }) => equal(ed25519, member.ed25519));
    return { ...known, ...member };
  }

  /** Keeps what these people showed, or what a claim names of them. */
  async add(members: readonly MemberKeys[]): Promise<void> {
    for (const member of members) {
      const { role: _, ...all } = this.withKnown(member);
      this.known = [...this.known.filter(({ ed25519 }) => !equal(ed25519, member.ed25519)), all].slice(-MEMBERS_MAX);
    }
    const kept = this.known.map(({ ed25519, x25519, kem }) => ({
      ed25519: toHex(ed25519),
      x25519: x25519 === undefined ? null : toHex(x25519),
      kem: kem === undefined ? null : toHex(kem),
    }));
    await this.storage.saveSetting(SETTING, JSON.stringify(kept));
  }

  /** Notes whether the cloud has the KEM key of a person. */
  noteAbsent({ ed25519 }: MemberKeys, isAbsent: boolean): void {
    if (isAbsent) this.absent.add(toHex(ed25519));
    else this.absent.delete(toHex(ed25519));
  }

  /** Returns which of these people keep a household at version 1: those whose KEM key is not known, or not to be had. */
  keepBack(members: readonly MemberKeys[]): readonly MemberKeys[] {
    return members.filter(
      (member) => this.withKnown(member).kem === undefined || this.absent.has(toHex(member.ed25519)),
    );
  }
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return null;
  }
}
