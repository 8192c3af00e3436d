import { isAborted } from '../../common/abort.js';
import { fromHex, toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import type { Random } from '../../common/random.js';
import { retrying } from '../../common/retry.js';
import * as v from '../../common/schema.js';
import { epochKey, HASH_BYTES } from '../../protocol/objects/ids.js';
import { Alarms, type AlarmCause } from './alarms.js';
import { Answers } from './answers.js';
import {
  applyHealthReport,
  applyWord,
  cameraViewOf,
  marksOf,
  mustAsk,
  newCameraState,
  type CameraState,
} from './camera-state.js';
import type { HistoryMark } from './camera-log.js';
import { CameraPages } from './camera-pages.js';
import {
  cameraItem,
  noticeEvent,
  pausedEvent,
  recordItem,
  type CameraItem,
  type FirstAnswer,
  type RecordItem,
  type RecordsAnswer,
} from './cloud-answers.js';
import type { CloudClient } from './cloud-client.js';
import type { EpochName, HistoryKeeper, VerifiedRecord } from './history-keeper.js';
import type { Liveness } from './liveness.js';
import type { HouseholdHeads } from './household-heads.js';
import { Looks } from './looks.js';
import { raiseMarks } from './mark-alarms.js';
import { believableMs } from './plausible-time.js';
import type { SessionView } from './session-view.js';
import type { ServerEvent } from './sse.js';
import type { KnownEpoch } from './storage.js';
import { Timeline } from './timeline.js';

export interface SessionDependencies {
  readonly client: CloudClient;
  readonly history: HistoryKeeper;
  readonly clock: Clock;
  readonly random: Random;
  /** Shared with the client; without it a page that was hidden waits for its next attempt. */
  readonly liveness?: Liveness;
  /** Omitted by tools that watch for a moment and share nothing with a household. */
  readonly household?: HouseholdHeads;
}

/** Least time between two requests for claims that a record of an unknown camera causes. */
const CLAIM_REQUEST_INTERVAL_MS = 2000;
const RETRY_FIRST_MS = 1000;
const RETRY_MAX_MS = 30_000;

/**
 * Keeps the page's view of all cameras an owner may see up to date: first pages of records, then the live stream, with
 * reconnects. Every record passes the {@link HistoryKeeper} before it reaches the view.
 */
export class OwnerSession {
  readonly answers = new Answers();
  readonly looks = new Looks();
  private readonly deps: SessionDependencies;
  private readonly alarms: Alarms;
  private readonly timeline = new Timeline();
  private readonly cameras = new Map<string, CameraState>();
  private readonly pages: CameraPages;
  private marks: readonly HistoryMark[] = [];
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
    const { client, history, clock } = deps;
    const apply = (item: RecordItem): Promise<VerifiedRecord | null> => this.applyRecordItem(item);
    this.pages = new CameraPages({ client, history, clock, alarms: this.alarms, apply });
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
      marks: this.marks,
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
    // Only at first: what the page shows of a connection that was lost holds until the next one is there.
    this.setConnection('connecting');
    await retrying(options, async (resetDelay) => {
      try {
        client.acceptHouseholds(this.deps.history.acceptedAccounts());
        // What the stream repeats from there makes it complete.
        let isFresh = !this.isLoaded && (await this.loadFirst());
        const stream = client.stream(this.lastId, signal);
        for await (const event of stream) {
          if (event.event === 'ready') {
            this.notice = null;
            if (!isFresh) await this.refresh();
            isFresh = false;
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

  /** Fetches all cameras and their newest records, and compares them with what this device and the household verified. */
  async refresh(): Promise<void> {
    const { client, history, household } = this.deps;
    client.acceptHouseholds(history.acceptedAccounts());
    // Asked for first: what another browser verified before must be in every answer after.
    await household?.fetch();
    await this.fetchCameras(true);
    this.isLoaded = true;
    await this.shareHeads();
    this.notifyListeners();
  }

  /** Shows what came with the session. Returns false where nothing did. */
  private async loadFirst(): Promise<boolean> {
    const { client, household } = this.deps;
    const first = await client.takeFirst();
    if (first === null) return false;
    household?.read(first.heads);
    await this.applyList(first.cameras, true);
    this.lastId = first.newestId;
    this.isLoaded = true;
    await this.shareHeads();
    this.notifyListeners();
    return true;
  }

  /** Fetches one more page of older records of a camera (hex of its device id), or of every camera. */
  async loadOlder(device: string | null = null): Promise<void> {
    const isChosen = (camera: CameraState): boolean => device === null || toHex(camera.device) === device;
    await Promise.all([...this.cameras.values()].filter(isChosen).map((camera) => this.pages.loadOlder(camera)));
    this.notifyListeners();
  }

  /** Marks a picture that the cloud does not have. */
  markPictureMissing(mediaId: Uint8Array): void {
    this.timeline.markMissing(mediaId);
    this.notifyListeners();
  }

  /** Raises the alarm for a picture that differs from what the record names or that does not open. */
  refusePicture(message: string, code: string, about: EpochName): void {
    this.raise({ verdict: 'malformed', code, message, about });
  }

  /** Raises an alarm over what another part of the page found. */
  raise(cause: AlarmCause): void {
    this.alarms.raise(cause);
    this.notifyListeners();
  }

  private async applyServerEvent({ event, id, data }: ServerEvent): Promise<void> {
    if (event === 'record') {
      const item = v.parse(recordItem, JSON.parse(data));
      await this.applyRecordItem(item);
      this.lastId = Math.max(this.lastId ?? 0, item.id);
    } else if (event === 'camera') {
      await this.applyPushedCamera(v.parse(cameraItem, JSON.parse(data)));
    } else if (event === 'notice') {
      const { notice } = v.parse(noticeEvent, JSON.parse(data));
      // The stream does not repeat what was held back during the pause.
      if (this.notice !== null && notice === null) await this.refresh();
      this.notice = notice;
    } else if (event === 'paused') {
      const { message, hint } = v.parse(pausedEvent, JSON.parse(data));
      throw new SealcamError('reads-paused', message, { hint });
    }
    for (const camera of this.cameras.values()) {
      if (mustAsk(camera, this.deps.history)) await this.pages.catchUp(camera, null);
    }
    if (this.deps.household?.isDue === true) {
      await this.deps.household.fetch();
      await this.shareHeads();
    }
    if (id !== null && Number.isSafeInteger(Number(id))) this.lastId = Math.max(this.lastId ?? 0, Number(id));
    this.notifyListeners();
  }

  private async shareHeads(): Promise<void> {
    const { household } = this.deps;
    if (household === undefined) return;
    await household.compare(this.alarms, (device, epoch) => this.cameras.get(epochKey(device, epoch)), this.pages);
    // What was compared is shown while the cloud takes this browser's own statement.
    this.notifyListeners();
    await household.publish();
  }

  private async fetchCameras(withPage: boolean): Promise<void> {
    // As they were before the request: what arrives while the cloud answers need not be in its answer.
    const known = this.deps.history.accepted();
    const items = await this.deps.client.cameras();
    await this.applyList(
      items.map((camera) => ({ camera, page: null })),
      withPage,
      known,
    );
  }

  private async applyList(
    items: FirstAnswer['cameras'],
    withPage: boolean,
    known: readonly KnownEpoch[] = this.deps.history.accepted(),
  ): Promise<void> {
    // Side by side: each waits for the cloud, and the first that is here is shown.
    await Promise.all(items.map(({ camera, page }) => this.applyCamera(camera, withPage, known, page)));
    const listed = new Set(items.map(({ camera: { device, epoch } }) => epochKey(device, epoch)));
    const missing = known.filter(({ device, epoch }) => !listed.has(epochKey(device, epoch)));
    if (missing.length > 0) await this.learnRevocations();
    for (const epoch of missing) await this.applyUnlisted(epoch);
  }

  /** Another browser of this owner may have revoked what is missing. */
  private async learnRevocations(): Promise<void> {
    const { client, history } = this.deps;
    try {
      const list = await client.revocation();
      if (list !== null) await history.addRevocations(list);
    } catch (error) {
      const { code, message } = asSealcamError(error);
      if (code !== 'cloud-unreachable' && code !== 'not-found') {
        this.alarms.raise({ verdict: 'foreign', code, message, about: null });
      }
    }
  }

  /**
   * Keeps a camera that this device knows and the cloud does not name, and raises the alarm unless its owner revoked it or
   * deleted all of it. Cameras of a household whose reading the operator paused are not named either; they stay on the page
   * without an alarm.
   */
  private async applyUnlisted({ device: hex, epoch }: KnownEpoch): Promise<void> {
    const { history } = this.deps;
    const device = fromHex(hex, HASH_BYTES);
    if (device === undefined) return;
    const key = epochKey(device, epoch);
    const isNew = !this.cameras.has(key);
    const camera = this.cameras.get(key) ?? newCameraState(device, epoch);
    camera.item = null;
    // Of a revoked one, what was loaded before stays on the page.
    if (isNew && history.hasEnded(device, epoch)) return;
    this.cameras.set(key, camera);
    if (history.hasEnded(device, epoch) || (this.notice !== null && !history.isOwned(device, epoch))) return;
    camera.deletedAtMs = await this.pages.deletedAtMs(camera);
    if (camera.deletedAtMs !== null) return;
    const message = `the cloud no longer names this camera in epoch ${String(epoch)}`;
    this.alarms.raise({ verdict: 'older-history', code: 'camera-unlisted', message, about: { device: hex, epoch } });
  }

  /**
   * A pushed item may be older than a page that arrived meanwhile, so an item behind our head proves nothing. Only the
   * answer to a request shows whether records are withheld.
   */
  private async applyPushedCamera(item: CameraItem): Promise<void> {
    const headSeq = this.deps.history.headOf(item.device, item.epoch)?.seq ?? -1;
    await this.applyCamera(item, headSeq > (item.highestSeq ?? -1), this.deps.history.accepted());
  }

  private async applyCamera(
    item: CameraItem,
    withPage: boolean,
    known: readonly KnownEpoch[],
    newest: RecordsAnswer | null = null,
  ): Promise<void> {
    const { device, epoch } = item;
    const key = epochKey(device, epoch);
    try {
      await this.deps.history.addClaim(item.claim);
    } catch (error) {
      const { code, message } = asSealcamError(error);
      if (code === 'household-unknown') return;
      // The claim was not refused: a part of the page is missing that checks it.
      if (code === 'cloud-unreachable') throw error;
      this.alarms.raise({ verdict: 'foreign', code, message, about: { device: toHex(device), epoch } });
      return;
    }
    const isNew = !this.cameras.has(key);
    const camera = this.cameras.get(key) ?? newCameraState(device, epoch);
    camera.item = item;
    this.cameras.set(key, camera);
    if (item.health !== null) await this.applyHealthRecord(camera, item.health, item.lastReceivedAtMs ?? 0);
    if (!withPage && !isNew) return;
    const head = known.find((one) => epochKey(one.device, one.epoch) === key)?.head ?? null;
    await this.pages.catchUp(camera, head, newest);
    this.notifyListeners();
  }

  private async applyRecordItem({ record, media, ...item }: RecordItem): Promise<VerifiedRecord | null> {
    const { history } = this.deps;
    const receivedAtMs = believableMs(item.receivedAtMs, this.deps.clock);
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
    this.applyLook(outcome);
    for (const { id, available } of media) if (!available) this.timeline.markMissing(id);
    const camera = this.cameras.get(epochKey(value.device, value.epoch));
    if (camera === undefined) return outcome;
    camera.log.add(outcome);
    applyWord(camera, outcome);
    applyHealthReport(camera, value, receivedAtMs);
    return outcome;
  }

  /** Who looks through a camera stands in its own history: one whom no claim names is an alarm for everybody. */
  private applyLook(verified: VerifiedRecord): void {
    const { history } = this.deps;
    const { device, epoch } = verified.record.value;
    const about = { device: toHex(device), epoch };
    for (const message of this.looks.addRecord(verified, (record) => history.lookIn(record))) {
      this.alarms.raise({ verdict: 'foreign', code: 'command-refused', message, about });
    }
  }

  /** Fetches claims, but not again within the interval: a cloud that sends records of unknown cameras costs little. */
  private async fetchClaims(): Promise<boolean> {
    const nowMs = this.deps.clock.monotonicMs();
    if (nowMs - this.claimsRequestedAtMs < CLAIM_REQUEST_INTERVAL_MS) return false;
    this.claimsRequestedAtMs = nowMs;
    await this.fetchCameras(false);
    return true;
  }

  private async applyHealthRecord(camera: CameraState, bytes: Uint8Array, receivedMs: number): Promise<void> {
    const receivedAtMs = believableMs(receivedMs, this.deps.clock);
    const outcome = await this.deps.history.verifyAndApply(bytes, receivedAtMs);
    if ('verdict' in outcome) {
      this.alarms.raise(outcome);
      camera.log.addRefused(null, receivedAtMs);
      return;
    }
    camera.log.add(outcome);
    applyWord(camera, outcome);
    applyHealthReport(camera, outcome.record.value, receivedAtMs);
  }

  private setConnection(connection: SessionView['connection'], problem: SessionView['problem'] = null): void {
    this.connection = connection;
    if (connection !== 'connecting' || problem !== null) this.problem = problem;
    this.notifyListeners();
  }

  /** Computes every mark of the histories, and raises the alarms among them: no verdict is computed that nobody sees. */
  private judge(): void {
    const nowMs = this.deps.clock.wallMs();
    const marks = [...this.cameras.values()].flatMap((camera) => marksOf(camera, this.deps.history, nowMs));
    this.marks = marks.sort((a, b) => b.atMs - a.atMs);
    raiseMarks(marks, this.alarms);
  }

  private notifyListeners(): void {
    this.judge();
    const view = this.view();
    for (const listener of [...this.listeners]) listener(view);
  }
}
