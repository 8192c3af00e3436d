import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fromBase64, toHex } from '../../../common/bytes.js';
import { asSealcamError } from '../../../common/errors.js';
import type { Outbox, QueuedRecord } from '../../../agent/outbox/outbox.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { anyRecordKind } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import { decodeObjectHeader } from '../../../protocol/seal/object.js';
import { close } from '../../support/worlds/outbox-world.js';
import { brokenSums } from '../../support/outbox-sums.js';
import { Ledger, type PendingLoss } from './ledger.js';
import { cameraOf, openFolder, type Line, type OpenedFolder } from './world.js';
import { storeOf } from '../../support/outbox-store.js';
import { placeKey } from '../../../protocol/objects/ids.js';

export interface Verdict {
  /** Records reported as committed, in all lives so far. */
  readonly committed: number;
  /** Places of reported records that are neither here, nor in the cloud, nor recorded as lost. */
  readonly lost: readonly string[];
  readonly duplicated: readonly string[];
  /** Reported records that were dropped by the limits or erased with the ownership, with a loss on record. */
  readonly dropped: number;
  /** Every other violation, as a sentence. */
  readonly wrong: readonly string[];
}

const LATER_MS = 1e9;

/** Opens a data folder and compares it with what was reported. Needs a copy of its own: opening changes it. */
export function judge(seed: number, folder: string, lines: readonly Line[]): Verdict {
  const records = lines.filter((line) => line.is === 'record');
  const committed = new Map(records.map((line) => [placeKey(line), line.hash]));
  let opened: OpenedFolder;
  try {
    opened = openFolder(cameraOf(seed), folder, LATER_MS);
  } catch (error) {
    const { code, message } = asSealcamError(error);
    const lost = [...committed.keys()];
    return { committed: lost.length, lost, duplicated: [], dropped: 0, wrong: [`not opened: ${code}, ${message}`] };
  }
  try {
    return verdictOf(opened, committed, lines, existsSync(join(folder, 'uplink.json')), seed);
  } finally {
    close(opened);
  }
}

function verdictOf(
  opened: OpenedFolder,
  committed: ReadonlyMap<string, string>,
  lines: readonly Line[],
  hasUplink: boolean,
  seed: number,
): Verdict {
  const { outbox } = opened;
  const rejects = lines.filter((line) => line.is === 'rejected');
  const rejected = new Set(rejects.map(({ epoch, seq }) => placeKey({ epoch, seq })));
  const moved = new Set(rejects.filter(({ isOther }) => isOther).map(({ epoch }) => epoch));
  const ledger = ledgerOf(outbox, lines);
  const open = storeOf(outbox).queries.openEpoch.get()?.epoch ?? null;
  const wrong = [
    ...brokenSums(outbox),
    ...brokenMedia(outbox.read({ epoch: 0, seq: -1 }, 1000)),
    ...unopenable(ledger, outbox.read({ epoch: 0, seq: -1 }, 1000), lines),
    ...brokenState(opened, lines, hasUplink, seed),
  ];
  const lost: string[] = [];
  let dropped = 0;
  for (const [place, hash] of committed) {
    const found = ledger.known.get(place);
    const [epoch = 0, seq = 0] = place.split('/').map(Number);
    if (found !== undefined) {
      if (found.hash !== hash) ledger.duplicated.add(place);
    } else if (ledger.isRecordedLost(epoch, seq)) dropped++;
    else if (epoch !== open && ledger.useCountedLoss()) dropped++;
    else lost.push(place);
  }
  wrong.push(...ledgerOf(outbox, lines).brokenChains(open, rejected, moved), ...recordsAgain(outbox));
  return { committed: committed.size, lost, duplicated: [...ledger.duplicated], dropped, wrong };
}

function ledgerOf(outbox: Outbox, lines: readonly Line[]): Ledger {
  const ledger = new Ledger();
  const database = storeOf(outbox).queries.device.database;
  for (const line of lines) {
    if (line.is !== 'published') continue;
    for (const bytes of line.records) ledger.add(fromBase64(bytes) ?? new Uint8Array(0));
  }
  const rows = database.prepare<[], { readonly epoch: number; readonly seq: number; readonly bytes: Uint8Array }>(
    'SELECT epoch, seq, bytes FROM record UNION ALL SELECT epoch, seq, bytes FROM quarantine',
  );
  for (const { epoch, seq, bytes } of rows.all()) ledger.add(new Uint8Array(bytes), placeKey({ epoch, seq }));
  for (const loss of database.prepare<[], PendingLoss>('SELECT * FROM pending_loss').all()) ledger.addPending(loss);
  return ledger;
}

/** Returns the records whose stored picture is not the one that they name. */
function brokenMedia(records: readonly QueuedRecord[]): string[] {
  return records.flatMap(({ epoch, seq, bytes, media }) => {
    const named = openSigned(anyRecordKind, nodeSuite, bytes).value.media ?? [];
    const isOther = media.some((item, i) => {
      return item !== null && toHex(nodeSuite.sha256(item.body)) !== toHex(named[i]?.bodyHash ?? new Uint8Array(0));
    });
    return isOther ? [`${placeKey({ epoch, seq })} has the picture of another record`] : [];
  });
}

/** Returns the queued pictures of version 2 whose key record is neither here, whole, nor receipted: nobody can open them. */
function unopenable(ledger: Ledger, records: readonly QueuedRecord[], lines: readonly Line[]): string[] {
  const keys = new Set<string>();
  const receipts = lines.filter((line) => line.is === 'receipted');
  for (const { record } of ledger.known.values()) {
    const isReceipted = receipts.some(({ epoch, from, to }) => {
      return epoch === record.epoch && from <= record.seq && record.seq <= to;
    });
    if (record.key !== undefined && isReceipted) keys.add(toHex(record.key.periodId));
  }
  const opened = records.map((record) => ({
    ...record,
    value: openSigned(anyRecordKind, nodeSuite, record.bytes).value,
  }));
  for (const { value, media } of opened) {
    if (value.key !== undefined && media.every((item) => item !== null)) keys.add(toHex(value.key.periodId));
  }
  return opened.flatMap(({ value, media }) => {
    if (value.version === undefined || value.key !== undefined) return [];
    const missing = media.some((item) => item !== null && !keys.has(toHex(decodeObjectHeader(item.header).periodId)));
    return missing ? [`${placeKey(value)} has a picture that nobody can open`] : [];
  });
}

function brokenState(
  { outbox, uplink, key }: OpenedFolder,
  lines: readonly Line[],
  hasUplink: boolean,
  seed: number,
): string[] {
  const broken: string[] = [];
  const keys = new Set(lines.flatMap((line) => (line.is === 'key' ? [line.key] : [])));
  if (keys.size > 0 && !keys.has(toHex(key))) broken.push('the device has another key');
  const open = storeOf(outbox).queries.openEpoch.get()?.epoch;
  const counter = lines.reduce((most, line) => (line.is === 'order' && line.epoch === open ? line.counter : most), 0);
  if (counter > (outbox.commandCounter(cameraOf(seed).owner.publicKey) ?? 0))
    broken.push(`order ${String(counter)} could be replayed`);
  const windows = new Set(lines.flatMap((line) => (line.is === 'uplink' ? [line.window] : [])));
  const kept = uplink.load();
  if (hasUplink && kept === null) broken.push('the state of the uplink is torn');
  if (kept !== null && !windows.has(kept.windowMs)) broken.push('the state of the uplink was never saved');
  return broken;
}

/** Checks that the camera still records, and continues its chain. */
function recordsAgain(outbox: Outbox): string[] {
  const before = storeOf(outbox).queries.openEpoch.get();
  if (before === undefined) return [];
  const time = { boot: new Uint8Array(16), monotonicMs: LATER_MS, wallMs: null, quality: 'unset' } as const;
  const record = outbox.append({ kind: 'scene', time, scene: { class: 'stall' } });
  return record?.value.seq === before.head_seq + 1 ? [] : ['it does not continue its chain'];
}
