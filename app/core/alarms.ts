import type { Clock } from '../../common/clock.js';
import type { CloudClient } from './cloud-client.js';
import type { AlarmReport } from './cloud-requests.js';
import type { EpochName, Refusal } from './history-keeper.js';

/** Something the cloud sent that contradicts what is signed. The page shows the alarm, never the thing itself. */
export interface Alarm {
  /** Unique on this page. */
  readonly id: number;
  /** Wall clock of this device, UTC. */
  readonly atMs: number;
  readonly verdict: Refusal['verdict'] | 'older-history';
  readonly code: string;
  readonly message: string;
  /** The ownership it concerns; null if that cannot be read. */
  readonly about: EpochName | null;
}

/** Alarms over what is not there, rather than over what the cloud sent. */
const WITHHELD: readonly Alarm['verdict'][] = ['older-history', 'gap', 'pending'];

/** Returns whether the cloud holds back what the cameras signed. Other alarms are over what it sent instead. */
export function isWithheld({ verdict }: Alarm): boolean {
  return WITHHELD.includes(verdict);
}

/** Returns whether a camera's own history holds a look that no member ordered. It is the camera that this accuses, and not the cloud. */
export function isUnorderedLook({ code }: Alarm): boolean {
  return code === 'command-refused';
}

export interface AlarmCause {
  readonly verdict: Alarm['verdict'];
  readonly code: string;
  readonly message: string;
  /** The ownership it concerns; null if that cannot be read. */
  readonly about: EpochName | null;
}

const ALARMS_MAX = 50;
/** Limit on reports to the operator in a page's life, whatever the cloud sends. */
const REPORTS_MAX = 100;

/** Collects alarms for the owner, each once, and reports them to the operator, each once. */
export class Alarms {
  private readonly client: CloudClient;
  private readonly clock: Clock;
  private readonly alarms: Alarm[] = [];
  private readonly reported = new Set<string>();
  private raised = 0;

  constructor(client: CloudClient, clock: Clock) {
    this.client = client;
    this.clock = clock;
  }

  /** Returns the newest alarms, oldest first. */
  list(): readonly Alarm[] {
    return this.alarms;
  }

  /** Adds an alarm and reports it, unless the same one is known. */
  raise({ verdict, code, message, about }: AlarmCause): void {
    this.report({ verdict, code, device: about?.device ?? null, epoch: about?.epoch ?? null });
    const key = nameOf({ verdict, message, about });
    if (this.alarms.some((known) => nameOf(known) === key)) return;
    this.alarms.push({ id: ++this.raised, atMs: this.clock.wallMs(), verdict, code, message, about });
    if (this.alarms.length > ALARMS_MAX) this.alarms.shift();
  }

  private report(report: AlarmReport): void {
    const key = JSON.stringify(report);
    if (this.reported.has(key) || this.reported.size >= REPORTS_MAX) return;
    this.reported.add(key);
    // A cloud that refuses the report changes nothing for the owner, who sees the alarm on the page.
    this.client.reportAlarm(report).catch(() => undefined);
  }
}

function nameOf({ verdict, message, about }: Pick<Alarm, 'verdict' | 'message' | 'about'>): string {
  return JSON.stringify([verdict, message, about?.device, about?.epoch]);
}
