import type { Alarms } from './alarms.js';
import type { HistoryMark, MarkKind } from './camera-log.js';

/** The marks that are alarms too, with the code that the operator gets. */
const ALARMING = {
  missing: { verdict: 'gap', code: 'records-missing', words: 'missing, and nobody signed for it' },
  late: { verdict: 'pending', code: 'records-late', words: 'not here yet, a day later' },
} as const satisfies Partial<Record<MarkKind, unknown>>;

/** Raises the alarms among the marks of the histories. */
export function raiseMarks(marks: readonly HistoryMark[], alarms: Alarms): void {
  for (const { kind, seqs, device, epoch } of marks) {
    if ((kind !== 'missing' && kind !== 'late') || seqs === null) continue;
    const { verdict, code, words } = ALARMING[kind];
    alarms.raise({ verdict, code, message: `${seqsName(seqs)}: ${words}`, about: { device, epoch } });
  }
}

function seqsName([from, to]: readonly [number, number]): string {
  return from === to ? `record ${String(from)}` : `records ${String(from)} to ${String(to)}`;
}
