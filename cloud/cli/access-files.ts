import { createReadStream, createWriteStream, existsSync, readdirSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { syncFolder } from '../../common/adapters/durable-file.js';
import { toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import * as v from '../../common/schema.js';
import { DAY_MS } from '../store/rows.js';
import type { AccessLine } from '../store/store.js';
import { iso } from './operator.js';

/** Files of the archived access log: one for each UTC day, one line of JSON for each line, by time, compressed by gzip. */

const NAME = /^access-(\d{4}-\d\d-\d\d)\.jsonl\.gz$/;

const seq = v.nullable(v.int());
const lineSchema = v.pipe(
  v.strictObject({
    id: v.int(),
    at: v.pipe(v.string(), v.isoTimestamp(), v.transform(Date.parse)),
    reader: v.hexBytes(32),
    device: v.hexBytes(32),
    epoch: v.int(),
    what: v.picklist(['records', 'media', 'stream', 'export', 'look', 'push']),
    from_seq: seq,
    to_seq: seq,
    media_id: v.nullable(v.hexBytes(16)),
    look: v.optional(
      v.strictObject({
        session: v.hexBytes(16),
        end: v.nullable(v.strictObject({ bytes: v.int(), seconds: v.int() })),
      }),
    ),
  }),
  v.transform(({ id, at, reader, device, epoch, what, from_seq, to_seq, media_id, look }): AccessLine => ({
    id,
    atMs: at,
    reader,
    device,
    epoch,
    what,
    fromSeq: from_seq,
    toSeq: to_seq,
    mediaId: media_id,
    ...(look === undefined ? {} : { look }),
  })),
);

function textOf({ id, atMs, reader, device, epoch, what, fromSeq, toSeq, mediaId, look }: AccessLine): string {
  return JSON.stringify({
    id,
    at: iso(atMs),
    reader: toHex(reader),
    device: toHex(device),
    epoch,
    what,
    from_seq: fromSeq,
    to_seq: toSeq,
    media_id: mediaId === null ? null : toHex(mediaId),
    ...(look === undefined ? {} : { look: { session: toHex(look.session), end: look.end } }),
  });
}

/** Returns the name of a UTC day, which {@link dayNamed} reads. */
export function dayName(day: number): string {
  return iso(day * DAY_MS).slice(0, 10);
}

/** Returns the UTC day, since 1970, of a date like 2026-02-01; undefined for anything else. */
export function dayNamed(text: string): number | undefined {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  const day = ms / DAY_MS;
  return Number.isNaN(ms) || dayName(day) !== text ? undefined : day;
}

export function archivePath(folder: string, day: number): string {
  return join(folder, `access-${dayName(day)}.jsonl.gz`);
}

/** Returns the days that have a file in this folder, ascending. */
export function archivedDays(folder: string): readonly number[] {
  return readdirSync(folder)
    .flatMap((name) => dayNamed(NAME.exec(name)?.[1] ?? '') ?? [])
    .sort((a, b) => a - b);
}

/**
 * Iterates over the lines of a day's file; over nothing where the file is missing.
 *
 * @throws SealcamError `malformed` where it cannot be read to its end
 */
export async function* readArchive(path: string): AsyncGenerator<AccessLine> {
  if (!existsSync(path)) return;
  let number = 0;
  try {
    for await (const text of textLines(path)) {
      number++;
      yield v.parse(lineSchema, JSON.parse(text));
    }
  } catch (cause) {
    throw new SealcamError('malformed', `${path}: cannot be read after line ${String(number)}`, {
      cause,
      hint: 'Nothing was removed. Restore this file from a copy, or move it away if its lines are in another.',
    });
  }
}

async function* textLines(path: string): AsyncGenerator<string> {
  const file = createReadStream(path);
  const unzipped = createGunzip().setEncoding('utf8');
  file.on('error', (error) => unzipped.destroy(error));
  file.pipe(unzipped);
  let rest = '';
  for await (const part of unzipped as AsyncIterable<string>) {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') throw new Error('it ends inside a line');
}

/**
 * Writes a day's file whole in place of the one that is there, and returns the number of its lines. A power cut leaves the
 * old file or the new one; when it resolves, the new one is on the disk.
 *
 * @throws SealcamError `malformed` from the lines; the error of the operating system
 */
export async function writeArchive(path: string, lines: AsyncIterable<AccessLine>): Promise<number> {
  let count = 0;
  async function* texts(): AsyncGenerator<string> {
    for await (const line of lines) {
      count++;
      yield `${textOf(line)}\n`;
    }
  }
  const part = `${path}.part`;
  await pipeline(Readable.from(texts()), createGzip(), createWriteStream(part, { mode: 0o600 }));
  const handle = await open(part, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(part, path);
  syncFolder(dirname(path));
  return count;
}

/** Iterates over the lines of both, in the order of time; a line that both have comes once. */
export async function* union(
  one: AsyncIterable<AccessLine>,
  other: AsyncIterable<AccessLine>,
): AsyncGenerator<AccessLine> {
  const [left, right] = [one[Symbol.asyncIterator](), other[Symbol.asyncIterator]()];
  let [a, b] = [await left.next(), await right.next()];
  for (;;) {
    const order = a.done === true ? 1 : b.done === true ? -1 : compare(a.value, b.value);
    const next = order > 0 ? b : a;
    if (next.done === true) return;
    yield next.value;
    if (order <= 0) a = await left.next();
    if (order >= 0) b = await right.next();
  }
}

/** A store that was restored from a back-up may give a number again, so the whole line decides whether two are the same. */
function compare(a: AccessLine, b: AccessLine): number {
  if (a.atMs !== b.atMs) return a.atMs - b.atMs;
  if (a.id !== b.id) return a.id - b.id;
  const [one, other] = [textOf(a), textOf(b)];
  return one === other ? 0 : one < other ? -1 : 1;
}
