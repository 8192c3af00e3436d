import { toHex } from '../../common/bytes.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { checkFile, type CheckedEvent } from '../../protocol/evidence/span.js';
import { limitsOfSpan, statementsOf, type Statements } from '../../protocol/evidence/statements.js';
import type { Evidence } from '../../protocol/evidence/verify.js';
import type { Output } from './output.js';

/**
 * Verifies an evidence file, of one event or of a span, and prints what it proves and what not. Returns 3 if an event of a span is
 * refused.
 * @throws SealcamError where the file is refused
 */
export function verifyEvidenceFile(bytes: Uint8Array, output: Output): number {
  const { isSpan, events } = checkFile(nodeSuite, bytes);
  for (const event of events) printEvent(event, output);
  const refused = events.filter(({ type }) => type === 'refused').length;
  if (isSpan) {
    const total = String(events.length);
    const limits = limitsOfSpan({ events });
    output.printLine(
      `\n${refused === 0 ? `all ${total} events verify` : `${String(refused)} of ${total} events are refused`}`,
    );
    for (const limit of limits) output.printLine(`  - ${limit}`);
    output.emit({ kind: 'evidence-span', events: events.length, refused, doesNotProve: limits });
  }
  return refused === 0 ? 0 : 3;
}

function printEvent(event: CheckedEvent, output: Output): void {
  if (event.type === 'good') {
    printEvidence(event.evidence, output);
    return;
  }
  const { code, message } = event.error;
  output.printLine(`an event that is refused: ${message} [${code}]`);
  output.emit({ kind: 'evidence', code, message });
}

function printEvidence(evidence: Evidence, output: Output): void {
  const statements = statementsOf(evidence);
  const { device, epoch } = evidence.claim.value;
  output.printLine(`evidence of event ${toHex(evidence.eventId)}: everything in it verifies`);
  printStatements(statements, output);
  output.emit({
    kind: 'evidence',
    event: toHex(evidence.eventId),
    device: toHex(device),
    epoch,
    records: evidence.records.map(({ hash }) => toHex(hash)),
    pictures: evidence.pictures.length,
    segments: evidence.clipParts.length,
    absent: evidence.absent,
    receipts: evidence.receipts.length + evidence.mediaReceipts.length,
    ...statements,
  });
}

export function printStatements({ proves, doesNotProve }: Statements, output: Output): void {
  output.printLine(`\nWhat it proves:\n${proves.map((line) => `  + ${line}`).join('\n')}`);
  output.printLine(`\nWhat it does not prove:\n${doesNotProve.map((line) => `  - ${line}`).join('\n')}`);
}
