import type { JSX } from './preact.js';
import { VERDICTS, type Verdict } from '../../protocol/verify/verdict.js';
import { ClockIcon, GapIcon, ShieldIcon, StopIcon } from './icons.js';

const ICONS = { good: ShieldIcon, wait: ClockIcon, warn: GapIcon, bad: StopIcon } as const;

/** A verdict as a word with a colour and an icon. Its sentence is beside it or in the dialog. */
export function VerdictChip({ verdict }: { readonly verdict: Verdict }): JSX.Element {
  return <Chip {...VERDICTS[verdict]} />;
}

/** A word with the colour and the icon of its tone. */
export function Chip({ tone, title }: { readonly tone: keyof typeof ICONS; readonly title: string }): JSX.Element {
  const Icon = ICONS[tone];
  return (
    <span class={`chip chip-${tone}`}>
      <Icon />
      {title}
    </span>
  );
}

/** Returns what a verdict means for the owner, with the number of lost records where it is known. */
export function verdictSentence(verdict: Verdict, missing: number | null): string {
  if (verdict === 'gap' && missing !== null) {
    const records = missing === 1 ? 'one record' : `${String(missing)} records`;
    return `Your camera signed this, but ${records} just before it ${missing === 1 ? 'is' : 'are'} lost.`;
  }
  return VERDICTS[verdict].sentence;
}
