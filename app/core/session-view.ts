import type { AnyRecord, RecordTime } from '../../protocol/objects/record.js';
import type { Alarm } from './alarms.js';
import type { HistoryMark } from './camera-log.js';
import type { Invitation } from './households.js';
import type { MemberKeys } from './member-keys.js';
import type { TimelineEvent } from './timeline.js';

/** A camera's verified report of itself. */
export interface HealthReport {
  readonly body: NonNullable<AnyRecord['health']>;
  readonly seq: number;
  readonly clockQuality: RecordTime['quality'];
  /** UTC by the camera's clock; null while it was never set, and where it cannot be right. */
  readonly reportedAtMs: number | null;
}

/**
 * One camera as the page shows it. Health, members, ownership, `lastWordMs` and `hasEnded` were verified here; `isListed`,
 * `isOnline`, `isReportedSilent`, `isReportedEnded` and `hasOlder` are what the cloud reports, which can only make it worse.
 */
export interface CameraView {
  /** Hex of the device id. */
  readonly device: string;
  readonly epoch: number;
  /** False for a camera that this device knows and the cloud does not name. */
  readonly isListed: boolean;
  /** UTC at which its owner signed that all of it was deleted; null where nobody did, and while the cloud names it. */
  readonly deletedAtMs: number | null;
  /** Null if the broker gives no hint. */
  readonly isOnline: boolean | null;
  /** Whether the camera has sent nothing for longer than its health cadence allows, as the cloud says. */
  readonly isReportedSilent: boolean;
  /** Whether the cloud says that this ownership is over, and no record of the camera does. */
  readonly isReportedEnded: boolean;
  /** UTC of the newest verified record; null before the first. */
  readonly lastWordMs: number | null;
  /** The newest health report; null before the first. */
  readonly health: HealthReport | null;
  /** Whether the cloud has records older than those loaded. */
  readonly hasOlder: boolean;
  /** UTC of the oldest record loaded page by page: everything after it is here. Null before the first page. */
  readonly loadedFromMs: number | null;
  /** Whether this browser has the root key: false for one that another household shares, and in the owner's further browsers. */
  readonly isOwned: boolean;
  /** Whether this browser may give orders: one of the owner's, with the root key or without. */
  readonly mayOrder: boolean;
  /** Whether this browser may look: one that a claim of version 2 names, also a member's. */
  readonly mayLook: boolean;
  /** Whether this ownership is over. What was recorded under it stays visible. */
  readonly hasEnded: boolean;
  /** The owner first. */
  readonly members: readonly MemberKeys[];
  /** Whether the camera could make records of version 2 and its ownership is of version 1: the cloud may be hiding version 2. */
  readonly isVersionHidden: boolean;
}

/** Everything the page shows of an owner's session. */
export interface SessionView {
  /** `paused`: the operator has paused reading for all accounts or this one. Records verified before remain visible. */
  readonly connection: 'connecting' | 'live' | 'offline' | 'paused';
  readonly problem: { readonly code: string; readonly message: string; readonly hint: string } | null;
  /** The operator's message while cameras of another account are paused. */
  readonly notice: string | null;
  /** Whether the list of cameras arrived at least once. */
  readonly isLoaded: boolean;
  readonly cameras: readonly CameraView[];
  /** Newest first. */
  readonly events: readonly TimelineEvent[];
  /** Places of the cameras' histories without a record that may be shown, newest first. */
  readonly marks: readonly HistoryMark[];
  readonly alarms: readonly Alarm[];
  readonly invitations: readonly Invitation[];
}
