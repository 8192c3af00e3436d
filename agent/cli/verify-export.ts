import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { History } from '../../protocol/verify/history.js';
import type { Verdict } from '../../protocol/verify/verdict.js';
import { bindingOf, readExport, type ExportProblem } from './export-file.js';

export interface ExportReport {
  readonly verdicts: Partial<Record<Verdict, number>>;
  readonly problems: readonly ExportProblem[];
  /** Epochs of which the cloud keeps nothing but that they were used. */
  readonly deletedEpochs: number;
}

/**
 * Verifies an account's export by itself: claims by their owner's signature, records by their camera's and their claim.
 */
export function verifyExport(suite: CryptoSuite, lines: readonly string[]): ExportReport {
  const file = readExport(suite, lines);
  const problems = [...file.problems];
  const verdicts: Partial<Record<Verdict, number>> = {};
  const count = (verdict: Verdict): void => {
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  };
  for (const { code } of file.problems) count(code === 'foreign' || code === 'unsupported' ? code : 'malformed');

  const history = new History();
  for (const { record } of file.records) history.add(record);
  for (const { record, media, line } of file.records) {
    const binding = bindingOf(file, record);
    const verdict = binding === 'bound' ? history.continuityOf(record).verdict : binding;
    count(verdict === 'intact' && media.includes(null) ? 'media-missing' : verdict);
    if (verdict === 'foreign' || verdict === 'equivocation' || verdict === 'revoked' || verdict === 'malformed') {
      problems.push({ line, code: verdict, message: `record ${String(record.value.seq)} is refused` });
    }
  }
  return { verdicts, problems, deletedEpochs: file.deletedEpochs };
}
