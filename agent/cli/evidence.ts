import { writeFileSync } from 'node:fs';
import { fromHex, toHex } from '../../common/bytes.js';
import { SealcamError, systemCode } from '../../common/errors.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { makeEvidence } from '../../protocol/evidence/make.js';
import { statementsOf } from '../../protocol/evidence/statements.js';
import { verifyEvidence } from '../../protocol/evidence/verify.js';
import { epochsOf, eventsOf, type ExportEvent } from './export-epochs.js';
import { readExport } from './export-file.js';
import type { Output } from './output.js';
import { readerOf, readNamed, type OwnerKeyOptions } from './owner-key.js';
import { printStatements } from './verify-evidence.js';

export interface EvidenceOptions extends OwnerKeyOptions {
  /** Id of the event, or how it begins. Without it the events are listed. */
  readonly event?: string | undefined;
  readonly out?: string | undefined;
}

const ID_BYTES = 16;
const SHORT_ID_DIGITS = 8;

/** Runs `sealcam evidence EXPORT`: lists its events, or writes the evidence file of one. Returns the exit status. */
export async function evidenceCommand(path: string, options: EvidenceOptions, output: Output): Promise<number> {
  const lines = new TextDecoder().decode(readNamed('export', path)).split('\n');
  const file = readExport(nodeSuite, lines);
  for (const { line, message, code } of file.problems)
    process.stderr.write(`line ${String(line)}: ${message} [${code}]\n`);
  const events = eventsOf(epochsOf(file));
  if (options.event === undefined) return list(events, output);
  const { epoch, id } = chosen(events, options.event);
  const reader = await readerOf(options);
  const keys = await reader.openEpoch(epoch.claim.value, epoch.keyRecords);
  const evidence = makeEvidence(nodeSuite, { ...epoch, keys }, fromHex(id, ID_BYTES) ?? new Uint8Array(0));
  const target = options.out ?? `sealcam-${id.slice(0, SHORT_ID_DIGITS)}.evidence`;
  writeNew(target, evidence);
  const verified = verifyEvidence(nodeSuite, evidence);
  output.printLine(`${target}  (${String(evidence.length)} bytes; its keys open what is in it and nothing else)`);
  printStatements(statementsOf(verified), output);
  output.emit({ file: target, bytes: evidence.length, event: id, ...statementsOf(verified) });
  return 0;
}

function list(events: readonly ExportEvent[], output: Output): number {
  if (events.length === 0) output.printLine('This export holds no event.');
  for (const { epoch, id, records } of events) {
    const [first] = records;
    if (first === undefined) continue;
    const { kind, time } = first.record.value;
    const objects = records.flatMap(({ media }) => media).filter((sealed) => sealed !== null).length;
    const segments = records.flatMap(({ record }) => record.value.clip?.segments ?? []).length;
    const at = time.wallMs === null ? null : new Date(time.wallMs).toISOString();
    const { device, epoch: number } = epoch.claim.value;
    const camera = toHex(device);
    output.printLine(
      `${id}  ${at ?? 'clock not set'.padEnd(24)}  ${kind.padEnd(8)}  camera ${camera.slice(0, SHORT_ID_DIGITS)}  ` +
        `records ${String(records.length)}, sealed objects ${String(objects)}, segments ${String(segments)}`,
    );
    output.emit({ event: id, at, kind, device: camera, epoch: number, records: records.length, objects, segments });
  }
  output.printLine('\nsealcam evidence EXPORT --event ID --recovery FILE makes a file of one of them.');
  return 0;
}

function chosen(events: readonly ExportEvent[], start: string): ExportEvent {
  const found = events.filter(({ id }) => id.startsWith(start.toLowerCase()));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new SealcamError('usage-invalid', `--event ${start}: ${String(found.length)} events begin so`, {
    hint: 'Run the command without --event to list the events of this export.',
  });
}

function writeNew(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    const exists = systemCode(cause) === 'EEXIST';
    throw new SealcamError('usage-invalid', `--out: ${path} ${exists ? 'exists already' : 'cannot be written'}`, {
      cause,
      hint: 'Name another file with --out.',
    });
  }
}
