import { toHex } from '../../common/bytes.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { accountId, epochKey } from '../../protocol/objects/ids.js';
import { byEpoch } from '../store/paging.js';
import { DAY_MS } from '../store/rows.js';
import type { AccessLine, AccessStore, AccessSummary } from '../store/store.js';
import { storedLines } from './access-archive.js';
import { archivedDays, archivePath, readArchive, union } from './access-files.js';

/** Iterates over the lines of [fromMs, untilMs) in the database and in the files of an archive, each once. */
async function* allLines(
  access: AccessStore,
  folder: string,
  fromMs: number,
  untilMs: number,
): AsyncGenerator<AccessLine> {
  let reachedMs = fromMs;
  for (const day of archivedDays(folder)) {
    const [startMs, endMs] = [day * DAY_MS, (day + 1) * DAY_MS];
    if (endMs <= fromMs || startMs >= untilMs) continue;
    if (startMs > reachedMs) yield* storedLines(access, reachedMs, startMs);
    for await (const line of union(readArchive(archivePath(folder, day)), storedLines(access, startMs, endMs))) {
      if (line.atMs >= fromMs && line.atMs < untilMs) yield line;
    }
    reachedMs = endMs;
  }
  if (reachedMs < untilMs) yield* storedLines(access, reachedMs, untilMs);
}

/**
 * Answers as `AccessStore.affected` does, over an archive too. Account and relation are for the signed claim to say.
 *
 * @throws SealcamError `malformed`, `store-unavailable`
 */
export async function affectedWithArchive(
  access: AccessStore,
  folder: string,
  {
    device,
    fromMs,
    untilMs,
  }: { readonly device: Uint8Array | null; readonly fromMs: number; readonly untilMs: number },
): Promise<readonly AccessSummary[]> {
  const found = new Map<string, { summary: AccessSummary; readonly media: Set<string> }>();
  for await (const line of allLines(access, folder, fromMs, untilMs)) {
    if (device !== null && toHex(device) !== toHex(line.device)) continue;
    const key = `${toHex(line.reader)}/${epochKey(line.device, line.epoch)}`;
    let entry = found.get(key);
    if (entry === undefined) found.set(key, (entry = { summary: nothingOf(line), media: new Set() }));
    if (line.mediaId !== null) entry.media.add(toHex(line.mediaId));
    entry.summary = { ...withLine(entry.summary, line), mediaObjects: entry.media.size };
  }
  return [...found.values()]
    .map(({ summary }) => summary)
    .sort((a, b) => byEpoch(a, b) || Buffer.compare(a.reader, b.reader));
}

function nothingOf({ reader, device, epoch, atMs }: AccessLine): AccessSummary {
  const counts = { reads: 0, records: 0, stream: 0, media: 0, exports: 0, looks: 0, pushes: 0, mediaObjects: 0 };
  const readerAccount = accountId(nodeSuite, reader);
  const where = { reader, readerAccount, relation: 'unknown', account: null, device, epoch } as const;
  return { ...where, ...counts, fromSeq: null, toSeq: null, firstMs: atMs, lastMs: atMs };
}

const COUNTED = {
  records: 'records',
  media: 'media',
  stream: 'stream',
  export: 'exports',
  look: 'looks',
  push: 'pushes',
} as const;

function withLine(summary: AccessSummary, { what, fromSeq, toSeq, atMs, look }: AccessLine): AccessSummary {
  const counted = COUNTED[what];
  const isEnd = look !== undefined && look.end !== null;
  return {
    ...summary,
    reads: summary.reads + 1,
    [counted]: summary[counted] + (isEnd ? 0 : 1),
    fromSeq: fromSeq === null ? summary.fromSeq : Math.min(fromSeq, summary.fromSeq ?? fromSeq),
    toSeq: toSeq === null ? summary.toSeq : Math.max(toSeq, summary.toSeq ?? toSeq),
    firstMs: Math.min(atMs, summary.firstMs),
    lastMs: Math.max(atMs, summary.lastMs),
  };
}
