import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePrivateFolder } from '../../common/adapters/private-files.js';
import { concat, toHex } from '../../common/bytes.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { contextOf, eventOf, openPicture } from '../../protocol/evidence/event.js';
import type { EpochKeys, Reader } from '../../protocol/evidence/household-keys.js';
import { looksLikeEvidence } from '../../protocol/evidence/evidence-file.js';
import { checkFile } from '../../protocol/evidence/span.js';
import type { Evidence } from '../../protocol/evidence/verify.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import { NO_EVENT } from '../../protocol/objects/ids.js';
import type { SealedContent } from '../../protocol/seal/content.js';
import { decodeInForce, type InForce } from '../../protocol/seal/in-force.js';
import { openWithE } from '../../protocol/seal/object.js';
import { epochsOf, type ExportEpoch } from './export-epochs.js';
import { readExport, type ExportProblem, type ExportRecord } from './export-file.js';
import type { Output } from './output.js';
import { readerOf, readNamed, type OwnerKeyOptions } from './owner-key.js';

export interface OpenOptions extends OwnerKeyOptions {
  /** Folder for the pictures, empty or new. */
  readonly out: string;
}

/** Records after which progress is printed. */
const PROGRESS_RECORDS = 500;

/**
 * Runs `sealcam open FILE`: writes every picture and clip of an export that this key opens, or of an evidence file, which needs
 * none. Returns 3 if any could not be opened.
 */
export async function openCommand(path: string, options: OpenOptions, output: Output): Promise<number> {
  const { out } = options;
  if (existsSync(out) && readdirSync(out).length > 0) {
    throw new SealcamError('usage-invalid', `--out: ${out} is not empty`, {
      hint: 'Name a folder that is empty or does not exist yet.',
    });
  }
  const bytes = readNamed('file', path);
  const opening = new Opening(out, output);
  if (looksLikeEvidence(bytes)) {
    for (const event of checkFile(nodeSuite, bytes).events) {
      if (event.type === 'good') opening.writeEvidence(event.evidence);
      else opening.report({ line: 0, code: event.error.code, message: event.error.message });
    }
    return opening.finish();
  }
  const file = readExport(nodeSuite, new TextDecoder().decode(bytes).split('\n'));
  const reader = await readerOf(options);
  for (const problem of file.problems) opening.report(problem);
  for (const epoch of epochsOf(file)) await opening.openEpoch(reader, epoch);
  return opening.finish();
}

/** A clip's segments by their index: of an index that is named twice the first counts. */
interface Clip {
  readonly name: string;
  readonly parts: Map<number, Uint8Array>;
  /** How many there are, as far as records name them. */
  named: number;
}

class Opening {
  private readonly folder: string;
  private readonly output: Output;
  private readonly clips = new Map<string, Clip>();
  private readonly problems: ExportProblem[] = [];
  private written = 0;
  private records = 0;

  constructor(folder: string, output: Output) {
    this.folder = folder;
    this.output = output;
  }

  /** Writes what a verified evidence file holds. */
  writeEvidence({ records, pictures, clipParts }: Evidence): void {
    const bySeq = new Map(records.map(({ value }) => [value.seq, value]));
    for (const { seq, role, content } of pictures) {
      const record = bySeq.get(seq);
      if (record !== undefined) this.writePicture(record, role, 0, content);
    }
    for (const { seq, clip, index, bytes } of clipParts) {
      const record = bySeq.get(seq);
      if (record !== undefined) this.addPart(record, clip, index, bytes);
    }
  }

  report(problem: ExportProblem): void {
    this.problems.push(problem);
  }

  /** Opens an epoch's pictures; one that seals to somebody else is reported once. */
  async openEpoch(reader: Reader, epoch: ExportEpoch): Promise<void> {
    const { value } = epoch.claim;
    let keys: EpochKeys;
    try {
      keys = await reader.openEpoch(value, epoch.keyRecords);
    } catch (error) {
      const { code, message } = asSealcamError(error);
      this.report({
        line: 0,
        code,
        message: `camera ${toHex(value.device)}, epoch ${String(value.epoch)}: ${message}`,
      });
      return;
    }
    for (const stored of epoch.records) {
      if (++this.records % PROGRESS_RECORDS === 0) process.stderr.write(`${String(this.records)} records\n`);
      this.openRecord(epoch, keys, stored);
      this.openSegments(epoch, keys, stored);
    }
  }

  private openRecord(epoch: ExportEpoch, keys: EpochKeys, { record, media, line }: ExportRecord): void {
    const isAnswer = record.value.command !== undefined;
    const event = isAnswer ? NO_EVENT : eventOf(record.value);
    if (event === undefined) return;
    for (const [at, entry] of (record.value.media ?? []).entries()) {
      const sealed = media[at] ?? null;
      if (sealed === null) continue;
      this.openOrReport(line, () => {
        const context = contextOf(record.value, event, entry.id, entry.role);
        const key = keys.keyOf(context, sealed) ?? missingKey();
        if (isAnswer) {
          const inForce = decodeInForce(openWithE(nodeSuite, key, context, sealed));
          this.output.emit({ file: null, ...described(record.value), inForce: readable(inForce) });
          return;
        }
        const content = openPicture(nodeSuite, epoch.claim.value, context, key, sealed);
        this.writePicture(record.value, entry.role, at, content);
      });
    }
  }

  private openSegments(epoch: ExportEpoch, keys: EpochKeys, { record, line }: ExportRecord): void {
    const { clip } = record.value;
    if (clip === undefined) return;
    for (const [index, mediaId, , bodyHash, header] of clip.segments) {
      this.clipOf(record.value, clip.number, index);
      const body = epoch.segments.get(toHex(bodyHash));
      if (body === undefined) continue;
      this.openOrReport(line, () => {
        const context = contextOf(record.value, clip.eventId, mediaId, 'segment');
        const key = keys.keyOf(context, { header, body }) ?? missingKey();
        this.addPart(record.value, clip.number, index, openWithE(nodeSuite, key, context, { header, body }));
      });
    }
  }

  private writePicture(record: AnyRecord, role: string, at: number, { detail, jpeg }: SealedContent): void {
    const file = jpeg === null ? null : `${nameOf(record)}-${role}${String(at)}.jpg`;
    if (file !== null && jpeg !== null) this.write(file, jpeg);
    const event = toHex(eventOf(record) ?? new Uint8Array(0));
    this.output.emit({ file, ...described(record), event, detail });
  }

  /** Keeps a segment of a clip until all are there. */
  private addPart(record: AnyRecord, clip: number, index: number, bytes: Uint8Array): void {
    const { parts } = this.clipOf(record, clip, index);
    if (!parts.has(index)) parts.set(index, bytes);
  }

  /** Returns the clip of which a record names a segment. */
  private clipOf(record: AnyRecord, number: number, index: number): Clip {
    const id = `${toHex(record.device)}/${toHex(eventOf(record) ?? new Uint8Array(0))}/${String(number)}`;
    const clip = this.clips.get(id) ?? {
      name: `${nameOf(record)}-clip`,
      parts: new Map<number, Uint8Array>(),
      named: 0,
    };
    clip.named = Math.max(clip.named, index + 1);
    this.clips.set(id, clip);
    return clip;
  }

  private openOrReport(line: number, open: () => void): void {
    try {
      open();
    } catch (error) {
      const { code, message } = asSealcamError(error);
      this.report({ line, code, message });
    }
  }

  private write(name: string, bytes: Uint8Array): void {
    if (this.written === 0) makePrivateFolder(this.folder);
    writeFileSync(join(this.folder, name), bytes, { flag: 'wx', mode: 0o600 });
    this.written++;
  }

  /** Writes the clips, each as far as it goes from its beginning without a hole, and the summary. */
  finish(): number {
    for (const { name, parts, named } of this.clips.values()) {
      const whole: Uint8Array[] = [];
      for (let part = parts.get(0); part !== undefined; part = parts.get(whole.length)) whole.push(part);
      const isQuickTime = new TextDecoder().decode(whole[0]?.subarray(4, 10)) === 'ftypqt';
      if (whole.length > 0) this.write(`${name}.${isQuickTime ? 'mov' : 'mp4'}`, concat(...whole));
      // A clip of which nothing is here went whole, as pictures go.
      if (parts.size > 0 && whole.length < named) {
        const message = `${name}: ${String(whole.length)} of ${String(named)} segments, up to the first that is missing`;
        this.report({ line: 0, code: 'media-missing', message });
      }
    }
    for (const { line, message, code } of this.problems) {
      const where = line === 0 ? '' : `line ${String(line)}: `;
      this.output.printLine(`  ${where}${message} [${code}]`);
      this.output.emit({ line, code, message });
    }
    this.output.printLine(`${String(this.written)} files in ${this.folder}`);
    return this.problems.length === 0 ? 0 : 3;
  }
}

function described({ kind, device, epoch, seq, time }: AnyRecord): Record<string, unknown> {
  return { kind, device: toHex(device), epoch, seq, at: isoOf(time.wallMs), clock: time.quality };
}

function isoOf(wallMs: number | null): string | null {
  return wallMs === null ? null : new Date(wallMs).toISOString();
}

/** Returns each setting with the key that ordered it, and when; null where the camera's own configuration decided. */
function readable(inForce: InForce): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(inForce).map(([setting, [value, change]]) => {
      const by = change === null ? null : { signer: toHex(change[0]), at: isoOf(change[3]) };
      return [setting, { value, by }];
    }),
  );
}

function missingKey(): never {
  throw new SealcamError('evidence-incomplete', 'the key record of its period is not in the export');
}

/** Returns a name that sorts by camera, epoch and place. */
function nameOf({ device, epoch, seq }: AnyRecord): string {
  return `${toHex(device).slice(0, 8)}-${String(epoch)}-${String(seq).padStart(7, '0')}`;
}
