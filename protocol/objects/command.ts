import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import {
  type TypeOf,
  array,
  bool,
  bytes,
  epochNumber,
  field,
  int,
  names,
  optional,
  struct,
  text,
  tuple,
  uint,
  versioned,
  versionTwo,
} from '../wire/codec.js';
import { HASH_BYTES } from './ids.js';
import { kindOfVersions, PROTOCOL_VERSION, type SignedKind } from './signed-object.js';

/** A corner in 1/65535 of the picture's width and of its height. */
const corner = tuple(uint(65_535), uint(65_535));
const zone = struct({
  name: field(0, text(LIMITS.zoneNameMaxBytes)),
  corners: field(1, array(corner, 3, 16)),
});
export type Zone = TypeOf<typeof zone>;
/** Zones in which motion counts, or masks. */
export const zoneList = array(zone, 0, LIMITS.commandZonesMax);

const ACTIONS = { snapshot: 0, privacy: 1, zones: 2, sensitivity: 3, release: 4 } as const;

const fields = {
  action: field(1, names(ACTIONS)),
  device: field(2, bytes(HASH_BYTES)),
  epoch: field(3, epochNumber),
  claimHash: field(4, bytes(HASH_BYTES)),
  /** max(last + 1, wall clock in ms) per claim. The camera refuses a counter that is not above the last. */
  counter: field(5, uint()),
  /** Seq and hash of a recent record that the owner has seen, so that a withheld command cannot be played later. */
  recent: optional(6, tuple(uint(), bytes(HASH_BYTES))),
  privacy: optional(7, bool),
  zones: optional(8, zoneList),
  /** 0 detects nothing, 100 detects most. */
  sensitivity: optional(9, uint(100)),
};
const codec = versioned(PROTOCOL_VERSION, struct(fields));
export type Command = TypeOf<typeof codec>;

/** A time of the week at which the camera is private, in the camera's own time zone. */
const schedule = struct({
  /** Bits of the days on which it starts: 1 Monday, 2 Tuesday, … 64 Sunday. */
  days: field(0, int(1, 127)),
  /** First and last minute of the day, the last excluded; an end before the start is on the next day. */
  fromMinute: field(1, uint(1439)),
  toMinute: field(2, uint(1439)),
});
export type Schedule = TypeOf<typeof schedule>;
export const scheduleList = array(schedule, 0, LIMITS.commandSchedulesMax);

const codecV2 = versionTwo(
  struct({
    ...fields,
    /** The numbers are those of the answering record, where 5 to 8 are taken. */
    action: field(1, names({ ...ACTIONS, masks: 9, schedules: 10 })),
    recent: field(6, tuple(uint(), bytes(HASH_BYTES))),
    /** Parts of the view that the camera blackens before anything else sees them. */
    masks: optional(10, zoneList),
    schedules: optional(11, scheduleList),
  }),
);
export type CommandV2 = TypeOf<typeof codecV2>;
/** An order of either version: of version 1 if it says none. A `Command` is one. */
export type AnyCommand = Omit<CommandV2, 'version' | 'recent'> & Pick<Command, 'recent'> & { readonly version?: 2 };

/**
 * Returns whether an order makes the camera see less: privacy on, and release. Such an order must reach a camera that was
 * away for a night, so the record that it names may be older.
 */
export function seesLess(command: Pick<AnyCommand, 'action' | 'privacy'>): boolean {
  return command.action === 'release' || (command.action === 'privacy' && command.privacy === true);
}

const ARGUMENTS = ['privacy', 'zones', 'sensitivity', 'masks', 'schedules'] as const;

function checkCommand(command: AnyCommand): void {
  for (const argument of ARGUMENTS) {
    if ((command[argument] !== undefined) !== (command.action === argument)) {
      throw new SealcamError('malformed', `command: ${command.action} and ${argument} do not fit together`);
    }
  }
  // The camera refuses the other two without one as well, as stale: they are well-formed in protocol 1.
  if (!seesLess(command) && command.recent === undefined) {
    throw new SealcamError('malformed', `command: ${command.action} names no recent record`);
  }
}

/** An order to a camera. The kid must be the owner key of the claim that it names; the camera checks that. */
export const commandKind: SignedKind<Command> = {
  domain: 'sealcam/command/v1',
  maxBytes: LIMITS.signedMaxBytes,
  codec,
  check: checkCommand,
};

/** The same in version 2, where every recipient with role owner may order; `checkOrder` has the rules. */
export const commandKindV2: SignedKind<CommandV2> = { ...commandKind, codec: codecV2, check: checkCommand };

/** An order of either version. */
export const anyCommandKind: SignedKind<AnyCommand> = kindOfVersions(commandKind, commandKindV2);
