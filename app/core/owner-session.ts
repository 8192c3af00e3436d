import { isAborted } from '../../common/abort.js';
import { toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import type { Random } from '../../common/random.js';
import { retrying } from '../../common/retry.js';
import { epochKey } from '../../protocol/objects/ids.js';
import { Alarms } from './alarms.js';
import { Answers } from './answers.js';
import {
  applyHealthReport,
  applyPageRecord,
  applyWord,
  cameraViewOf,
  hasOlder,
  newCameraState,
  type CameraState,
} from './camera-state.js';
import { cameraItem, noticeEvent, pausedEvent, recordItem, type CameraItem, type RecordItem } from './cloud-answers.js';
import type { CloudClient } from './cloud-client.js';
import type { EpochName, HistoryKeeper, VerifiedRecord } from './history-keeper.js';
import type { Liveness } from './liveness.js';
import type { SessionView } from './session-view.js';
import type { ServerEvent } from './sse.js';
import { Timeline } from './timeline.js';

export interface SessionDependencies {
  readonly client: CloudClient;
  readonly history: HistoryKeeper;
  readonly clock: Clock;
  readonly random: Random;
  /** Shared with the client; without it a page that was hidden waits for its next attempt. */
  readonly liveness?: Liveness;
}

const FIRST_PAGE_RECORDS = 60;
const OLDER_PAGE_RECORDS = 100;
/** Least time between two requests for claims that a record of an unknown camera causes. */
const CLAIM_REQUEST_INTERVAL_MS = 2000;
const RETRY_FIRST_MS = 1000;
const RETRY_MAX_MS = 30_000;

/** What a page of a camera's history brought: the lowest and highest seq of its verified records. */
interface Page {
  readonly lowest: number | null;
  readonly highest: number | null;
  readonly hasRefused: boolean;
}

/**
 * Keeps the page's view of all cameras an owner may see up to date: first pages of records, then the live stream, with
 * reconnects. Every record passes the {@link HistoryKeeper} before it reaches the view.
 */
export class OwnerSession {
  readonly answers = new Answers();
  private readonly deps: SessionDependencies;
  private readonly alarms: Alarms;
  private readonly timeline = new Timeline();
  private readonly cameras = new Map<string, CameraState>();
  private readonly listeners = new Set<(view: SessionView) => void>();
  private connection: SessionView['connection'] = 'connecting';
  private problem: SessionView['problem'] = null;
  private notice: string | null = null;
  private isLoaded = false;
  /** The highest record id seen, from which the stream continues. */
  private lastId: number | null = null;
  private claimsRequestedAtMs = -Infinity;

  constructor(deps: SessionDependencies) {
    this.deps = deps;
    this.alarms = new Alarms(deps.client, deps.clock);
  }

  /** Calls `listener` with every new view. Returns the function that ends the subscription. */
  subscribe(listener: (view: SessionView) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /** Returns what the page shows now. */
  view(): SessionView {
    const { history } = this.deps;
    return {
      connection: this.connection,
      problem: this.problem,
      notice: this.notice,
      isLoaded: this.isLoaded,
      cameras: [...this.cameras.values()].map((camera) => cameraViewOf(camera, history)),
      events: this.timeline.events((record) => history.continuityOf(record)),
      alarms: this.alarms.list(),
      invitations: history.invited(),
    };
  }

  /** Follows the live stream and reconnects until the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    const { client, clock, random, liveness } = this.deps;
    // Jitter: after an outage all open pages must not reconnect in the same second.
    const options = {
      clock,
      signal,
      firstDelayMs: RETRY_FIRST_MS,
      maxDelayMs: RETRY_MAX_MS,
      jitter: random,
      ...(liveness === undefined ? {} : { pause: liveness.pause.bind(liveness) }),
    };
    await retrying(options, async (resetDelay) => {
      try {
        // A pause is polled; the page keeps showing "Paused" instead of flickering through "Connecting".
        if (this.connection !== 'paused') this.setConnection('connecting');
        const stream = client.stream(this.lastId, signal);
        for await (const event of stream) {
          if (event.event === 'ready') {
            this.notice = null;
            await this.refresh();
            this.setConnection('live');
            resetDelay();
          } else {
            await this.applyServerEvent(event);
          }
        }
        this.setConnection('offline');
      } catch (error) {
        if (isAborted(signal)) return null;
        const { code, message, hint } = asSealcamError(error);
        this.setConnection(code === 'reads-paused' ? 'paused' : 'offline', { code, message, hint });
      }
      return null;
    });
  }

  /** Fetches all cameras and their newest records. */
  async refresh(): Promise<void> {
    await this.fetchCameras(true);
    this.isLoaded = true;
    this.notifyListeners();
  }

  /** Fetches one more page of older records of every camera. */
  async loadOlder(): Promise<void> {
    for (const camera of this.cameras.values()) {
      if (!hasOlder(camera) || camera.lowestSeq === null) continue;
      const { lowest } = await this.fetchPage(camera, camera.lowestSeq, OLDER_PAGE_RECORDS);
      camera.isExhausted = lowest === null;
    }
    this.notifyListeners();
  }

  /** Marks a picture that the cloud does not have. */
  markPictureMissing(mediaId: Uint8Array): void {
    this.timeline.markMissing(mediaId);
    this.notifyListeners();
  }

  /** Raises the alarm for a picture that differs from what the record names or that does not open. */
  refusePicture(message: string, code: string, about: EpochName): void {
    this.alarms.raise({ verdict: 'malformed', code, message, about });
    this.notifyListeners();
  }

  private async applyServerEvent({ event, id, data }: ServerEvent): Promise<void> {
    if (event === 'record') {
      const item = recordItem.parse(JSON.parse(data));
      await this.applyRecordItem(item);
      this.lastId = Math.max(this.lastId ?? 0, item.id);
    } else if (event === 'camera') {
      await this.applyPushedCamera(cameraItem.parse(JSON.parse(data)));
    } else if (event === 'notice') {
      const { notice } = noticeEvent.parse(JSON.parse(data));
      // The stream does not repeat what was held back during the pause.
      if (this.notice !== null && notice === null) await this.refresh();
      this.notice = notice;
    } else if (event === 'paused') {
      const { message, hint } = pausedEvent.parse(JSON.parse(data));
      throw new SealcamError('reads-paused', message, { hint });
    }
    if (id !== null && Number.isSafeInteger(Number(id))) this.lastId = Math.max(this.lastId ?? 0, Number(id));
    this.notifyListeners();
  }

  private async fetchCameras(withPage: boolean): Promise<void> {
    // The heads from before the request: records that arrive while the cloud answers need not be in its answer.
    const heads = this.deps.history.heads();
    for (const item of await this.deps.client.cameras()) await this.applyCamera(item, withPage, heads);
  }

  /**
   * A pushed item may be older than a page that arrived meanwhile, so an item behind our head proves nothing. Only the
   * answer to a request shows whether records are withheld.
   */
  private async applyPushedCamera(item: CameraItem): Promise<void> {
    const heads = this.deps.history.heads();
    const headSeq = this.deps.history.headOf(item.device, item.epoch)?.seq ?? -1;
    if (headSeq > (item.highestSeq ?? -1)) await this.fetchCameras(false);
    else await this.applyCamera(item, false, heads);
  }

  private async applyCamera(item: CameraItem, withPage: boolean, heads: ReadonlyMap<string, number>): Promise<void> {
    const { history } = this.deps;
    const key = epochKey(item.device, item.epoch);
    try {
      await history.addClaim(item.claim);
      history.checkHead(item.device, item.epoch, item.highestSeq, heads);
    } catch (error) {
      const { code, message } = asSealcamError(error);
      if (code === 'household-unknown') return;
      const about = { device: toHex(item.device), epoch: item.epoch };
      this.alarms.raise({ verdict: code === 'cloud-lied' ? 'older-history' : 'foreign', code, message, about });
      return;
    }
    const known = this.cameras.get(key);
    const camera = known ?? newCameraState(item);
    camera.item = item;
    this.cameras.set(key, camera);
    if (item.health !== null) await this.applyHealthRecord(camera, item.health, item.lastReceivedAtMs ?? 0);
    if (withPage || known === undefined) await this.catchUp(camera, heads.get(key) ?? null);
  }

  /**
   * Fetches the newest page, then older ones until they meet the records loaded before. `head` is the seq up to which this
   * device had verified records before it asked.
   */
  private async catchUp(camera: CameraState, head: number | null): Promise<void> {
    const loadedUpTo = camera.highestSeq;
    camera.isExhausted = false;
    const newest = await this.fetchPage(camera, null, FIRST_PAGE_RECORDS);
    this.checkNewest(camera, newest, head);
    let { lowest } = newest;
    while (loadedUpTo !== null && lowest !== null && lowest > loadedUpTo + 1) {
      const { lowest: next } = await this.fetchPage(camera, lowest, OLDER_PAGE_RECORDS);
      if (next === null || next >= lowest) return;
      lowest = next;
    }
  }

  /**
   * Raises the alarm where the newest page ends before the record that this device saw last, whatever number the cloud
   * names. A page with a refused record has its own alarm, and where the cloud keeps nothing, retention deleted it: only a
   * floor that the cloud signs could tell that from withholding.
   */
  private checkNewest({ item, lowestAvailable }: CameraState, newest: Page, head: number | null): void {
    if (head === null || lowestAvailable === null || newest.hasRefused || (newest.highest ?? -1) >= head) return;
    const message = `the cloud's newest record is ${String(newest.highest)}, but ${String(head)} was seen here`;
    const about = { device: toHex(item.device), epoch: item.epoch };
    this.alarms.raise({ verdict: 'older-history', code: 'cloud-lied', message, about });
  }

  /** Fetches the records below `before`. */
  private async fetchPage(camera: CameraState, before: number | null, limit: number): Promise<Page> {
    const { client } = this.deps;
    const seqs: number[] = [];
    const { device, epoch } = camera.item;
    const answer = await client.records(device, epoch, before, limit);
    camera.lowestAvailable = answer.lowestSeq;
    for (const item of answer.records) {
      const verified = await this.applyRecordItem(item);
      if (verified === null) continue;
      seqs.push(verified.record.value.seq);
      applyPageRecord(camera, verified);
      this.lastId = Math.max(this.lastId ?? 0, item.id);
    }
    const hasRefused = seqs.length < answer.records.length;
    if (seqs.length === 0) return { lowest: null, highest: null, hasRefused };
    return { lowest: Math.min(...seqs), highest: Math.max(...seqs), hasRefused };
  }

  private async applyRecordItem({ record, receivedAtMs, media }: RecordItem): Promise<VerifiedRecord | null> {
    const { history } = this.deps;
    let outcome = await history.verifyAndApply(record, receivedAtMs);
    // Another browser of this owner may have claimed the camera a moment ago.
    if ('verdict' in outcome && outcome.code === 'claim-unknown' && (await this.fetchClaims())) {
      outcome = await history.verifyAndApply(record, receivedAtMs);
    }
    if ('verdict' in outcome) {
      if (outcome.code !== 'household-unknown') this.alarms.raise(outcome);
      return null;
    }
    const { value } = outcome.record;
    this.timeline.add(outcome);
    this.answers.addAnswer(value);
    for (const { id, available } of media) if (!available) this.timeline.markMissing(id);
    const camera = this.cameras.get(epochKey(value.device, value.epoch));
    if (camera === undefined) return outcome;
    camera.highestSeq = Math.max(camera.highestSeq ?? 0, value.seq);
    applyWord(camera, outcome);
    applyHealthReport(camera, value, receivedAtMs);
    return outcome;
  }

  /** Fetches claims, but not again within the interval: a cloud that sends records of unknown cameras costs little. */
  private async fetchClaims(): Promise<boolean> {
    const nowMs = this.deps.clock.monotonicMs();
    if (nowMs - this.claimsRequestedAtMs < CLAIM_REQUEST_INTERVAL_MS) return false;
    this.claimsRequestedAtMs = nowMs;
    await this.fetchCameras(false);
    return true;
  }

  private async applyHealthRecord(camera: CameraState, bytes: Uint8Array, receivedAtMs: number): Promise<void> {
    const outcome = await this.deps.history.verifyAndApply(bytes, receivedAtMs);
    if ('verdict' in outcome) {
      this.alarms.raise(outcome);
      return;
    }
    applyWord(camera, outcome);
    applyHealthReport(camera, outcome.record.value, receivedAtMs);
  }

  private setConnection(connection: SessionView['connection'], problem: SessionView['problem'] = null): void {
    this.connection = connection;
    if (connection !== 'connecting' || problem !== null) this.problem = problem;
    this.notifyListeners();
  }

  private notifyListeners(): void {
    const view = this.view();
    for (const listener of [...this.listeners]) listener(view);
  }
}
