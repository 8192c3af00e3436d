import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fromBase64, toHex } from '../../../common/bytes.js';
import { asSealcamError } from '../../../common/errors.js';
import type { Outbox, QueuedRecord } from '../../../agent/outbox/outbox.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { anyRecordKind } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import { close } from '../../support/worlds/outbox-world.js';
import { brokenSums } from '../../support/outbox-sums.js';
import { judgeClips } from './clip-oracle.js';
import { Ledger, type PendingLoss } from './ledger.js';
import { NOTHING_SEALED, openAll, type Openable, type RecordWithObjects } from './sealing.js';
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
  readonly openable: Openable;
  /** The newest record is the key record of a period in which nothing was sealed yet. */
  readonly isBetween: boolean;
  /** Bodies of clips reported as bound to a record, in all lives so far. */
  readonly bound: number;
  /** Every other violation, as a sentence. */
  readonly wrong: readonly string[];
}

export const NOTHING: Verdict = {
  committed: 0,
  lost: [],
  duplicated: [],
  dropped: 0,
  bound: 0,
  openable: NOTHING_SEALED,
  isBetween: false,
  wrong: [],
};

const LATER_MS = 1e9;

/** Opens a data folder and compares it with what was reported. Needs a copy of its own: opening changes it. */
export async function judge(seed: number, folder: string, lines: readonly Line[]): Promise<Verdict> {
  const records = lines.filter((line) => line.is === 'record');
  const committed = new Map(records.map((line) => [placeKey(line), line.hash]));
  let opened: OpenedFolder;
  try {
    opened = openFolder(cameraOf(seed), folder, LATER_MS);
  } catch (error) {
    const { code, message } = asSealcamError(error);
    const lost = [...committed.keys()];
    return { ...NOTHING, committed: lost.length, lost, wrong: [`not opened: ${code}, ${message}`] };
  }
  try {
    return await verdictOf(opened, committed, lines, existsSync(join(folder, 'uplink.json')), seed);
  } finally {
    close(opened);
  }
}

async function verdictOf(
  opened: OpenedFolder,
  committed: ReadonlyMap<string, string>,
  lines: readonly Line[],
  hasUplink: boolean,
  seed: number,
): Promise<Verdict> {
  const { outbox } = opened;
  const rejects = lines.filter((line) => line.is === 'rejected');
  const rejected = new Set(rejects.map(({ epoch, seq }) => placeKey({ epoch, seq })));
  const moved = new Set(rejects.filter(({ isOther }) => isOther).map(({ epoch }) => epoch));
  const ledger = ledgerOf(outbox, lines);
  const open = storeOf(outbox).queries.openEpoch.get()?.epoch ?? null;
  const queued = outbox.read({ epoch: 0, seq: -1 }, 1000);
  const clips = judgeClips(outbox, ledger, lines);
  const openable = await openAll(cameraOf(seed), [
    ...queued.map(withObjects),
    ...receipted(ledger, lines),
    ...clips.queued,
  ]);
  const newest = outbox.newest();
  const isBetween = newest !== null && ledger.known.get(placeKey(newest))?.record.kind === 'key';
  const wrong = [
    ...brokenSums(outbox),
    ...brokenMedia(queued),
    ...openable.unopenable.map((place) => `${place} has a picture that nobody can open`),
    ...brokenState(opened, lines, hasUplink, seed),
    ...clips.wrong,
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
  return {
    committed: committed.size,
    lost: [...lost, ...clips.lost],
    duplicated: [...ledger.duplicated, ...clips.doubled],
    dropped,
    bound: clips.bound,
    openable,
    isBetween,
    wrong,
  };
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

function withObjects({ bytes, media }: QueuedRecord): RecordWithObjects {
  return { record: openSigned(anyRecordKind, nodeSuite, bytes).value, objects: media };
}

/** Returns what the cloud has for good: published, and named in a receipt. */
function receipted(ledger: Ledger, lines: readonly Line[]): RecordWithObjects[] {
  return lines.flatMap((line) => {
    if (line.is !== 'receipted') return [];
    const bodies = new Map(line.objects.map(({ seq, header, body }) => [seq, { header, body }]));
    return [...bodies].flatMap(([seq, { header, body }]): RecordWithObjects[] => {
      const known = ledger.known.get(placeKey({ epoch: line.epoch, seq }));
      const sealed = { header: fromBase64(header), body: fromBase64(body) };
      if (known === undefined || sealed.header === undefined || sealed.body === undefined) return [];
      return [{ record: known.record, objects: [{ header: sealed.header, body: sealed.body }] }];
    });
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
