import { type JSX, useState } from './preact.js';
import { toHex } from '../../common/bytes.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { readsOf, summarizeAccess, type AccessSummary } from '../core/access-summary.js';
import type { TimelineEvent } from '../core/timeline.js';
import { usePage } from './context.js';
import { Problem } from './problem.js';
import { AccessLines, useNamedIn } from './who-saw.js';

/** Who was shown the records of one event, as the cloud's log has it. Asked for when it is opened. */
export function WhoSawEvent({ event }: { readonly event: TimelineEvent }): JSX.Element {
  const { client, keys } = usePage();
  const namedIn = useNamedIn();
  const [summary, setSummary] = useState<AccessSummary | null>(null);
  const [problem, setProblem] = useState<SealcamError | null>(null);
  const load = async (): Promise<void> => {
    setProblem(null);
    try {
      const { entries } = await client.access();
      setSummary(summarizeAccess(readsOf(entries, event), toHex(keys.signer.publicKey), namedIn));
    } catch (error) {
      setProblem(asSealcamError(error));
    }
  };
  return (
    <details
      class="known"
      onToggle={({ currentTarget: { open } }) => {
        if (open && summary === null) void load();
      }}
    >
      <summary>Who saw this</summary>
      {problem !== null && <Problem error={problem} />}
      {summary === null && problem === null && <p>Asking the cloud for its log…</p>}
      {summary !== null && <AccessLines summary={summary} />}
      <p class="small">From the cloud’s log of the last reads. Nobody outside of your household can open a picture.</p>
    </details>
  );
}
