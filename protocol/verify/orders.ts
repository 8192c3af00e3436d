/** Who may give an order, and which one comes too early, too late or twice. A camera decides by these; a page checks the camera. */
import { equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { mayOrder, type AnyClaim } from '../objects/claim.js';
import type { AnyCommand } from '../objects/command.js';
import { lookKind, type Look } from '../objects/look.js';
import type { AnyRecord } from '../objects/record.js';
import {
  checkVersionOfEpoch,
  openSigned,
  versionOf,
  type ProtocolVersion,
  type Verified,
} from '../objects/signed-object.js';

function isUnder(order: Pick<AnyCommand, 'device' | 'epoch' | 'claimHash'>, claim: Verified<AnyClaim>): boolean {
  return (
    equal(order.device, claim.value.device) && order.epoch === claim.value.epoch && equal(order.claimHash, claim.hash)
  );
}

/**
 * Returns whether an order is of this claim and its signer may give it. A release ends what the root key alone can begin, so it
 * takes that key.
 */
export function mayGive({ value, kid }: Verified<AnyCommand>, claim: Verified<AnyClaim>): boolean {
  const isSigner = value.action === 'release' ? equal(kid, claim.value.ownerKey) : mayOrder(claim.value, kid);
  return isSigner && isUnder(value, claim);
}

/**
 * Checks that an order is of this claim and of its version, and signed by who may give it.
 * @throws SealcamError `command-refused`; `malformed` for the other version
 */
export function checkOrder(order: Verified<AnyCommand>, claim: Verified<AnyClaim>): void {
  if (!mayGive(order, claim)) {
    throw new SealcamError('command-refused', 'the order is not of this ownership');
  }
  checkVersionOfEpoch(order.value, claim.value);
}

/**
 * Checks the counter of an order against the last one of the same signer under the same claim (0 if there was none). In
 * version 2 it may not be far ahead of a clock that is set: such a counter would block every later order of its signer.
 *
 * @throws SealcamError `command-replayed`, `command-ahead`
 */
export function checkOrderCounter(
  version: ProtocolVersion,
  counter: number,
  last: number,
  wallMs: number | null,
): void {
  if (counter <= last) {
    throw new SealcamError('command-replayed', `counter ${String(counter)} is not above ${String(last)}`);
  }
  if (version === 1 || wallMs === null) return;
  const aheadMs = counter - wallMs;
  if (aheadMs > LIMITS.orderAheadMaxMs) {
    throw new SealcamError('command-ahead', `counter ${String(counter)} is ${String(aheadMs)} ms ahead of the clock`);
  }
}

/**
 * Checks that an order to look is of this claim, and signed by one of its recipients.
 * @throws SealcamError `command-refused`; `malformed` in an epoch of version 1
 */
export function checkLook({ value, kid }: Verified<Look>, claim: Verified<AnyClaim>): void {
  const isRecipient = claim.value.recipients.some(({ ed25519 }) => equal(ed25519, kid));
  if (!isUnder(value, claim) || !isRecipient) {
    throw new SealcamError('command-refused', 'the order to look is of no member under this claim');
  }
  checkVersionOfEpoch(value, claim.value);
}

/**
 * Opens the order inside the record that answers a look and checks who gave it, so that every member knows who looks. The
 * record is verified and bound to the claim already.
 *
 * @returns the order; null for a record that answers none
 * @throws SealcamError as `openSigned`; `command-refused` where nobody who may gave it; `malformed`
 */
export function openAnsweredLook(
  suite: CryptoSuite,
  record: AnyRecord,
  claim: Verified<AnyClaim>,
): Verified<Look> | null {
  const answer = record.command?.look;
  if (answer === undefined) return null;
  const order = openSigned(lookKind, suite, answer.order);
  checkLook(order, claim);
  if ((answer.ciphertext === null) !== (order.value.kemKey === null)) {
    throw new SealcamError('malformed', 'the answer to a look has a ciphertext where its order has no key');
  }
  return order;
}

/**
 * Returns whether a camera could make records of version 2 and has an owner of version 1, by its signed `health`: the cloud
 * may be hiding version 2.
 */
export function isVersionHidden(claim: AnyClaim, agent: string): boolean {
  const [, major = '0', minor = '0'] = /^(\d{1,9})\.(\d{1,9})(?:\D|$)/.exec(agent) ?? [];
  return versionOf(claim) === 1 && (Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 1));
}
