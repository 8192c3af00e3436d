import { equal } from '../../common/bytes.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { AnyClaim } from '../../protocol/objects/claim.js';
import { anyCommandKind, type Zone } from '../../protocol/objects/command.js';
import { openSigned } from '../../protocol/objects/signed-object.js';
import type { Change } from '../../protocol/seal/in-force.js';
import type { Mirror } from '../outbox/mirror.js';
import type { Outbox } from '../outbox/outbox.js';

/** The owner's last orders; null where the configuration decides. */
export interface StandingOrders {
  readonly privacy: boolean;
  readonly zones: readonly Zone[] | null;
  readonly sensitivity: number | null;
  /** Who ordered it, and when. */
  readonly changes: { readonly zones: Change | null; readonly sensitivity: Change | null };
}

/** Reads the owner's signed orders. Privacy that a damaged outbox forgot is still in the mirror. */
export function readStandingOrders(suite: CryptoSuite, outbox: Outbox, mirror: Mirror): StandingOrders {
  const claim = outbox.currentClaim();
  let orders: StandingOrders = {
    privacy: claim !== null && mirror.isPrivate,
    zones: null,
    sensitivity: null,
    changes: { zones: null, sensitivity: null },
  };
  for (const { command, account, wallMs } of outbox.standingOrders()) {
    const { value, kid } = openSigned(anyCommandKind, suite, command);
    if (claim === null || !stands(claim.value, kid, account)) continue;
    const { privacy, zones, sensitivity, epoch, counter } = value;
    const change = [kid, epoch, counter, wallMs] as const;
    orders = {
      privacy: orders.privacy || privacy === true,
      zones: zones ?? orders.zones,
      sensitivity: sensitivity ?? orders.sensitivity,
      changes: {
        zones: zones === undefined ? orders.changes.zones : change,
        sensitivity: sensitivity === undefined ? orders.changes.sensitivity : change,
      },
    };
  }
  return orders;
}

/** Whether an order that was taken once still holds: as long as the camera belongs to the same account. */
function stands(claim: AnyClaim, kid: Uint8Array, account: Uint8Array | null): boolean {
  return account === null ? equal(kid, claim.ownerKey) : equal(account, claim.account);
}
