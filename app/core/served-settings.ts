import { equal, toHex } from '../../common/bytes.js';
import { isSealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { decodeHousehold } from '../../protocol/household/content.js';
import { openSettings, recipientsOf, type SettingsReader } from '../../protocol/household/seal.js';
import { EMPTY_STATE, mergeStates, withAncestors, type HouseholdState } from '../../protocol/household/state.js';
import { settingsKind } from '../../protocol/objects/settings.js';
import { openSigned } from '../../protocol/objects/signed-object.js';
import type { Household } from './household-people.js';

/** A settings object by name. */
export interface SettingsName {
  /** Hex of its hash. */
  readonly hash: string;
  readonly version: number;
}

/** What the cloud served of one household. */
export interface ServedSettings {
  /** What was signed by somebody of the household and opened here, newest first. */
  readonly opened: readonly SettingsName[];
  /** What somebody of the household signed and this page cannot read: newer, or not sealed to it. */
  readonly unread: readonly (SettingsName & { readonly code: string })[];
  /** What must not be used, in words. */
  readonly refused: readonly string[];
  /** All that was opened, merged. */
  readonly state: HouseholdState;
  /** Hex of the KEM hashes that everything opened was sealed to; null without any object. */
  readonly sealedTo: readonly string[] | null;
}

/**
 * Opens what the cloud served, each object by itself: one that is wrong takes nothing from the others.
 *
 * @param merged hashes (hex) of what was merged here before: it stays good when its signer is removed from the household later
 */
export async function readServed(
  suite: CryptoSuite,
  { account, people }: Household,
  own: SettingsReader,
  objects: readonly Uint8Array[],
  merged: ReadonlySet<string>,
): Promise<ServedSettings> {
  const opened: SettingsName[] = [];
  const unread: (SettingsName & { code: string })[] = [];
  const refused: string[] = [];
  const sealedTo: string[] = [];
  let state = EMPTY_STATE;
  for (const bytes of objects) {
    let name: SettingsName | null = null;
    try {
      const { value, kid, hash } = openSigned(settingsKind, suite, bytes);
      if (!equal(value.account, account)) {
        refused.push('the cloud sent settings of another household');
        continue;
      }
      if (!merged.has(toHex(hash)) && !people.some(({ ed25519 }) => equal(ed25519, kid))) {
        refused.push(`settings that nobody of the household signed (${toHex(kid).slice(0, 8)})`);
        continue;
      }
      name = { hash: toHex(hash), version: value.settingsVersion };
      const content = decodeHousehold(await openSettings(suite, { ...value, kid }, value, own));
      state = mergeStates(state, withAncestors(content, [[name.hash, name.version]]));
      opened.push(name);
      sealedTo.push(recipientsOf(value.header).map(toHex).sort().join());
    } catch (error) {
      if (!isSealcamError(error)) throw error;
      const isOurs = error.code === 'unsupported' || error.code === 'not-sealed-to-you';
      if (isOurs && name !== null) unread.push({ ...name, code: error.code });
      else refused.push(`settings: ${error.message}`);
    }
  }
  opened.sort((a, b) => b.version - a.version);
  return { opened, unread, refused, state, sealedTo: sealedTo.length === 0 ? null : sealedTo };
}

/**
 * Returns whether what was served has this object, or was made from it. One that is far older is not judged: the list of
 * ancestors ends.
 */
export function isServed({ opened, unread, state }: ServedSettings, { hash, version }: SettingsName): boolean {
  if ([...opened, ...unread].some((name) => name.hash === hash) || state.ancestors.has(hash)) return true;
  const newest = Math.max(-1, ...[...opened, ...unread].map((name) => name.version));
  if (version > newest) return false;
  // What this page cannot read may well be made from it.
  return unread.length > 0 || version < newest - LIMITS.householdAncestorsMax;
}
