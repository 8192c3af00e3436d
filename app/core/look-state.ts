/** What a person sees of a look that this page ordered. */
import { ERROR_CODES, type ErrorCode } from '../../common/error-codes.js';
import { SealcamError } from '../../common/errors.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import type { AlarmCause } from './alarms.js';
import type { EpochName } from './history-keeper.js';
import type { LookEnd } from './looks.js';

/** Why a look is over. */
export type LookReason =
  /** What the camera signed. */
  | LookEnd['reason']
  /** The camera ended it, and its record of why is not here yet. */
  | 'ended'
  /** This page ended it. */
  | 'closed'
  /** It should be over, and the camera's last message did not come. */
  | 'cut-off'
  /** The camera's record did not come in time. */
  | 'unanswered'
  /** The camera refused it. */
  | 'refused'
  /** The cloud does not pass it on, or not any longer. */
  | 'failed';

export interface LookEnding {
  readonly reason: LookReason;
  readonly problem: SealcamError | null;
}

export type LookState =
  /** The order is on its way to the cloud. */
  | { readonly type: 'asking' }
  /** The cloud listens to the camera, whose answer is awaited. */
  | { readonly type: 'waiting' }
  | {
      readonly type: 'live';
      readonly secondsLeft: number;
      /** Messages that the camera sent and that did not come. */
      readonly missing: number;
      /** Age of the newest picture when it came, at most; null before the first. */
      readonly ageMs: number | null;
      /** Whether more time was ordered, or why the last such order failed. */
      readonly extension: 'none' | 'asked' | SealcamError;
    }
  | (LookEnding & { readonly type: 'ended'; readonly missing: number });

/** Returns why a camera refused an order to look; null where it did not. */
export function refusalOfLook({ command }: AnyRecord): SealcamError | null {
  if (command === undefined || command.result === 'done') return null;
  return new SealcamError(
    known(command.code) ?? 'command-refused',
    `the camera answered: ${command.code ?? command.result}`,
  );
}

/** Returns why the cloud ended a look. */
export function closingOf(code: string, message: string): SealcamError {
  return new SealcamError(known(code) ?? 'cloud-unreachable', `the cloud ended the look: ${message}`);
}

function known(code: string | undefined): ErrorCode | null {
  return code !== undefined && Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : null;
}

/** Returns the alarm over a message that came in a look and is not what its camera sealed for it. */
export function frameAlarm({ code, message }: SealcamError, about: EpochName): AlarmCause {
  const isForeign = code === 'foreign' || code === 'seal-refused';
  return { verdict: isForeign ? 'foreign' : 'malformed', code, message, about };
}
