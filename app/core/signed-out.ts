import { fromHex, toHex } from '../../common/bytes.js';
import { HASH_BYTES } from '../../protocol/objects/ids.js';
import type { HistoryKeeper } from './history-keeper.js';
import type { MemberKeys } from './member-keys.js';
import type { AppStorage } from './storage.js';

const SETTING = 'signed-out';
const SIGNED_OUT_MAX = 64;

/** Returns the browsers (hex of their key) that the owner signed out: a camera that was away may still name one. */
export async function signedOut(storage: AppStorage): Promise<readonly string[]> {
  return ((await storage.setting(SETTING)) ?? '').split(' ').filter((key) => key !== '');
}

/** Notes that a browser was signed out, or that it was added again. */
export async function noteSignedOut(
  storage: AppStorage,
  { ed25519 }: Pick<MemberKeys, 'ed25519'>,
  isOut: boolean,
): Promise<void> {
  const key = toHex(ed25519);
  const others = (await signedOut(storage)).filter((other) => other !== key);
  await storage.saveSetting(SETTING, [...others, ...(isOut ? [key] : [])].slice(-SIGNED_OUT_MAX).join(' '));
}

/** Returns when the first of the owner's claims that name this key was signed, by the clock of the browser that signed it; UTC. */
export function addedAtMs(
  history: Pick<HistoryKeeper, 'accepted' | 'claimOf'>,
  { ed25519 }: Pick<MemberKeys, 'ed25519'>,
): number | null {
  const key = toHex(ed25519);
  const times = history.accepted().flatMap(({ device, epoch }) => {
    const id = fromHex(device, HASH_BYTES);
    const claim = id === undefined ? null : history.claimOf(id, epoch);
    const isNamed = claim?.value.recipients.some((recipient) => toHex(recipient.ed25519) === key) === true;
    return claim !== null && isNamed ? [claim.value.issuedAtMs] : [];
  });
  return times.length === 0 ? null : Math.min(...times);
}
