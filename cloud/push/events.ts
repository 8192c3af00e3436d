import { equal } from '../../common/bytes.js';
import type { AnyClaim } from '../../protocol/objects/claim.js';
import type { AnyRecord, LossReason } from '../../protocol/objects/record.js';
import type { PushKind } from './choices.js';

/** Of what a record tells, as far as its household may want to know at once. */

/** What was seen and is gone. What a claim, an owner or a camera's own limit left out is no news. */
const REAL_LOSSES: readonly LossReason[] = [
  'full',
  'age',
  'too-large',
  'state-lost',
  'corrupt',
  'quarantined',
  'failed',
];

/** Returns what a record tells; null for most records. An accept tells of a member only where {@link newMembers} finds one. */
export function pushKindOf({ kind, event, scene, loss, command }: AnyRecord): PushKind | null {
  switch (kind) {
    case 'motion':
      return event?.phase === 'start' ? 'motion' : null;
    case 'scene':
      // With a length it tells of the end.
      return scene?.durationMs === undefined && (scene?.class === 'tamper' || scene?.class === 'stall')
        ? 'tamper'
        : null;
    case 'gap':
      return loss?.some(({ reason }) => REAL_LOSSES.includes(reason)) === true ? 'loss' : null;
    case 'command':
      // A renewal brings no ciphertext.
      return command?.look !== undefined && command.look.ciphertext !== null ? 'look' : null;
    case 'accept':
      return 'member';
    default:
      return null;
  }
}

/** Returns the Ed25519 keys that a claim names and the one before it, of the same owner, did not; none for a first claim. */
export function newMembers(claim: AnyClaim, before: AnyClaim | null): readonly Uint8Array[] {
  if (before === null || !equal(before.ownerKey, claim.ownerKey)) return [];
  return claim.recipients
    .map(({ ed25519 }) => ed25519)
    .filter((key) => !before.recipients.some(({ ed25519 }) => equal(ed25519, key)));
}
