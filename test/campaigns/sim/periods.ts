import { equal, toHex } from '../../../common/bytes.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { anyRecordKind, type AnyRecord } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import { decodeObjectHeader } from '../../../protocol/seal/object.js';
import { openPeriod, type OpenedPeriod } from '../../../protocol/seal/open-period.js';
import { waits, type Losses } from './losses.js';
import type { ObservedOwner } from './observed.js';
import type { Oracle } from './oracle.js';
import { simSuite } from './suite.js';

/** Returns whether the key record of an object waits at its camera, or was erased with its ownership. */
export function isKeyAccounted(oracle: Oracle, losses: Losses, header: Uint8Array): boolean {
  const { periodId } = decodeObjectHeader(header);
  return [...oracle.made].some(([name, made]) => {
    const { key } = made.record.value;
    return (
      key !== undefined && equal(key.periodId, periodId) && (waits(made) || losses.mayBeErased(name, made.camera.hex))
    );
  });
}

const periods = new Map<string, OpenedPeriod>();
const PERIODS_MAX = 1000;

/** Opens the period of an object, as the owner's page does: by its key record in the cloud. Null where that has not come. */
export async function periodOf(
  store: CloudStore,
  { device, account, epoch, claimHash }: AnyRecord,
  header: Uint8Array,
  owner: ObservedOwner,
): Promise<OpenedPeriod | null> {
  const { periodId } = decodeObjectHeader(header);
  const name = toHex(periodId);
  const before = periods.get(name);
  if (before !== undefined) return before;
  const found = await store.records.keyRecord(device, epoch, periodId);
  if (found === undefined || found.sealed === null) return null;
  const { key } = openSigned(anyRecordKind, simSuite, found.record.bytes).value;
  if (key === undefined) return null;
  const opened = await openPeriod({
    suite: simSuite,
    context: { device, account, epoch, claimHash, periodId },
    commit: key.commit,
    body: found.sealed.body,
    recipients: 1,
    own: 0,
    decapsulate: (enc) => owner.kem.decapsulate(enc),
  });
  if (periods.size >= PERIODS_MAX) periods.clear();
  periods.set(name, opened);
  return opened;
}
