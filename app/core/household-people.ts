import { toHex } from '../../common/bytes.js';
import type { ClaimV2 } from '../../protocol/objects/claim.js';
import { isVersionTwo } from '../../protocol/wire/codec.js';
import { fromHex } from '../../common/bytes.js';
import { HASH_BYTES } from '../../protocol/objects/ids.js';
import type { HistoryKeeper } from './history-keeper.js';

type Person = Pick<ClaimV2['recipients'][number], 'ed25519' | 'kem'>;

/** A household as its present claims name it: of each camera the one of the newest ownership that has not ended. */
export interface Household {
  readonly account: Uint8Array;
  /** Hex of the device ids. */
  readonly cameras: readonly string[];
  /** Hex of the Ed25519 keys that any present claim names, of whatever version. */
  readonly members: ReadonlySet<string>;
  /** Everybody whom a present claim of version 2 names; nobody where there is no such claim. */
  readonly people: readonly Person[];
}

/** Returns the households that this browser belongs to, by hex of their account. */
export function presentHouseholds(
  history: Pick<HistoryKeeper, 'accepted' | 'claimOf' | 'hasEnded'>,
): ReadonlyMap<string, Household> {
  const newest = new Map<string, number>();
  for (const { device, epoch } of history.accepted()) newest.set(device, Math.max(epoch, newest.get(device) ?? 0));
  const found = new Map<string, Household>();
  for (const [device, epoch] of newest) {
    const id = fromHex(device, HASH_BYTES);
    const claim = id === undefined || history.hasEnded(id, epoch) ? null : history.claimOf(id, epoch);
    if (claim === null) continue;
    const { account, recipients } = claim.value;
    const before = found.get(toHex(account)) ?? { account, cameras: [], members: new Set<string>(), people: [] };
    const people = isVersionTwo(claim.value) ? claim.value.recipients : [];
    const added = people.filter(({ kem }) => !before.people.some((known) => toHex(known.kem) === toHex(kem)));
    found.set(toHex(account), {
      account,
      cameras: [...before.cameras, device],
      members: new Set([...before.members, ...recipients.map(({ ed25519 }) => toHex(ed25519))]),
      people: [...before.people, ...added],
    });
  }
  return found;
}
