import { realClock } from '../../common/adapters/real-clock.js';
import { equal, toHex } from '../../common/bytes.js';
import type { ConfigSource } from '../../common/config/load.js';
import { SealcamError } from '../../common/errors.js';
import { epochKey, HASH_BYTES, ID_BYTES } from '../../protocol/objects/ids.js';
import type { CloudStore } from '../store/store.js';
import { affectedWithArchive } from './access-summaries.js';
import { idOf, iso, timeOf, withStore, type OutputOptions } from './operator.js';
import { bySignedClaim, type SignedSummary } from './signed-summaries.js';

export interface AffectedOptions extends OutputOptions {
  readonly since: string;
  readonly until: string;
  readonly device?: string;
  readonly account?: string;
  /** Folder of archived days. */
  readonly archive?: string;
}

const COLUMNS = [
  ['SHOWN TO', 9],
  ['WHO', 7],
  ['CAMERA', 9],
  ['EPOCH', -5],
  ['RECORDS', -7],
  ['STREAM', -6],
  ['LOOKS', -5],
  ['PICTURES', -8],
  ['SEQS', -15],
  ['LAST', 11],
] as const;

/** Returns one line of the table, at most 100 columns wide. Columns of negative width are right-aligned. */
function tableLine(cells: readonly string[]): string {
  const padded = COLUMNS.map(([, width], i) => {
    const cell = cells[i] ?? '';
    return width < 0 ? cell.padStart(-width) : cell.padEnd(width);
  });
  return padded.join('  ').trimEnd();
}

/** Returns the offset from UTC, in minutes, of a time that {@link timeOf} accepts. */
function zoneOf(text: string): number {
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)$/.exec(text) ?? [];
  if (sign === undefined) return 0;
  const offset = Number(hours) * 60 + Number(minutes);
  return sign === '-' ? -offset : offset;
}

/** Returns day and minute in the zone of `--since`, so that an operator need not convert. */
function inZone(ms: number, zone: number): string {
  return new Date(ms + zone * 60_000).toISOString().slice(5, 16).replace('T', ' ');
}

/** Returns the time as ISO 8601 in the zone of `--since`. */
function isoInZone(ms: number, zone: number): string {
  const local = new Date(ms + zone * 60_000).toISOString().slice(0, -1);
  if (zone === 0) return `${local}Z`;
  const hours = Math.floor(Math.abs(zone) / 60);
  const minutes = Math.abs(zone) % 60;
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${local}${zone < 0 ? '-' : '+'}${two(hours)}:${two(minutes)}`;
}

function jsonOf(found: SignedSummary, zone: number): object {
  const { reader, readerAccount, relation, account, device, firstMs, lastMs, fromSeq, toSeq, mediaObjects } = found;
  const { epoch, reads, records, stream, media, exports, looks, pushes, isMixedUp } = found;
  return {
    account: toHex(readerAccount),
    relation,
    reader: toHex(reader),
    camera_account: account === null ? null : toHex(account),
    device: toHex(device),
    epoch,
    reads,
    records,
    stream,
    media,
    exports,
    looks,
    pushes,
    media_objects: mediaObjects,
    from_seq: fromSeq,
    to_seq: toSeq,
    mixed_up: isMixedUp,
    first: isoInZone(firstMs, zone),
    last: isoInZone(lastMs, zone),
  };
}

function lineOf(found: SignedSummary, zone: number): string {
  const {
    readerAccount,
    relation,
    device,
    epoch,
    records,
    stream,
    exports,
    looks,
    pushes,
    mediaObjects,
    fromSeq,
    toSeq,
  } = found;
  return tableLine([
    `${toHex(readerAccount).slice(0, 8)}…`,
    relation === 'neither' ? 'NEITHER' : relation,
    `${toHex(device).slice(0, 8)}…`,
    String(epoch),
    String(records + exports + pushes),
    String(stream),
    String(looks),
    String(mediaObjects),
    fromSeq === null || toSeq === null ? '' : `${String(fromSeq)}–${String(toSeq)}`,
    inZone(found.lastMs, zone),
  ]);
}

/** `sealcam-cloud affected`: prints which accounts were shown what of which camera in a time. */
export function affectedCommand(source: ConfigSource, options: AffectedOptions): Promise<number> {
  const since = timeOf(options.since, '--since');
  const until = timeOf(options.until, '--until');
  if (until <= since) throw new SealcamError('usage-invalid', '--until must be later than --since');
  const device = options.device === undefined ? null : idOf(options.device, HASH_BYTES, '--device');
  const account = options.account === undefined ? null : idOf(options.account, ID_BYTES, '--account');
  const zone = zoneOf(options.since);
  return withStore(source, async (store) => {
    // Without the account: a row that is mixed up would be missed, or found for the wrong one.
    const { archive } = options;
    if (archive === undefined) await warnOfArchive(store, since);
    const summaries =
      archive === undefined
        ? await store.access.affected(device, since, until)
        : await affectedWithArchive(store.access, archive, { device, fromMs: since, untilMs: until });
    const all = await bySignedClaim(store, summaries, realClock.wallMs());
    const isAbout = (summary: SignedSummary, wanted: Uint8Array): boolean =>
      equal(summary.readerAccount, wanted) || (summary.account !== null && equal(summary.account, wanted));
    const found = account === null ? all : all.filter((summary) => isAbout(summary, account));
    if (options.json) {
      for (const summary of found) process.stdout.write(`${JSON.stringify(jsonOf(summary, zone))}\n`);
      return;
    }
    if (found.length > 0) process.stdout.write(`${tableLine(COLUMNS.map(([name]) => name))}\n`);
    for (const summary of found) process.stdout.write(`${lineOf(summary, zone)}\n`);
    const unnamed = found.filter(({ relation }) => relation === 'neither');
    const accountsIn = (list: readonly SignedSummary[]): string =>
      String(new Set(list.map(({ readerAccount }) => toHex(readerAccount))).size);
    process.stdout.write(`${accountsIn(found)} accounts were shown something in that time`);
    process.stdout.write(`; ${accountsIn(unnamed)} of them by an epoch that does not name them.\n`);
    const mixedUp = new Set(
      found.filter(({ isMixedUp }) => isMixedUp).map(({ device, epoch }) => epochKey(device, epoch)),
    );
    if (mixedUp.size > 0) process.stdout.write(`${String(mixedUp.size)} rows contradict their signed claim.\n`);
  });
}

/** An answer without what was archived would look whole. */
async function warnOfArchive({ access }: CloudStore, since: number): Promise<void> {
  const archivedUntilMs = await access.archivedUntilMs();
  if (archivedUntilMs === null || since >= archivedUntilMs) return;
  process.stderr.write(
    `sealcam-cloud: warning: the log is here from ${iso(archivedUntilMs)} on; for earlier lines add --archive FOLDER\n`,
  );
}
