import { nodeSuite } from '../../../protocol/crypto/node.js';
import { anyRecordKind, type AnyRecord } from '../../../protocol/objects/record.js';
import { openSigned, versionOf, type ProtocolVersion } from '../../../protocol/objects/signed-object.js';
import type { Shown } from './page-process.js';
import type { Program } from './programs.js';
import { answerOf, patiently, type Site } from './site.js';

export type Age = 'old' | 'new';
export type Programs = Readonly<Record<Age, Program>>;

/** Which program each end is. */
export interface Cell {
  readonly camera: Age;
  readonly cloud: Age;
  readonly page: Age;
}

export interface CellResult extends Cell {
  /** Of the epoch; null where the camera was not claimed. */
  readonly version: ProtocolVersion | null;
  readonly records: number;
  /** Events with a picture that the page showed, and how many of their pictures it opened. */
  readonly pictures: number;
  readonly opened: number;
  /** Whether the page warned that version 2 is hidden. */
  readonly isWarned: boolean;
  /** What the owner's browser of the other age showed of the same epoch. */
  readonly other: {
    readonly pictures: number;
    readonly opened: number;
    readonly isWarned: boolean;
    readonly says: string;
  } | null;
  /** What did not go as it must. */
  readonly failures: readonly string[];
}

const EPOCH = 1;

/** Plays an ownership on a new site: claim, picture, orders, another browser, release. */
export async function playCell(cell: Cell, programs: Programs, site: Site): Promise<CellResult> {
  const failures: string[] = [];
  const result = { ...cell, version: null, records: 0, pictures: 0, opened: 0, isWarned: false, other: null, failures };
  try {
    await site.startCloud(programs[cell.cloud]);
    const { code, device } = await site.startCamera(programs[cell.camera]);
    const page = await site.openPage(programs[cell.page]);
    await patiently('the claim', page.call('claim', code));
    await answerOf('a picture and the camera’s health', () => page.call('show', device), isAlive);
    const place = { device, epoch: EPOCH };
    await patiently('a picture on order', page.call('order', { ...place, order: { action: 'snapshot' } }));
    await patiently(
      'another sensitivity',
      page.call('order', { ...place, order: { action: 'sensitivity', sensitivity: 80 } }),
    );
    const browser = await site.openPage(programs[cell.page === 'old' ? 'new' : 'old']);
    const seen = await answerOf('the other browser', () => browser.call('show', device), isSettled);
    const other = {
      ...shownOf(seen),
      says: [...seen.alarms, ...seen.refused, seen.problem ?? ''].filter(Boolean).join(', '),
    };
    const shown = await page.call('show', device);
    failures.push(...shown.alarms, ...shown.refused, ...(shown.problem === null ? [] : [shown.problem]));
    // What is made from now on is no event: a release erases what waits.
    await patiently('privacy', page.call('order', { ...place, order: { action: 'privacy', privacy: true } }));
    await patiently('the release', page.call('order', { ...place, order: { action: 'release' } }));
    await answerOf(
      'the end of the epoch',
      () => page.call('show', device),
      ({ epochs }) => epochs.some(({ hasEnded }) => hasEnded),
    );
    const { records, mediaMissing } = await page.call('stored', place);
    const opened = records.map((bytes) => openSigned(anyRecordKind, nodeSuite, bytes).value);
    failures.push(...faultsOf(opened, mediaMissing));
    const waiting = await site.stopCamera();
    if (waiting !== 0) failures.push(`${String(waiting)} records without a receipt`);
    const [version = null] = new Set(opened.map(versionOf));
    return { ...result, version, records: records.length, ...shownOf(shown), other };
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error));
    return result;
  } finally {
    await site.stop();
  }
}

/** Returns whether the page shows the camera's health and has opened a picture of it. */
export function isAlive({ hasHealth, opened }: Shown): boolean {
  return hasHealth && Object.values(opened).some((count) => count > 0);
}

/** An older page lists no camera of an epoch that it cannot read; it says so instead. */
function isSettled(shown: Shown): boolean {
  return isAlive(shown) || shown.alarms.length > 0 || shown.problem !== null;
}

function shownOf({ pictures, opened, warned }: Shown): Pick<CellResult, 'pictures' | 'opened' | 'isWarned'> {
  return { pictures: pictures[EPOCH] ?? 0, opened: opened[EPOCH] ?? 0, isWarned: warned.includes(EPOCH) };
}

/** Returns what is wrong with the records of an epoch that a release ended. */
function faultsOf(records: readonly AnyRecord[], mediaMissing: number): readonly string[] {
  const faults = mediaMissing === 0 ? [] : [`${String(mediaMissing)} pictures missing`];
  const versions = new Set(records.map(versionOf));
  if (versions.size > 1) faults.push('records of both versions in one epoch');
  const losses = records.flatMap(({ loss = [] }) => loss);
  const erased = losses.flatMap(({ reason, seqs }) => (reason === 'erased' && seqs !== undefined ? [seqs] : []));
  if (losses.length > erased.length) faults.push(`losses: ${losses.map(({ reason }) => reason).join(', ')}`);
  const seqs = new Set(records.map(({ seq }) => seq));
  for (let seq = 0; seq < Math.max(...seqs); seq++) {
    const isErased = erased.some(([from, to]) => from <= seq && seq <= to);
    if (!seqs.has(seq) && !isErased) faults.push(`record ${String(seq)} is lost`);
  }
  return faults;
}
