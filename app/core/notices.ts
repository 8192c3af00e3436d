/**
 * What a push says, as far as this browser can verify it by itself: the service worker asks here before it shows anything. A push
 * comes from the cloud by way of a push service, and both may alter, hold back and repeat it.
 */
import { toHex } from '../../common/bytes.js';
import { atMost, type Clock } from '../../common/clock.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import { decodeNotice, type Notice } from '../../protocol/transport/notice.js';
import { VERDICTS } from '../../protocol/verify/verdict.js';
import type { CloudClient } from './cloud-client.js';
import type { HistoryKeeper } from './history-keeper.js';
import type { MiniOpener } from './mini-opener.js';
import type { NoticeMemory } from './notice-memory.js';
import { REFUSALS } from './pictures.js';
import { plausibleWallMs } from './plausible-time.js';
import type { KnownEpoch } from './storage.js';

/** What may be said of a push. */
export type Found =
  | {
      readonly type: 'record';
      readonly record: Verified<AnyRecord>;
      /** The picture that came with it, opened; null where none came, or its key is not to be had now. */
      readonly jpeg: Uint8Array | null;
      /** Names of the zones in which something moved, from the same seal. */
      readonly zones: readonly string[];
      /** UTC by the camera's clock; null where that was not set, or cannot be right. */
      readonly atMs: number | null;
    }
  /** The cloud's own words about a camera of ours, which nothing proves. */
  | { readonly type: 'summary'; readonly device: string; readonly count: number }
  | { readonly type: 'silent'; readonly device: string; readonly sinceMs: number | null }
  /** Nothing that was verified. `device` is a camera of ours where at least that is known. */
  | { readonly type: 'something'; readonly device: string | null };

export interface NoticesDependencies {
  readonly clock: Clock;
  /** Loaded; its storage takes back nothing that a page stored meanwhile. */
  readonly history: HistoryKeeper;
  readonly client: Pick<CloudClient, 'cameras' | 'acceptHouseholds'>;
  readonly minis: MiniOpener;
  readonly memory: NoticeMemory;
}

/**
 * How much older than the newest record known here a record may be and still count as news: a camera sends at once, a cloud
 * pushes nothing older than five minutes, and a push service may hold it a while.
 */
const BEHIND_MAX_MS = 15 * 60_000;
/** Least time between two requests for claims that pushes cause. */
const ASK_INTERVAL_MS = 10 * 60_000;
/** Longest wait for the cloud. A browser ends a worker that takes long, and shows words of its own. */
const CLOUD_WAIT_MS = 8000;

const NOTHING: Found = { type: 'something', device: null };

/** Decides what may be said of pushes. Give it one at a time. */
export class Notices {
  private readonly deps: NoticesDependencies;

  constructor(deps: NoticesDependencies) {
    this.deps = deps;
  }

  /** Returns what may be said of a push. @param payload as the browser decrypted it; null where it has no body */
  async find(payload: Uint8Array | null): Promise<Found> {
    const notice = payload === null ? null : read(payload);
    if (notice === null) return NOTHING;
    if (notice.type === 'record') return this.findRecord(notice);
    const device = this.ofOurs(notice.device);
    if (device === null) return NOTHING;
    if (notice.type === 'summary') return { type: 'summary', device, count: notice.count };
    const nowMs = this.deps.clock.wallMs();
    return { type: 'silent', device, sinceMs: notice.sinceMs > nowMs ? null : notice.sinceMs };
  }

  private async findRecord({ record: bytes, mini }: Notice & { readonly type: 'record' }): Promise<Found> {
    const { history, clock, memory } = this.deps;
    const nowMs = clock.wallMs();
    // As they were before: the record itself may be the newest now.
    const before = history.accepted();
    let outcome = await history.verifyAndApply(bytes, nowMs);
    // The household may have changed while no page was open.
    if ('verdict' in outcome && outcome.code === 'claim-unknown' && (await this.fetchClaims(nowMs))) {
      outcome = await history.verifyAndApply(bytes, nowMs);
    }
    if ('verdict' in outcome) return this.something(outcome.about?.device ?? null);
    const { record } = outcome;
    const device = toHex(record.value.device);
    const isNews = !isBehind(record.value, before, nowMs) && !memory.hasShown(record.hash);
    if (!isNews || !VERDICTS[history.continuityOf(record).verdict].shown) return this.something(device);
    let opened: Awaited<ReturnType<MiniOpener['open']>> | null = null;
    if (mini !== null) {
      try {
        opened = await this.within(this.deps.minis.open(record, mini));
      } catch (error) {
        // What came beside the record is not what the camera sealed: then nothing of it is believed.
        if (!isSealcamError(error) || REFUSALS.includes(error.code)) return this.something(device);
      }
    }
    await memory.addShown(record.hash);
    return {
      type: 'record',
      record,
      jpeg: opened?.jpeg ?? null,
      zones: opened?.detail.zones ?? [],
      atMs: plausibleWallMs(record.value.time.wallMs, nowMs),
    };
  }

  /** Asks for the claims of all cameras, seldom. Each is verified as in the page; one that is refused is left out. */
  private async fetchClaims(nowMs: number): Promise<boolean> {
    const { client, history, memory } = this.deps;
    if (!(await memory.mayAsk(nowMs, ASK_INTERVAL_MS))) return false;
    try {
      client.acceptHouseholds(history.acceptedAccounts());
      for (const { claim } of await this.within(client.cameras())) await history.addClaim(claim).catch(() => undefined);
      return true;
    } catch {
      return false;
    }
  }

  private async within<T>(work: Promise<T>): Promise<T> {
    if (await atMost(this.deps.clock, CLOUD_WAIT_MS, work)) return work;
    // It may still fail, and nobody waits for it.
    work.catch(() => undefined);
    throw new SealcamError('cloud-unreachable', 'the cloud does not answer in time');
  }

  private something(device: string | null): Found {
    const isOurs = this.deps.history.accepted().some((known) => known.device === device);
    return { type: 'something', device: isOurs ? device : null };
  }

  private ofOurs(device: Uint8Array): string | null {
    const found = this.something(toHex(device));
    return found.type === 'something' ? found.device : null;
  }
}

function read(payload: Uint8Array): Notice | null {
  try {
    return decodeNotice(payload);
  } catch (error) {
    if (isSealcamError(error)) return null;
    throw error;
  }
}

/** Returns whether a record is too far behind what was verified here before to be news. */
function isBehind({ device, epoch, seq, time }: AnyRecord, known: readonly KnownEpoch[], nowMs: number): boolean {
  const hex = toHex(device);
  const newest = known
    .filter((one) => one.device === hex && one.head !== null)
    .reduce<KnownEpoch | null>((best, one) => (best === null || one.epoch > best.epoch ? one : best), null);
  const head = newest?.head ?? null;
  if (newest === null || head === null) return false;
  if (epoch > newest.epoch || (epoch === newest.epoch && seq >= head.seq)) return false;
  const atMs = plausibleWallMs(time.wallMs, nowMs);
  const headMs = head.atMs;
  // Without a time nothing says how old it is.
  return atMs === null || headMs === undefined || headMs - atMs > BEHIND_MAX_MS;
}
