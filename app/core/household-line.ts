import { fromHex, toBase64, toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import { LIMITS } from '../../common/limits.js';
import type { Random } from '../../common/random.js';
import * as v from '../../common/schema.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { decodeHousehold, encodeHousehold, HOUSEHOLD_STATE_MAX_BYTES } from '../../protocol/household/content.js';
import { SIGNER_BYTES } from '../../protocol/household/registers.js';
import { sealSettings, type SettingsReader } from '../../protocol/household/seal.js';
import {
  EMPTY_STATE,
  hasAllOf,
  mergeStates,
  nextStamp,
  withAncestors,
  withoutOldMarks,
  type HouseholdState,
} from '../../protocol/household/state.js';
import { HASH_BYTES } from '../../protocol/objects/ids.js';
import { settingsKind } from '../../protocol/objects/settings.js';
import { signObject } from '../../protocol/objects/signed-object.js';
import type { AlarmCause } from './alarms.js';
import type { CloudClient } from './cloud-client.js';
import type { Household } from './household-people.js';
import type { SettingsRequests } from './settings-requests.js';
import { isServed, readServed, type ServedSettings, type SettingsName } from './served-settings.js';
import type { AppStorage } from './storage.js';

export interface LineDependencies {
  readonly client: Pick<CloudClient, 'kemKey'>;
  readonly requests: Pick<SettingsRequests, 'sendSettings'>;
  readonly storage: Pick<AppStorage, 'setting' | 'saveSetting'>;
  readonly suite: CryptoSuite;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly random: Random;
  /** This browser's X-Wing key. */
  readonly own: SettingsReader & { readonly publicKey: Uint8Array };
  readonly raise: (cause: AlarmCause) => void;
}

/**
 * `shared`: other browsers get it. `local`: no camera of the household is of version 2, so it stays here. `too-many`: more people
 * than one object is sealed to. `newer`: another browser wrote what this page does not know yet.
 */
export type SharingState = 'shared' | 'local' | 'too-many' | 'newer';

const KNOWN_MAX = 16;
/** Objects that stand side by side in the cloud before somebody joins them without another reason. */
const SIDE_BY_SIDE_MAX = 4;
const DAY_MS = 86_400_000;
const keptSchema = v.object({
  content: v.base64Bytes,
  known: v.array(v.object({ hash: v.string(), version: v.int() })),
});

/** The settings of one household: what this browser knows of them, compared and exchanged with what the cloud serves. */
export class HouseholdLine {
  state: HouseholdState = EMPTY_STATE;
  sharing: SharingState = 'local';
  /** Whether all that the cloud serves is sealed to others: another browser has to seal it to this one too. */
  isWaiting = false;
  private readonly deps: LineDependencies;
  private readonly setting: string;
  /** The newest objects that were merged here, or written. The cloud must show them, or what was made from them. */
  private known: readonly SettingsName[] = [];
  private readonly kemKeys = new Map<string, Uint8Array>();

  /** @param account hex */
  constructor(deps: LineDependencies, account: string) {
    this.deps = deps;
    this.setting = `household-settings/${account}`;
  }

  /** Loads what this browser keeps. Call it once, before anything else. */
  async load(): Promise<void> {
    const text = await this.deps.storage.setting(this.setting);
    try {
      const kept = v.safeParse(keptSchema, text === null ? null : JSON.parse(text));
      if (!kept.success) return;
      this.state = decodeHousehold(kept.output.content, HOUSEHOLD_STATE_MAX_BYTES);
      this.known = kept.output.known;
    } catch {
      // What another version wrote is not understood here; the cloud has what was shared.
    }
  }

  /** Changes what is shared, here first; {@link exchange} sends it. */
  async write(change: (state: HouseholdState, stamp: ReturnType<typeof nextStamp>) => HouseholdState): Promise<void> {
    const signer = toHex(this.deps.signer.publicKey.subarray(0, SIGNER_BYTES));
    this.state = change(this.state, nextStamp(this.state, signer));
    await this.save();
  }

  /** Returns version and hash of the newest object, for this browser's heads. */
  newest(): readonly [version: number, hash: Uint8Array] | undefined {
    const [name] = [...this.known].sort((a, b) => b.version - a.version);
    const hash = name === undefined ? undefined : fromHex(name.hash, HASH_BYTES);
    return name === undefined || hash === undefined ? undefined : [name.version, hash];
  }

  /**
   * Merges what the cloud serves, and sends what it lacks.
   *
   * @param named what other browsers of the household state in their heads
   * @param keepsForMs how long records are kept; 0 where that is not known
   * @throws SealcamError `cloud-unreachable`, `statement-refused` where others wrote meanwhile
   */
  async exchange(
    household: Household,
    objects: readonly Uint8Array[],
    named: readonly SettingsName[],
    keepsForMs: number,
  ): Promise<void> {
    const { suite, own, clock } = this.deps;
    if (!household.people.some(({ kem }) => toHex(kem) === toHex(own.kem))) {
      this.sharing = 'local';
      return;
    }
    const merged = new Set([...this.known.map(({ hash }) => hash), ...this.state.ancestors.keys()]);
    const served = await readServed(suite, household, own, objects, merged);
    this.holdTo(served, named);
    this.isWaiting = served.opened.length === 0 && served.unread.some(({ code }) => code === 'not-sealed-to-you');
    this.state = mergeStates(this.state, served.state);
    const firstDay = Math.floor((clock.wallMs() - keepsForMs) / DAY_MS) - 1;
    if (keepsForMs > 0) this.state = withoutOldMarks(this.state, firstDay);
    // What the cloud withheld stays known, and is named among the ancestors of what is written next.
    this.state = withAncestors(
      this.state,
      this.known.map(({ hash, version }) => [hash, version]),
    );
    this.sharing = served.unread.some(({ code }) => code === 'unsupported') ? 'newer' : 'shared';
    this.known = [...served.opened, ...this.known.filter((name) => !isServed(served, name))].slice(0, KNOWN_MAX);
    await this.save();
    if (household.people.length > LIMITS.recipientsMax) this.sharing = 'too-many';
    else if (this.mustSend(household, served)) await this.send(household, served);
  }

  /** The cloud must serve what was merged here, and what another browser says it merged, or what was made from it. */
  private holdTo(served: ServedSettings, named: readonly SettingsName[]): void {
    const { raise } = this.deps;
    for (const message of served.refused) {
      raise({ verdict: 'foreign', code: 'settings-refused', message, about: null });
    }
    if (!this.known.every((name) => isServed(served, name))) {
      const message = 'the cloud serves older settings of the household than it did, or others';
      raise({ verdict: 'older-history', code: 'settings-withheld', message, about: null });
    }
    if (!named.every((name) => isServed(served, name) || this.known.some(({ hash }) => hash === name.hash))) {
      const message = 'another browser of the household knows settings that the cloud does not serve here';
      raise({ verdict: 'older-history', code: 'settings-withheld', message, about: null });
    }
  }

  private mustSend({ people }: Household, served: ServedSettings): boolean {
    const wanted = decodeHousehold(encodeHousehold(this.state));
    const present = people.map(({ kem }) => toHex(kem)).sort();
    return (
      !hasAllOf(served.state, wanted) ||
      served.opened.length > SIDE_BY_SIDE_MAX ||
      !this.known.every((name) => isServed(served, name)) ||
      served.sealedTo?.some((sealedTo) => sealedTo !== present.join()) === true
    );
  }

  private async send({ account, people }: Household, { opened }: ServedSettings): Promise<void> {
    const { suite, random, signer, clock, requests } = this.deps;
    const recipients: Uint8Array[] = [];
    for (const { kem } of people) recipients.push(await this.kemKeyOf(kem));
    const parents = opened.slice(0, LIMITS.settingsParentsMax);
    const place = {
      account,
      settingsVersion: parents.length === 0 ? 0 : Math.max(...parents.map(({ version }) => version)) + 1,
      parents: parents.flatMap(({ hash }) => fromHex(hash, HASH_BYTES) ?? []),
    };
    const context = { ...place, kid: signer.publicKey };
    const sealed = sealSettings(suite, random, context, recipients, encodeHousehold(this.state));
    const issuedAtMs = Math.round(clock.wallMs());
    const signed = signObject(settingsKind, suite, signer, { version: 2, ...place, issuedAtMs, ...sealed });
    await requests.sendSettings(account, signed.bytes);
    const name = { hash: toHex(signed.hash), version: place.settingsVersion };
    this.known = [name, ...opened.slice(LIMITS.settingsParentsMax)];
    this.state = withAncestors(this.state, [[name.hash, name.version]]);
    await this.save();
  }

  private async kemKeyOf(kem: Uint8Array): Promise<Uint8Array> {
    const { own, client } = this.deps;
    const name = toHex(kem);
    if (name === toHex(own.kem)) return own.publicKey;
    const key = this.kemKeys.get(name) ?? (await client.kemKey(kem));
    this.kemKeys.set(name, key);
    return key;
  }

  private save(): Promise<void> {
    const content = toBase64(encodeHousehold(this.state, HOUSEHOLD_STATE_MAX_BYTES));
    return this.deps.storage.saveSetting(this.setting, JSON.stringify({ content, known: this.known }));
  }
}
