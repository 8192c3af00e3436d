import { toHex } from '../../../common/bytes.js';
import type { Outbox } from '../../../agent/outbox/outbox.js';
import type { SegmentRow } from '../../../agent/outbox/segment-queries.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { placeKey } from '../../../protocol/objects/ids.js';
import { strayBodies } from '../../support/outbox-sums.js';
import { storeOf } from '../../support/outbox-store.js';
import type { Ledger } from './ledger.js';
import type { RecordWithObjects } from './sealing.js';
import type { Line } from './world.js';

export interface ClipVerdict {
  /** Bodies that were reported as bound to a record. */
  readonly bound: number;
  /** Those that are neither here, whole, nor in the cloud, nor given up for a reason that a power cut does not give. */
  readonly lost: readonly string[];
  /** Those that were uploaded again after their media receipt. */
  readonly doubled: readonly string[];
  /** Clip records with the bodies that are here. */
  readonly queued: readonly RecordWithObjects[];
  readonly wrong: readonly string[];
}

/** Compares the bodies of clips that are left with those that were reported. Each must be somewhere, once. */
export function judgeClips(outbox: Outbox, ledger: Ledger, lines: readonly Line[]): ClipVerdict {
  const store = storeOf(outbox);
  const rows = new Map<string, SegmentRow>();
  for (const row of store.segments.queries.all.all()) rows.set(nameOf(row.epoch, toHex(row.hash)), row);
  const isWhole = (row: SegmentRow): boolean => {
    const body = store.bodies.read(row);
    return body !== null && toHex(nodeSuite.sha256(body)) === toHex(row.hash);
  };
  const open = store.queries.openEpoch.get()?.epoch ?? null;
  const gone = new Set(
    lines.flatMap((line) => (line.is === 'uploaded' || line.is === 'refused' ? [nameOf(line.epoch, line.hash)] : [])),
  );
  const rejected = new Set(lines.flatMap((line) => (line.is === 'rejected' ? [placeKey(line)] : [])));
  const lost: string[] = [];
  let bound = 0;
  for (const line of lines) {
    if (line.is !== 'bound') continue;
    bound += line.segments.length;
    const place = placeKey(line);
    // What is said of a record that left holds for its bodies.
    const hasLeft = rejected.has(place) || ledger.isRecordedLost(line.epoch, line.seq) || !ledger.known.has(place);
    const isHere = outbox.has(line);
    for (const { hash, mediaId } of line.segments) {
      const row = rows.get(nameOf(line.epoch, hash));
      if (row === undefined ? gone.has(nameOf(line.epoch, hash)) || hasLeft : isWhole(row)) continue;
      if (row === undefined && ledger.isMediaLost(mediaId)) continue;
      // A closed epoch names no media, and of its records only a count.
      if (row === undefined && line.epoch !== open && !isHere && ledger.useCountedLoss()) continue;
      lost.push(`segment ${hash.slice(0, 8)} of ${place}`);
    }
  }
  return {
    bound,
    lost,
    doubled: uploadedAgain(lines),
    queued: queuedBodies(outbox, ledger),
    wrong: strayBodies(outbox),
  };
}

function uploadedAgain(lines: readonly Line[]): string[] {
  const acknowledged = new Set<string>();
  return lines.flatMap((line) => {
    if (line.is === 'acknowledged') acknowledged.add(nameOf(line.epoch, line.hash));
    const isAgain = line.is === 'uploaded' && acknowledged.has(nameOf(line.epoch, line.hash));
    return isAgain ? [`segment ${line.hash.slice(0, 8)} of epoch ${String(line.epoch)}`] : [];
  });
}

function queuedBodies(outbox: Outbox, ledger: Ledger): RecordWithObjects[] {
  const { bodies, segments } = storeOf(outbox);
  const here = new Map(segments.queries.all.all().map((row) => [toHex(row.hash), row]));
  return [...ledger.known.values()].flatMap(({ record }) => {
    if (record.clip === undefined) return [];
    const objects = record.clip.segments.map(([, , , hash, header]) => {
      const row = here.get(toHex(hash));
      const body = row === undefined ? null : bodies.read(row);
      return body === null ? null : { header, body };
    });
    return objects.every((object) => object === null) ? [] : [{ record, objects }];
  });
}

function nameOf(epoch: number, hash: string): string {
  return `${String(epoch)}-${hash}`;
}
