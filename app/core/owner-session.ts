import { isAborted } from '../../common/abort.js';
import { toHex } from '../../common/bytes.js';
import { sleep, type Clock } from '../../common/clock.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import type { Random } from '../../common/random.js';
import type { RecordHealth, RecordTime } from '../../protocol/objects/record.js';
import type { Recipient } from '../../protocol/objects/claim.js';
import { Answers } from './answers.js';
import { cameraItem, noticeEvent, pausedEvent, recordItem, type CameraItem, type RecordItem } from './cloud-answers.js';
import type { CloudClient } from './cloud-client.js';
import type { EpochName, HistoryKeeper, Invitation, Refusal, VerifiedRecord } from './history-keeper.js';
import type { ServerEvent } from './sse.js';
import { Timeline, type TimelineEvent } from './timeline.js';
import { epochKey } from '../../protocol/objects/ids.js';

/** One camera as the page shows it. What is signed was verified; `isOnline` is a hint of the broker. */
export interface CameraView {
  readonly device: string;
  readonly epoch: number;
  readonly isOnline: boolean | null;
  readonly isSilent: boolean;
  readonly lastReceivedAtMs: number | null;
  readonly health: { readonly body: RecordHealth; readonly time: RecordTime } | null;
  readonly hasOlder: boolean;
  /** Ours, or of a household we belong to. */
  readonly isOwned: boolean;
  /** This ownership is over; what was recorded under it stays. */
  readonly hasEnded: boolean;
  readonly members: readonly Recipient[];
}

/** Something the cloud sent that contradicts what is signed; nothing of it is shown. */
export interface Alarm {
  readonly id: number;
  readonly atMs: number;
  readonly verdict: Refusal['verdict'] | 'older-history';
  readonly message: string;
}

export interface SessionView {
  /** `paused`: the operator shows nothing to anybody, or to this account; what was verified before stays. */
  readonly connection: 'connecting' | 'live' | 'offline' | 'paused';
  readonly problem: { readonly code: string; readonly message: string; readonly hint: string } | null;
  /** The operator's sentence while cameras of another account are paused. */
  readonly notice: string | null;
  readonly isLoaded: boolean;
  readonly cameras: readonly CameraView[];
  readonly events: readonly TimelineEvent[];
  readonly alarms: readonly Alarm[];
  readonly invitations: readonly Invitation[];
}

export interface SessionDependencies {
  readonly client: CloudClient;
  readonly history: HistoryKeeper;
  readonly clock: Clock;
  readonly random: Random;
}

const FIRST_PAGE = 60;
const OLDER_PAGE = 100;
const ALARMS_MAX = 50;
const CLAIMS_EVERY_MS = 2000;
/** A page says no more than this to the cloud, whatever it is sent. */
const REPORTS_MAX = 100;
const RETRY_FIRST_MS = 1000;
const RETRY_MAX_MS = 30_000;

interface CameraState {
  item: CameraItem;
  lowestSeq: number | null;
  highestSeq: number | null;
  lowestAvailable: number | null;
  health: CameraView['health'];
}

/**
 * Follows everything an owner may see: pages first, then the live stream, again and again as the network allows.
 * Every record goes through the {@link HistoryKeeper} before it becomes a part of the view.
 */
export class OwnerSession {
  private readonly deps: SessionDependencies;
  readonly answers = new Answers();
  private readonly timeline = new Timeline();
  private readonly cameras = new Map<string, CameraState>();
  private readonly listeners = new Set<(view: SessionView) => void>();
  private readonly alarms: Alarm[] = [];
  private readonly reported = new Set<string>();
  private connection: SessionView['connection'] = 'connecting';
  private problem: SessionView['problem'] = null;
  private notice: string | null = null;
  private isLoaded = false;
  private lastId: number | null = null;
  private askedForClaimsMs = -Infinity;

  constructor(deps: SessionDependencies) {
    this.deps = deps;
  }

  subscribe(listener: (view: SessionView) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  view(): SessionView {
    const { history } = this.deps;
    return {
      connection: this.connection,
      problem: this.problem,
      notice: this.notice,
      isLoaded: this.isLoaded,
      cameras: [...this.cameras.values()].map((camera) => this.cameraView(camera)),
      events: this.timeline.events((record) => history.continuityOf(record)),
      alarms: this.alarms,
      invitations: history.invited(),
    };
  }

  get isLive(): boolean {
    return this.connection === 'live';
  }

  /** Runs until the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    const { client, clock, random } = this.deps;
    let retryMs = RETRY_FIRST_MS;
    while (!signal.aborted) {
      try {
        // A pause is looked at again and again; it would be no help to say so each time.
        if (this.connection !== 'paused') this.setConnection('connecting');
        const stream = client.stream(this.lastId, signal);
        for await (const event of stream) {
          if (event.event === 'ready') {
            this.notice = null;
            await this.refresh();
            this.setConnection('live');
            retryMs = RETRY_FIRST_MS;
          } else {
            await this.event(event);
          }
        }
        this.setConnection('offline');
      } catch (error) {
        if (isAborted(signal)) return;
        const { code, message, hint } = asSealcamError(error);
        this.setConnection(code === 'reads-paused' ? 'paused' : 'offline', { code, message, hint });
      }
      // A whole city of pages must not come back in one second either.
      await sleep(clock, retryMs * (0.5 + random.uniform()), signal);
      retryMs = Math.min(RETRY_MAX_MS, retryMs * 2);
    }
  }

  /** Cameras and their newest records. */
  async refresh(): Promise<void> {
    await this.askForCameras(true);
    this.isLoaded = true;
    this.changed();
  }

  /** One more page of the past of every camera. */
  async loadOlder(): Promise<void> {
    for (const camera of this.cameras.values()) {
      if (!hasOlder(camera) || camera.lowestSeq === null) continue;
      await this.page(camera, camera.lowestSeq, OLDER_PAGE);
    }
    this.changed();
  }

  pictureMissing(mediaId: Uint8Array): void {
    this.timeline.markMissing(mediaId);
    this.changed();
  }

  /** A picture that was not what the record names, or could not be opened. */
  pictureRefused(message: string, code: string, about: EpochName): void {
    this.alarm('malformed', message, code, about);
    this.changed();
  }

  private async event({ event, id, data }: ServerEvent): Promise<void> {
    if (event === 'record') {
      const item = recordItem.parse(JSON.parse(data));
      await this.applyRecordItem(item);
      this.lastId = Math.max(this.lastId ?? 0, item.id);
    } else if (event === 'camera') {
      await this.applyCameraItem(cameraItem.parse(JSON.parse(data)));
    } else if (event === 'notice') {
      const { notice } = noticeEvent.parse(JSON.parse(data));
      // What was held back meanwhile is not in the stream.
      if (this.notice !== null && notice === null) await this.refresh();
      this.notice = notice;
    } else if (event === 'paused') {
      const { message, hint } = pausedEvent.parse(JSON.parse(data));
      throw new SealcamError('reads-paused', message, { hint });
    }
    if (id !== null && Number.isSafeInteger(Number(id))) this.lastId = Math.max(this.lastId ?? 0, Number(id));
    this.changed();
  }

  /** What came while the cloud answered is not in its answer: it must show what was seen before it was asked. */
  private async askForCameras(withPage: boolean): Promise<void> {
    const heads = this.deps.history.heads();
    for (const item of await this.deps.client.cameras()) await this.camera(item, withPage, heads);
  }

  /** A page may have brought newer records than this had when it was sent; only an answer shows that some are withheld. */
  private async applyCameraItem(item: CameraItem): Promise<void> {
    const heads = this.deps.history.heads();
    const head = this.deps.history.headOf(item.device, item.epoch)?.seq ?? -1;
    await (head > (item.highestSeq ?? -1) ? this.askForCameras(false) : this.camera(item, false, heads));
  }

  private async camera(item: CameraItem, withPage: boolean, heads: ReadonlyMap<string, number>): Promise<void> {
    const { history } = this.deps;
    const key = epochKey(item.device, item.epoch);
    try {
      await history.addClaim(item.claim);
      history.checkHead(item.device, item.epoch, item.highestSeq, heads);
    } catch (error) {
      const { code, message } = asSealcamError(error);
      if (code === 'household-unknown') return;
      const about = { device: toHex(item.device), epoch: item.epoch };
      this.alarm(code === 'cloud-lied' ? 'older-history' : 'foreign', message, code, about);
      return;
    }
    const known = this.cameras.get(key);
    const camera = known ?? { item, lowestSeq: null, highestSeq: null, lowestAvailable: null, health: null };
    camera.item = item;
    this.cameras.set(key, camera);
    if (item.health !== null) await this.applyHealth(camera, item.health, item.lastReceivedAtMs ?? 0);
    if (withPage || known === undefined) await this.catchUp(camera);
  }

  /** The newest page, and on until it meets what is here already. */
  private async catchUp(camera: CameraState): Promise<void> {
    const seenUpTo = camera.highestSeq;
    let lowest = await this.page(camera, null, FIRST_PAGE);
    while (seenUpTo !== null && lowest !== null && lowest > seenUpTo + 1) {
      const next = await this.page(camera, lowest, OLDER_PAGE);
      if (next === null || next >= lowest) return;
      lowest = next;
    }
  }

  /** Takes a page and returns the lowest seq of it; null if it is empty. */
  private async page(camera: CameraState, before: number | null, limit: number): Promise<number | null> {
    const { client } = this.deps;
    let lowest: number | null = null;
    const { device, epoch } = camera.item;
    const answer = await client.records(device, epoch, before, limit);
    camera.lowestAvailable = answer.lowestSeq;
    for (const item of answer.records) {
      const taken = await this.applyRecordItem(item);
      if (taken === null) continue;
      const { seq } = taken.record.value;
      lowest = Math.min(lowest ?? seq, seq);
      camera.lowestSeq = Math.min(camera.lowestSeq ?? seq, seq);
      this.lastId = Math.max(this.lastId ?? 0, item.id);
    }
    return lowest;
  }

  private async applyRecordItem({ record, receivedAtMs, media }: RecordItem): Promise<VerifiedRecord | null> {
    let taken = await this.deps.history.verifyAndApply(record, receivedAtMs);
    if ('verdict' in taken && taken.code === 'claim-unknown' && (await this.askForClaims())) {
      taken = await this.deps.history.verifyAndApply(record, receivedAtMs);
    }
    if ('verdict' in taken) {
      if (taken.code !== 'household-unknown') this.alarm(taken.verdict, taken.message, taken.code, taken.about);
      return null;
    }
    this.timeline.add(taken);
    this.answers.addAnswer(taken.record.value);
    for (const { id, available } of media) if (!available) this.timeline.markMissing(id);
    const { health, time, device, epoch, seq } = taken.record.value;
    const camera = this.cameras.get(epochKey(device, epoch));
    if (camera === undefined) return taken;
    camera.highestSeq = Math.max(camera.highestSeq ?? 0, seq);
    if (health !== undefined) camera.health = newer(camera.health, { body: health, time });
    return taken;
  }

  /** Another browser of this owner may have claimed a moment ago. Asked no more often than a cloud could make us ask for nothing. */
  private async askForClaims(): Promise<boolean> {
    const nowMs = this.deps.clock.monotonicMs();
    if (nowMs - this.askedForClaimsMs < CLAIMS_EVERY_MS) return false;
    this.askedForClaimsMs = nowMs;
    await this.askForCameras(false);
    return true;
  }

  private async applyHealth(camera: CameraState, bytes: Uint8Array, receivedAtMs: number): Promise<void> {
    const taken = await this.deps.history.verifyAndApply(bytes, receivedAtMs);
    if ('verdict' in taken) this.alarm(taken.verdict, taken.message, taken.code, taken.about);
    else if (taken.record.value.health !== undefined) {
      const { health, time } = taken.record.value;
      camera.health = newer(camera.health, { body: health, time });
    }
  }

  private cameraView(camera: CameraState): CameraView {
    const { item, health } = camera;
    const { history } = this.deps;
    const claim = history.claimOf(item.device, item.epoch);
    return {
      device: toHex(item.device),
      epoch: item.epoch,
      isOnline: item.online,
      isSilent: item.incomplete,
      lastReceivedAtMs: item.lastReceivedAtMs,
      health,
      hasOlder: hasOlder(camera),
      isOwned: history.isOwned(item.device, item.epoch),
      hasEnded: item.state === 'closed' || history.hasEnded(item.device, item.epoch),
      members: claim?.value.recipients ?? [],
    };
  }

  private alarm(verdict: Alarm['verdict'], message: string, code: string, about: EpochName | null): void {
    this.report(verdict, code, about);
    if (this.alarms.some((known) => known.verdict === verdict && known.message === message)) return;
    this.alarms.push({ id: this.alarms.length + 1, atMs: this.deps.clock.wallMs(), verdict, message });
    if (this.alarms.length > ALARMS_MAX) this.alarms.shift();
  }

  /** Once for each thing. A cloud that does not want to know changes nothing here. */
  private report(verdict: Alarm['verdict'], code: string, about: EpochName | null): void {
    const report = { verdict, code, device: about?.device ?? null, epoch: about?.epoch ?? null };
    const key = JSON.stringify(report);
    if (this.reported.has(key) || this.reported.size >= REPORTS_MAX) return;
    this.reported.add(key);
    this.deps.client.reportAlarm(report).catch(() => undefined);
  }

  private setConnection(connection: SessionView['connection'], problem: SessionView['problem'] = null): void {
    this.connection = connection;
    if (connection !== 'connecting' || problem !== null) this.problem = problem;
    this.changed();
  }

  private changed(): void {
    const view = this.view();
    for (const listener of [...this.listeners]) listener(view);
  }
}

function hasOlder({ lowestSeq, lowestAvailable }: CameraState): boolean {
  return lowestSeq !== null && lowestAvailable !== null && lowestSeq > lowestAvailable;
}

function newer(a: CameraView['health'], b: NonNullable<CameraView['health']>): CameraView['health'] {
  if (a === null) return b;
  const isSameBoot = toHex(a.time.boot) === toHex(b.time.boot);
  if (isSameBoot) return b.time.monotonicMs >= a.time.monotonicMs ? b : a;
  return (b.time.wallMs ?? 0) >= (a.time.wallMs ?? 0) ? b : a;
}
