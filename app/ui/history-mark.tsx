import type { JSX } from './preact.js';
import type { HistoryMark, MarkKind } from '../core/camera-log.js';
import { clockTime, shortTime } from './format.js';
import { GapIcon } from './icons.js';

interface MarkLook {
  readonly tone: 'wait' | 'warn' | 'bad';
  /** One sentence; `count` is "one record" or "3 records", `signed` " on" a date or nothing, `who` the owner. */
  readonly sentence: (count: string, signed: string, who: string) => string;
}

const LOOKS: Readonly<Record<MarkKind, MarkLook>> = {
  lost: { tone: 'warn', sentence: (count) => `The camera lost ${count} here, and signed for it.` },
  deleted: { tone: 'wait', sentence: (count, signed, who) => `${who} deleted ${count} here${signed}.` },
  expired: { tone: 'wait', sentence: (count, signed) => `Older than is kept: ${count}, removed${signed}.` },
  waiting: { tone: 'wait', sentence: (count) => `Here, ${count} may still arrive.` },
  late: {
    tone: 'bad',
    sentence: (count) => `Here, ${count} should have arrived by now. The cloud may be holding them back.`,
  },
  missing: { tone: 'bad', sentence: (count) => `Missing here: ${count}. Nobody signed for the loss.` },
  refused: { tone: 'bad', sentence: () => 'The cloud sent something here that must not be shown.' },
};

/** A line between events: what is not there, and who says why. */
export function HistoryMarkRow({
  mark,
  name,
  isOwned,
}: {
  readonly mark: HistoryMark;
  readonly name: string;
  readonly isOwned: boolean;
}): JSX.Element {
  const { tone, sentence } = LOOKS[mark.kind];
  const missing = mark.seqs === null ? 1 : mark.seqs[1] - mark.seqs[0] + 1;
  const count = missing === 1 ? 'one record' : `${String(missing)} records`;
  const signed = mark.signedAtMs === null ? '' : ` on ${shortTime(mark.signedAtMs)}`;
  return (
    <li class={`mark mark-${tone}`} data-mark={mark.kind}>
      <GapIcon />
      <span>
        <strong>{name}</strong>, before {clockTime(mark.atMs)}: {sentence(count, signed, isOwned ? 'You' : 'The owner')}
      </span>
    </li>
  );
}
