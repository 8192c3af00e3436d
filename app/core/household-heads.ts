import { equal, fromHex, toHex, utf8 } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import { isSealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { Random } from '../../common/random.js';
import * as v from '../../common/schema.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { anyHeadsKind, type Heads, type HeadsV2 } from '../../protocol/objects/heads.js';
import { epochKey, HASH_BYTES, ID_BYTES } from '../../protocol/objects/ids.js';
import { openSigned, signObject, type Verified } from '../../protocol/objects/signed-object.js';
import type { Alarms } from './alarms.js';
import type { CameraPages } from './camera-pages.js';
import type { CameraState } from './camera-state.js';
import type { CloudClient } from './cloud-client.js';
import type { HistoryKeeper } from './history-keeper.js';
import type { AppStorage, KnownEpoch } from './storage.js';

export interface HouseholdDependencies {
  readonly client: Pick<CloudClient, 'heads' | 'sendHeads'>;
  readonly history: HistoryKeeper;
  readonly storage: AppStorage;
  readonly suite: CryptoSuite;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly random: Random;
  /** Whether this browser states nothing: it has its root key open for a moment, and else a key of its own. */
  readonly isSilent?: boolean;
}

/** Another browser of the household, as its newest statement shows it. */
export interface OtherBrowser {
  /** Hex of the key that signed: the owner's or a member's. */
  readonly key: string;
  /** UTC by that browser's clock. */
  readonly issuedAtMs: number;
  /** Whether it stays away longer than it used to: the cloud may be holding its statements back. */
  readonly isOverdue: boolean;
}

/** What a browser that was set up from a recovery file cannot know by itself. */
export interface Restored {
  /** UTC at which the file was saved; null for a file of version 1, which holds no history. */
  readonly savedAtMs: number | null;
}

const SECRET = 'heads-browser';
const STATE = 'heads-state';
const RESTORED = 'restored';
/** A browser that was silent for this long is not listed any more. */
const FORGOTTEN_AFTER_MS = 90 * 86_400_000;
/** A statement is sent again when the heads changed, but not sooner than this, and at least once a day. */
const PUBLISH_INTERVAL_MS = 60_000;
const PUBLISH_CADENCE_MS = 86_400_000;
/** Least time between two comparisons while the page is open. */
const COMPARE_INTERVAL_MS = 10 * 60_000;
/** A browser is overdue after three times its longest pause so far, and after this at the earliest. */
const OVERDUE_MIN_MS = 7 * 86_400_000;
const OVERDUE_FACTOR = 3;
const BROWSERS_MAX = 64;

const seenSchema = v.object({ counter: v.int(), issuedAtMs: v.int(), longestPauseMs: v.int() });
type Seen = v.InferOutput<typeof seenSchema>;
const stateSchema = v.object({ counter: v.int(), ids: v.array(v.string()), seen: v.record(v.string(), seenSchema) });
const restoredSchema = v.object({ savedAtMs: v.nullable(v.int()) });

/**
 * Compares how far the browsers of a household verified each history, by signed statements that travel through the cloud.
 * A cloud that shows one of them another history, or less of it, is noticed by the others.
 *
 * A statement goes to one audience: the people that a claim names. So it tells nobody of a camera that is not theirs.
 */
export class HouseholdHeads {
  private readonly deps: HouseholdDependencies;
  /** 16 random bytes of this browser; its ids are derived from them, one for each audience. */
  private secret: Uint8Array = new Uint8Array(ID_BYTES);
  private counter = 0;
  /** Hex of every id under which this browser sent a statement. */
  private ids: readonly string[] = [];
  /** By key/browser: the newest statement of each other browser that was seen here. */
  private readonly seen = new Map<string, Seen>();
  /** Null where the cloud did not answer: then nothing is compared. */
  statements: readonly Verified<Heads | HeadsV2>[] | null = null;
  /** Returns what statements name of a household's settings; nothing before the part of the page that knows them is loaded. */
  settingsOf: (epochs: readonly KnownEpoch[]) => HeadsV2['settings'] = () => undefined;
  private refused: readonly string[] = [];
  private readonly compared = new Set<string>();
  /** By audience: what was sent last, and when. */
  private readonly sent = new Map<string, { readonly digest: string; readonly atMs: number }>();
  private comparedAtMs = -Infinity;
  private restoredFrom: Restored | null = null;

  constructor(deps: HouseholdDependencies) {
    this.deps = deps;
  }

  /** Loads what this browser knows of itself and the others. */
  async load(): Promise<void> {
    const { storage, random } = this.deps;
    const saved = fromHex((await storage.setting(SECRET)) ?? '', ID_BYTES);
    this.secret = saved ?? random.bytes(ID_BYTES);
    if (saved === undefined) await storage.saveSetting(SECRET, toHex(this.secret));
    const state = v.safeParse(stateSchema, parsed(await storage.setting(STATE)));
    if (state.success) {
      this.counter = state.output.counter;
      this.ids = state.output.ids;
      for (const [name, seen] of Object.entries(state.output.seen)) this.seen.set(name, seen);
    }
    const restored = v.safeParse(restoredSchema, parsed(await storage.setting(RESTORED)));
    this.restoredFrom = restored.success ? restored.output : null;
  }

  /** Returns the other browsers, those heard of last first. */
  others(): readonly OtherBrowser[] {
    const nowMs = this.deps.clock.wallMs();
    const others = [...this.seen].map(([name, { issuedAtMs, longestPauseMs }]) => ({
      key: name.slice(0, name.indexOf('/')),
      issuedAtMs,
      isOverdue: nowMs - issuedAtMs > Math.max(OVERDUE_MIN_MS, OVERDUE_FACTOR * longestPauseMs),
    }));
    const heard = others.filter(({ issuedAtMs }) => nowMs - issuedAtMs < FORGOTTEN_AFTER_MS);
    return heard.sort((a, b) => b.issuedAtMs - a.issuedAtMs);
  }

  /** Returns what this browser cannot know because it was restored, until another browser has confirmed its cameras. */
  restored(): Restored | null {
    return this.restoredFrom;
  }

  /** Ends the notice of {@link restored}. */
  async dismissRestored(): Promise<void> {
    this.restoredFrom = null;
    await this.deps.storage.saveSetting(RESTORED, '');
  }

  /** Returns whether the last comparison was long enough ago for the next one. */
  get isDue(): boolean {
    return this.deps.clock.monotonicMs() - this.comparedAtMs >= COMPARE_INTERVAL_MS;
  }

  /**
   * Fetches the statements of the household. Cameras are shown without them too; browsers that nobody hears of any longer
   * become overdue.
   */
  async fetch(): Promise<void> {
    this.statements = null;
    const answer = await attempted(this.deps.client.heads());
    if (answer !== null) this.read(answer);
  }

  /** Takes the cloud's answer, which came with the session. */
  read(answer: readonly Uint8Array[]): void {
    const { suite } = this.deps;
    const statements: Verified<Heads | HeadsV2>[] = [];
    const refused: string[] = [];
    for (const bytes of answer) {
      try {
        statements.push(openSigned(anyHeadsKind, suite, bytes));
      } catch (error) {
        if (!isSealcamError(error)) throw error;
        refused.push(error.message);
      }
    }
    this.statements = statements;
    this.refused = refused;
  }

  /** Compares the statements that {@link fetch} brought with what this page verified since. */
  async compare(
    alarms: Alarms,
    cameraOf: (device: Uint8Array, epoch: number) => CameraState | undefined,
    pages: CameraPages,
  ): Promise<void> {
    this.comparedAtMs = this.deps.clock.monotonicMs();
    if (this.statements === null) return;
    for (const message of this.refused) {
      alarms.raise({ verdict: 'malformed', code: 'heads-refused', message: `heads: ${message}`, about: null });
    }
    const present = new Map<string, Verified<Heads | HeadsV2>>();
    for (const statement of this.statements) {
      if (this.isOfThisBrowser(statement)) continue;
      if (!this.isOfHousehold(statement)) {
        const message = 'heads that nobody of the household signed';
        alarms.raise({ verdict: 'foreign', code: 'heads-refused', message, about: null });
        continue;
      }
      present.set(nameOf(statement), statement);
      await this.hold(statement, alarms, cameraOf, pages);
    }
    this.checkPresent(present, alarms);
    await this.remember(present);
  }

  /** Sends how far this browser verified each history, where that changed. */
  async publish(): Promise<void> {
    const { client, suite, signer, clock, isSilent = false } = this.deps;
    if (isSilent) return;
    for (const [audience, epochs] of this.audiences()) {
      const heads = epochs.flatMap(({ device, epoch, head }) => {
        const id = fromHex(device, HASH_BYTES);
        return head === null || id === undefined ? [] : [[id, epoch, head.seq, head.hash] as const];
      });
      const digest = heads.map(
        ([device, epoch, seq, hash]) => `${epochKey(device, epoch)}/${String(seq)}/${toHex(hash)}`,
      );
      const settings = this.settingsOf(epochs);
      const settingsHash = settings === undefined ? '' : toHex(settings[1]);
      digest.push(settingsHash);
      const last = this.sent.get(audience);
      const nowMs = clock.monotonicMs();
      const ageMs = last === undefined ? Infinity : nowMs - last.atMs;
      const isSame = last?.digest === digest.join();
      const isSoon = ageMs < PUBLISH_INTERVAL_MS && last?.digest.endsWith(settingsHash) === true;
      if (heads.length === 0 || isSoon || (isSame && ageMs < PUBLISH_CADENCE_MS)) continue;
      // Saved before it is sent: a counter is never used twice.
      const browser = this.browserFor(audience);
      this.counter++;
      if (!this.ids.includes(toHex(browser))) this.ids = [...this.ids, toHex(browser)].slice(-BROWSERS_MAX);
      await this.save();
      const statement = signObject(anyHeadsKind, suite, signer, {
        ...(settings === undefined ? {} : { version: 2, settings }),
        browser,
        counter: this.counter,
        issuedAtMs: Math.round(clock.wallMs()),
        heads: heads.slice(-LIMITS.headsMax),
      });
      if ((await attempted(client.sendHeads(statement.bytes).then(() => true))) === null) return;
      this.sent.set(audience, { digest: digest.join(), atMs: nowMs });
    }
  }

  private async hold(
    statement: Verified<Heads | HeadsV2>,
    alarms: Alarms,
    cameraOf: (device: Uint8Array, epoch: number) => CameraState | undefined,
    pages: CameraPages,
  ): Promise<void> {
    const isOwn = equal(statement.kid, this.deps.signer.publicKey);
    for (const [device, epoch, seq, hash] of statement.value.heads) {
      const name = `${epochKey(device, epoch)}/${String(seq)}/${toHex(hash)}`;
      if (this.compared.has(name)) continue;
      const camera = cameraOf(device, epoch);
      if (camera !== undefined) {
        if (await pages.holdTo(camera, { seq, hash }, 'by another browser of the household')) this.compared.add(name);
      } else if (isOwn && !this.deps.history.hasEnded(device, epoch)) {
        const about = { device: toHex(device), epoch };
        const message = 'another browser of yours knows a camera that the cloud does not name here';
        alarms.raise({ verdict: 'older-history', code: 'camera-unlisted', message, about });
      }
    }
  }

  /**
   * A statement that was seen here stays, and its counter only rises. A cloud keeps a bounded number for each key and drops
   * the oldest, so one that is older than all the others of its key may be gone.
   */
  private checkPresent(present: ReadonlyMap<string, Verified<Heads | HeadsV2>>, alarms: Alarms): void {
    for (const [name, { counter, issuedAtMs }] of this.seen) {
      const found = present.get(name);
      const key = name.slice(0, name.indexOf('/'));
      const others = [...present.values()].filter(({ kid }) => toHex(kid) === key);
      const isDropped = others.length > 0 && others.every(({ value }) => value.issuedAtMs > issuedAtMs);
      if (found === undefined ? isDropped : found.value.counter >= counter) continue;
      const message = `a statement of another browser that was seen here is withheld (${key.slice(0, 8)})`;
      alarms.raise({ verdict: 'older-history', code: 'heads-withheld', message, about: null });
    }
  }

  private async remember(present: ReadonlyMap<string, Verified<Heads | HeadsV2>>): Promise<void> {
    for (const [name, { value }] of present) {
      const before = this.seen.get(name);
      if (before !== undefined && before.counter >= value.counter) continue;
      const pauseMs = before === undefined ? 0 : Math.max(0, value.issuedAtMs - before.issuedAtMs);
      const longestPauseMs = Math.max(before?.longestPauseMs ?? 0, pauseMs);
      this.seen.set(name, { counter: value.counter, issuedAtMs: value.issuedAtMs, longestPauseMs });
    }
    const oldestFirst = [...this.seen].sort(([, a], [, b]) => a.issuedAtMs - b.issuedAtMs);
    for (const [name] of oldestFirst.slice(0, Math.max(0, this.seen.size - BROWSERS_MAX))) this.seen.delete(name);
    await this.save();
    if (this.restoredFrom !== null && this.isConfirmed(present)) await this.dismissRestored();
  }

  /** Returns whether other browsers' statements name every camera that this person owns. */
  private isConfirmed(present: ReadonlyMap<string, Verified<Heads | HeadsV2>>): boolean {
    const named = new Set(
      [...present.values()].flatMap(({ value }) => value.heads.map(([device, epoch]) => epochKey(device, epoch))),
    );
    const accepted = this.deps.history.accepted();
    return accepted.length > 0 && accepted.every(({ device, epoch }) => named.has(epochKey(device, epoch)));
  }

  /** Signed with either key, where the browser has the root key besides its own. Nobody guesses an id of 16 random bytes. */
  private isOfThisBrowser({ value }: Verified<Heads | HeadsV2>): boolean {
    return this.ids.includes(toHex(value.browser));
  }

  /** Whether its signer is a person whom the claim of one of its epochs names, by a claim that is trusted here. */
  private isOfHousehold({ value, kid }: Verified<Heads | HeadsV2>): boolean {
    if (equal(kid, this.deps.signer.publicKey)) return true;
    return value.heads.some(([device, epoch]) => {
      const claim = this.deps.history.claimOf(device, epoch);
      return claim?.value.recipients.some(({ ed25519 }) => equal(ed25519, kid)) === true;
    });
  }

  /** Returns the epochs of each audience. */
  private audiences(): ReadonlyMap<string, readonly KnownEpoch[]> {
    const { history } = this.deps;
    const audiences = new Map<string, KnownEpoch[]>();
    for (const known of history.accepted()) {
      const device = fromHex(known.device, HASH_BYTES);
      const claim = device === undefined ? null : history.claimOf(device, known.epoch);
      if (claim === null) continue;
      // The owner is the first recipient.
      const people = claim.value.recipients.map(({ ed25519 }) => toHex(ed25519));
      const audience = people.sort().join(' ');
      audiences.set(audience, [...(audiences.get(audience) ?? []), known]);
    }
    return audiences;
  }

  private browserFor(audience: string): Uint8Array {
    const { suite } = this.deps;
    return suite.sha256(utf8(`${toHex(this.secret)} ${audience}`)).slice(0, ID_BYTES);
  }

  private save(): Promise<void> {
    const state: v.InferInput<typeof stateSchema> = {
      counter: this.counter,
      ids: [...this.ids],
      seen: Object.fromEntries(this.seen),
    };
    return this.deps.storage.saveSetting(STATE, JSON.stringify(state));
  }
}

/** Notes that this browser was set up from a recovery file. */
export async function saveRestored(storage: AppStorage, restored: Restored): Promise<void> {
  await storage.saveSetting(RESTORED, JSON.stringify(restored));
}

function nameOf({ kid, value }: Verified<Heads | HeadsV2>): string {
  return `${toHex(kid)}/${toHex(value.browser)}`;
}

/** Returns null where the cloud refuses or does not know the request. */
async function attempted<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request;
  } catch (error) {
    if (isSealcamError(error)) return null;
    throw error;
  }
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return null;
  }
}
