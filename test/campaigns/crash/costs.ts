import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { close } from '../../support/worlds/outbox-world.js';
import { readLog, watched, type Change } from './recorder.js';
import { runWorker } from './run.js';
import { Life } from './steps.js';
import { seededRandom } from '../../../common/seeded-random.js';
import { cameraOf, openFolder } from './world.js';
import { storeOf } from '../../support/outbox-store.js';

export interface Costs {
  /** Means for one event. */
  readonly phases: readonly {
    readonly name: string;
    readonly writes: number;
    readonly bytes: number;
    readonly syncs: number;
  }[];
  readonly opening: readonly {
    readonly records: number;
    readonly reads: number;
    readonly bytes: number;
    readonly rssMib: number;
    /** Resident memory after the same work as in every measurement: 200 events. */
    readonly workedRssMib: number;
  }[];
}

const EVENTS = 200;
const PICTURE_BYTES = 12_000;
/** Records of the full outbox. */
export const MANY_RECORDS = 100_000;
const MIB = 1024 * 1024;

/** Measures what an event costs the flash, and what opening a full outbox costs. */
export async function measureCosts(library: string, folder: string, progress: (text: string) => void): Promise<Costs> {
  progress('costs of an event …');
  const phases = await measurePhases(library, join(folder, 'events'));
  const opening = [];
  for (const records of [0, MANY_RECORDS]) {
    progress(`opening with ${String(records)} records …`);
    opening.push(await measureOpening(library, join(folder, String(records)), records));
  }
  return { phases, opening };
}

async function measurePhases(library: string, home: string): Promise<Costs['phases']> {
  mkdirSync(home, { recursive: true });
  const log = `${home}.log`;
  const costs = { events: EVENTS, pictureBytes: PICTURE_BYTES };
  await runWorker({ folder: home, seed: 1, life: 0, steps: 0, costs }, watched({ library, folder: home, log }));
  const parts = partsOf(readLog(log));
  return parts.map(([name, changes]) => {
    const writes = changes.flatMap((change) => (change.kind === 'write' ? [change.data.length] : []));
    const syncs = changes.filter(({ kind }) => kind === 'sync' || kind === 'sync-folder').length;
    const mean = (sum: number, digits = 2): number => Number((sum / EVENTS).toFixed(digits));
    return {
      name,
      writes: mean(writes.length),
      syncs: mean(syncs),
      bytes: mean(
        writes.reduce((sum, length) => sum + length, 0),
        0,
      ),
    };
  });
}

/** Splits the changes by the phases that the process reported between them. */
function partsOf(changes: readonly Change[]): [string, Change[]][] {
  const parts: [string, Change[]][] = [];
  for (const change of changes) {
    const name = change.kind === 'report' ? /"phase":"([^"]*)"/.exec(change.text)?.[1] : undefined;
    if (name !== undefined) parts.push([name, []]);
    parts.at(-1)?.[1].push(change);
  }
  return parts.slice(0, -1);
}

async function measureOpening(library: string, home: string, records: number): Promise<Costs['opening'][number]> {
  fillOutbox(home, records);
  const log = `${home}.log`;
  const costs = { events: EVENTS, pictureBytes: PICTURE_BYTES };
  const ran = await runWorker(
    { folder: home, seed: 1, life: 1, steps: 0, costs, maxBytes: 2 ** 30 },
    watched({ library, folder: home, log }),
  );
  const changes = readLog(log);
  const opened = changes.findIndex((change) => change.kind === 'report' && change.text.includes('"is":"key"'));
  const reads = changes.slice(0, opened).flatMap((change) => (change.kind === 'read' ? [change.bytes] : []));
  const memory = ran.lines.flatMap((line) => (line.is === 'phase' ? [Number((line.rss / MIB).toFixed(1))] : []));
  return {
    records,
    reads: reads.length,
    bytes: reads.reduce((sum, bytes) => sum + bytes, 0),
    rssMib: memory[0] ?? 0,
    workedRssMib: memory.at(-1) ?? 0,
  };
}

/** Fills an outbox with copies of one real record: good enough for reading and counting, and made in a second. */
function fillOutbox(folder: string, records: number): void {
  mkdirSync(folder, { recursive: true });
  const camera = cameraOf(1);
  const opened = openFolder(camera, folder, 0, 2 ** 30);
  const life = new Life({ camera, opened, random: seededRandom(1), startMs: 0, report: () => undefined });
  life.ensureOwner();
  life.append(0);
  const { outbox } = opened;
  storeOf(outbox).transaction(() => {
    const db = storeOf(outbox).queries.device.database;
    const copies = Math.max(0, records - 2);
    db.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       INSERT INTO record SELECT 1, n.i, randomblob(32), bytes, wall_ms FROM record, n WHERE seq = 1 AND ? > 0`,
    ).run(copies + 1, copies);
    db.prepare('UPDATE epoch SET head_seq = head_seq + ?, produced = produced + ?').run(copies, copies);
    db.prepare(
      'UPDATE device SET queued_records = queued_records + ?, queued_bytes = (SELECT sum(length(bytes)) FROM record)',
    ).run(copies);
  });
  close(opened);
}
