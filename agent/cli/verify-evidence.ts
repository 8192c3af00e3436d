import { toHex } from '../../common/bytes.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { statementsOf, type Statements } from '../../protocol/evidence/statements.js';
import { verifyEvidence } from '../../protocol/evidence/verify.js';
import type { Output } from './output.js';

/** Verifies an evidence file and prints what it proves and what not. @throws SealcamError where it is refused */
export function verifyEvidenceFile(bytes: Uint8Array, output: Output): number {
  const evidence = verifyEvidence(nodeSuite, bytes);
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
  return 0;
}

export function printStatements({ proves, doesNotProve }: Statements, output: Output): void {
  output.printLine(`\nWhat it proves:\n${proves.map((line) => `  + ${line}`).join('\n')}`);
  output.printLine(`\nWhat it does not prove:\n${doesNotProve.map((line) => `  - ${line}`).join('\n')}`);
}
