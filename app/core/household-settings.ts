/**
 * What the browsers of a household share: names, the order of cameras, names of zones, quiet hours, reviewed marks. Whatever is set
 * is kept in this browser first, and goes to the others when the cloud can be reached. The page loads this after its first events.
 */
import { toHex } from '../../common/bytes.js';
import type { CancelTimer } from '../../common/clock.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { xwingKeys } from '../../protocol/crypto/xwing.js';
import { keptName } from '../../protocol/household/names.js';
import type { Register, Registers } from '../../protocol/household/registers.js';
import { markId, QUIET, type HouseholdState, type QuietHours } from '../../protocol/household/state.js';
import { kemHash } from '../../protocol/objects/kem-keys.js';
import type { CloudClient } from './cloud-client.js';
import type { HistoryKeeper } from './history-keeper.js';
import type { HouseholdHeads } from './household-heads.js';
import { HouseholdLine, type LineDependencies, type SharingState } from './household-line.js';
import { presentHouseholds, type Household } from './household-people.js';
import type { OwnerKeys } from './owner-keys.js';
import type { OwnerSession } from './owner-session.js';
import type { HouseholdMarks } from './reviewed-marks.js';
import type { SettingsRequests } from './settings-requests.js';
import type { SettingsName } from './served-settings.js';
import type { AppStorage } from './storage.js';

export interface HouseholdSettingsDependencies extends Pick<LineDependencies, 'suite' | 'clock' | 'random'> {
  readonly client: Pick<CloudClient, 'kemKey'>;
  readonly requests: SettingsRequests;
  readonly history: HistoryKeeper;
  readonly heads: Pick<HouseholdHeads, 'statements' | 'settingsOf' | 'publish'>;
  readonly session: Pick<OwnerSession, 'view' | 'raise'>;
  readonly storage: AppStorage;
  readonly keys: OwnerKeys;
}

/** A change waits this long for the next one, and up to as long again, so that browsers do not answer each other at once. */
const GATHER_MS = 1500;
/** Time between two exchanges that nothing here asked for. */
const EXCHANGE_INTERVAL_MS = 10 * 60_000;
/** The first time that is waited for another browser to seal to this one, which was just added; each further one is twice as long. */
const SEALED_SOON_MS = 5000;
const ATTEMPTS_MAX = 3;
const DAY_MS = 86_400_000;

type Stamp = Omit<Register<unknown>, 'value'>;

/** The settings of all households of this person. */
export class HouseholdSettings implements HouseholdMarks {
  private readonly deps: HouseholdSettingsDependencies;
  private readonly lineDeps: LineDependencies;
  /** By hex of the account. */
  private readonly lines = new Map<string, HouseholdLine>();
  private readonly listeners = new Set<() => void>();
  private readonly markIds = new Map<string, string>();
  private exchanging: Promise<void> | null = null;
  private cancelNext: CancelTimer = () => undefined;
  private waitMs = SEALED_SOON_MS;
  private hasEnded = false;
  private lastProblem: SealcamError | null = null;

  constructor(deps: HouseholdSettingsDependencies) {
    this.deps = deps;
    const { suite, clock, random, client, requests, storage, keys, session, heads } = deps;
    const pair = xwingKeys(suite, keys.kemSeed);
    const decapsulate = (enc: Uint8Array): Uint8Array => pair.decapsulate(enc);
    const own = { kem: kemHash(suite, pair.publicKey), publicKey: pair.publicKey, decapsulate };
    const raise: LineDependencies['raise'] = (cause) => {
      session.raise(cause);
    };
    this.lineDeps = { client, requests, storage, suite, signer: keys.signer, clock, random, own, raise };
    heads.settingsOf = (epochs) => {
      const found = this.households().find(([, { cameras }]) => epochs.some(({ device }) => cameras.includes(device)));
      return found === undefined ? undefined : this.lines.get(found[0])?.newest();
    };
  }

  /** Loads what this browser keeps, and takes up the names that it kept before there was anything to share. */
  async load(): Promise<void> {
    await this.adoptNames();
    this.notify();
  }

  /** Exchanges now and from time to time, until the signal fires. What cannot be sent waits in this browser. */
  run(signal: AbortSignal): void {
    signal.addEventListener('abort', () => {
      this.hasEnded = true;
      this.cancelNext();
    });
    this.plan(0);
  }

  /** Why the last exchange did not succeed; null where it did. */
  problem(): SealcamError | null {
    return this.lastProblem;
  }

  /** Calls `listener` after every change. Returns the function that ends the subscription. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /** Returns how far each household shares its settings. */
  sharing(): readonly SharingState[] {
    return this.households().map(([account]) => this.lines.get(account)?.sharing ?? 'local');
  }

  /** Names a camera (hex of its id) or member (hex of the key). The name is cut to what is kept of one. */
  async rename(id: string, typed: string): Promise<void> {
    const name = keptName(typed);
    if (name === '') return;
    await this.deps.storage.saveName(id, name);
    const isOf = ({ cameras, members }: Household): boolean => cameras.includes(id) || members.has(id);
    await this.write(isOf, (state, stamp) => ({ ...state, names: put(state.names, id, name, stamp) }));
  }

  /** Returns the household's name of a zone, which its camera calls `zone`; null without one. */
  zoneName(device: string, zone: string): string | null {
    const name = this.find(({ zones }) => zones.get(`${device}/${zone}`)?.value);
    return name === undefined || name === '' ? null : name;
  }

  /** Names a zone for the household. Its camera and the cloud do not learn the name. */
  async nameZone(device: string, zone: string, typed: string): Promise<void> {
    const key = `${device}/${zone}`;
    await this.write(ofCamera(device), (state, stamp) => ({
      ...state,
      zones: put(state.zones, key, keptName(typed), stamp),
    }));
  }

  /** Returns where a camera stands among the others; null where nobody chose. */
  placeOf(device: string): number | null {
    return this.find(({ order }) => order.get(device)?.value) ?? null;
  }

  /** Puts the cameras in this order. */
  async setOrder(devices: readonly string[]): Promise<void> {
    for (const [place, device] of devices.entries()) {
      if (this.placeOf(device) === place) continue;
      await this.write(ofCamera(device), (state, stamp) => ({
        ...state,
        order: put(state.order, device, place, stamp),
      }));
    }
  }

  /** Returns the hours in which nobody of the household is woken; null without any. */
  quietHours(): QuietHours | null {
    return this.find(({ quiet }) => quiet.get(QUIET)?.value) ?? null;
  }

  /** Sets the quiet hours of every household of this person. */
  async setQuietHours(hours: QuietHours | null): Promise<void> {
    const set = (state: HouseholdState, stamp: Stamp): HouseholdState => ({
      ...state,
      quiet: put(state.quiet, QUIET, hours, stamp),
    });
    await this.write(() => true, set);
  }

  /** Returns whether an event is marked as reviewed; null without a mark. @param eventKey device/epoch/event id, the ids in hex */
  reviewedMark(eventKey: string): boolean | null {
    return this.find(({ reviewed }) => reviewed.get(this.markOf(eventKey))?.value.isReviewed) ?? null;
  }

  /** Marks events as reviewed or not, for everybody in the household. */
  async markReviewed(eventKeys: readonly string[], isReviewed: boolean): Promise<void> {
    const day = Math.max(0, Math.floor(this.deps.clock.wallMs() / DAY_MS));
    const devices = new Set(eventKeys.map((key) => key.slice(0, key.indexOf('/'))));
    const isOf = ({ cameras }: Household): boolean => cameras.some((camera) => devices.has(camera));
    await this.write(isOf, (state, stamp) => {
      const reviewed = new Map(state.reviewed);
      for (const key of eventKeys) reviewed.set(this.markOf(key), { value: { isReviewed, day }, ...stamp });
      return { ...state, reviewed };
    });
  }

  /** Fetches what the other browsers wrote, merges it, and sends what the cloud lacks. Never rejects: see {@link problem}. */
  exchange(): Promise<void> {
    this.exchanging ??= this.exchangeAll().finally(() => {
      this.exchanging = null;
    });
    return this.exchanging;
  }

  private async exchangeAll(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.exchangeOnce();
        this.lastProblem = null;
        break;
      } catch (error) {
        this.lastProblem = asSealcamError(error);
        // Others wrote meanwhile: what they wrote is merged first.
        if (this.lastProblem.code !== 'statement-refused' || attempt === ATTEMPTS_MAX) break;
      }
    }
    this.notify();
  }

  private async exchangeOnce(): Promise<void> {
    const { requests, history, session, heads } = this.deps;
    await this.adoptNames();
    const statements = heads.statements ?? [];
    const answer = await requests.settings();
    const listed = new Set(session.view().cameras.flatMap(({ device, isListed }) => (isListed ? [device] : [])));
    for (const [account, household] of this.households()) {
      const served = answer.find((one) => toHex(one.account) === account);
      // Of a household whose cameras are not to be seen either, such as one whose reading is paused.
      if (served === undefined && !household.cameras.some((device) => listed.has(device))) continue;
      const named = statements.flatMap(({ kid, value }): SettingsName[] => {
        const isOf = value.heads.some(([device]) => household.cameras.includes(toHex(device)));
        const settings = 'settings' in value ? value.settings : undefined;
        if (!isOf || !household.members.has(toHex(kid)) || settings === undefined) return [];
        return [{ version: settings[0], hash: toHex(settings[1]) }];
      });
      const line = await this.lineOf(account);
      await line.exchange(household, served?.settings ?? [], named, history.promise.keepsForMs);
      await this.keepNames(line.state.names);
    }
    // The others learn which settings this browser knows as soon as it knows them.
    await heads.publish();
  }

  /** The page shows names before this part is loaded, so storage has them too. */
  private async keepNames(names: Registers<string>): Promise<void> {
    const { storage } = this.deps;
    const kept = await storage.names();
    for (const [id, { value }] of names) if (kept[id] !== value) await storage.saveName(id, value);
  }

  /** A name that only this browser knows loses to every name that somebody gave for the household: its counter is 0. */
  private async adoptNames(): Promise<void> {
    const names = Object.entries(await this.deps.storage.names());
    for (const [account, { cameras, members }] of this.households()) {
      const line = await this.lineOf(account);
      const added = names.filter(
        ([id]) => (cameras.includes(id) || members.has(id)) && line.state.names.get(id) === undefined,
      );
      if (added.length === 0) continue;
      await line.write((state, { signer }) => {
        const adopted = added.map(([id, name]) => [id, { value: keptName(name), counter: 0, signer }] as const);
        return { ...state, names: new Map([...state.names, ...adopted]) };
      });
    }
  }

  private async write(
    isOf: (household: Household) => boolean,
    change: (state: HouseholdState, stamp: Stamp) => HouseholdState,
  ): Promise<void> {
    for (const [account, household] of this.households()) {
      if (isOf(household)) await (await this.lineOf(account)).write(change);
    }
    this.notify();
    this.plan(GATHER_MS * (1 + this.deps.random.uniform()));
  }

  private plan(delayMs: number): void {
    this.cancelNext();
    if (this.hasEnded) return;
    this.cancelNext = this.deps.clock.after(delayMs, () => {
      void this.exchange().then(() => {
        this.plan(this.untilNextMs());
      });
    });
  }

  private untilNextMs(): number {
    const isWaiting = [...this.lines.values()].some((line) => line.isWaiting);
    this.waitMs = isWaiting ? Math.min(2 * this.waitMs, EXCHANGE_INTERVAL_MS) : SEALED_SOON_MS;
    return isWaiting ? this.waitMs : EXCHANGE_INTERVAL_MS;
  }

  private async lineOf(account: string): Promise<HouseholdLine> {
    const known = this.lines.get(account);
    if (known !== undefined) return known;
    const line = new HouseholdLine(this.lineDeps, account);
    await line.load();
    // Another caller may have loaded it meanwhile.
    const first = this.lines.get(account) ?? line;
    this.lines.set(account, first);
    return first;
  }

  private households(): readonly (readonly [string, Household])[] {
    return [...presentHouseholds(this.deps.history)];
  }

  private find<T>(read: (state: HouseholdState) => T | undefined): T | undefined {
    for (const { state } of this.lines.values()) {
      const found = read(state);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private markOf(eventKey: string): string {
    const known = this.markIds.get(eventKey);
    if (known !== undefined) return known;
    const made = markId(this.deps.suite, eventKey);
    this.markIds.set(eventKey, made);
    return made;
  }

  private notify(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

function ofCamera(device: string): (household: Household) => boolean {
  return ({ cameras }) => cameras.includes(device);
}

function put<T>(registers: Registers<T>, key: string, value: T, stamp: Stamp): Registers<T> {
  return new Map([...registers, [key, { value, ...stamp }]]);
}
