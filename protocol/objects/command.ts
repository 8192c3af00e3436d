import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import {
  type TypeOf,
  array,
  bool,
  bytes,
  epochNumber,
  field,
  names,
  optional,
  struct,
  text,
  tuple,
  uint,
  versioned,
} from '../wire/codec.js';
import { HASH_BYTES } from './ids.js';
import { PROTOCOL_VERSION, type SignedKind } from './signed-object.js';

/** A corner in 1/65535 of the picture's width and of its height. */
const corner = tuple(uint(65_535), uint(65_535));
const zone = struct({
  name: field(0, text(32)),
  corners: field(1, array(corner, 3, 16)),
});
export type Zone = TypeOf<typeof zone>;

const codec = versioned(
  PROTOCOL_VERSION,
  struct({
    action: field(1, names({ snapshot: 0, privacy: 1, zones: 2, sensitivity: 3, release: 4 })),
    device: field(2, bytes(HASH_BYTES)),
    epoch: field(3, epochNumber),
    claimHash: field(4, bytes(HASH_BYTES)),
    /** max(last + 1, wall clock in ms) per claim. The camera refuses a counter that is not above the last. */
    counter: field(5, uint()),
    /** Seq and hash of a recent record that the owner has seen, so that a withheld command cannot be played later. */
    recent: optional(6, tuple(uint(), bytes(HASH_BYTES))),
    privacy: optional(7, bool),
    zones: optional(8, array(zone, 0, 8)),
    /** 0 detects nothing, 100 detects most. */
    sensitivity: optional(9, uint(100)),
  }),
);
export type Command = TypeOf<typeof codec>;

/**
 * Returns whether an order makes the camera see less: privacy on, and release. Such an order must reach a camera that was
 * away for a night, so the record that it names may be older.
 */
export function seesLess(command: Pick<Command, 'action' | 'privacy'>): boolean {
  return command.action === 'release' || (command.action === 'privacy' && command.privacy === true);
}

/** An order to a camera. The kid must be the owner key of the claim that it names; the camera checks that. */
export const commandKind: SignedKind<Command> = {
  domain: 'sealcam/command/v1',
  maxBytes: LIMITS.signedMaxBytes,
  codec,
  check(command) {
    for (const argument of ['privacy', 'zones', 'sensitivity'] as const) {
      if ((command[argument] !== undefined) !== (command.action === argument)) {
        throw new SealcamError('malformed', `command: ${command.action} and ${argument} do not fit together`);
      }
    }
    // The camera refuses the other two without one as well, as stale: they are well-formed in protocol 1.
    if (!seesLess(command) && command.recent === undefined) {
      throw new SealcamError('malformed', `command: ${command.action} names no recent record`);
    }
  },
};
