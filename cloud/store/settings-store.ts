import type { Settings } from '../../protocol/objects/settings.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import { SETTINGS_HEADS_MAX, SETTINGS_PER_MINUTE_MAX } from './bounds.js';

/**
 * `unknown-parent`: one that it names is not here, or its version is not one above theirs. `full`: as many stand side by side as may.
 * `too-often`: as many came within a minute as may.
 */
export type SettingsOutcome = 'stored' | 'unknown-parent' | 'full' | 'too-often';

/** What the browsers of a household share, sealed to them: of each account the objects that no other one was made from. */
export interface SettingsStore {
  /**
   * Stores a verified object in place of its parents, in one transaction. One that is here already is `stored`. Of parents only hash
   * and version stay, so that a browser which wrote at the same time may name them too; beyond a number the oldest go.
   */
  put(settings: Verified<Settings>, atMs: number): Promise<SettingsOutcome>;
  /** Returns the objects of an account that no other names as a parent, the oldest first. */
  of(account: Uint8Array): Promise<readonly Uint8Array[]>;
}

/** What a store holds of an account before an object is put. */
export interface SettingsRows {
  /** Of each parent that the object names; undefined where it is not here. */
  readonly parents: readonly ({ readonly version: number; readonly isHead: boolean } | undefined)[];
  /** Objects that no other names as a parent. */
  readonly heads: number;
  /** Objects that came within the last minute. */
  readonly recent: number;
}

/** Decides whether a new object is stored: the same in every store. */
export function settingsOutcome(settingsVersion: number, { parents, heads, recent }: SettingsRows): SettingsOutcome {
  const known = parents.flatMap((parent) => (parent === undefined ? [] : [parent]));
  const follows = Math.max(-1, ...known.map(({ version }) => version)) + 1 === settingsVersion;
  if (known.length < parents.length || !follows) return 'unknown-parent';
  if (heads - known.filter(({ isHead }) => isHead).length >= SETTINGS_HEADS_MAX) return 'full';
  return recent >= SETTINGS_PER_MINUTE_MAX ? 'too-often' : 'stored';
}
