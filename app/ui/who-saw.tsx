import { type JSX, useState } from './preact.js';
import { fromHex, toHex } from '../../common/bytes.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { accountNumber } from '../core/account-number.js';
import { summarizeAccess, type AccessLine, type AccessSummary, type NamedInEpoch } from '../core/access-summary.js';
import { useNames, usePage } from './context.js';
import { shortTime } from './format.js';
import { Problem } from './problem.js';

const LINES_MAX = 60;

/** Who was shown what, as the cloud's log has it: the household by name, and anyone whom no claim names first. */
export function WhoSaw(): JSX.Element {
  const { client, keys } = usePage();
  const namedIn = useNamedIn();
  const [summary, setSummary] = useState<AccessSummary | null>(null);
  const [archivedBeforeMs, setArchivedBeforeMs] = useState<number | null>(null);
  const [problem, setProblem] = useState<SealcamError | null>(null);
  const load = async (): Promise<void> => {
    setProblem(null);
    try {
      const { entries, archivedBeforeMs: beforeMs } = await client.access();
      setArchivedBeforeMs(beforeMs);
      setSummary(summarizeAccess(entries, toHex(keys.signer.publicKey), namedIn));
    } catch (error) {
      setProblem(asSealcamError(error));
    }
  };
  return (
    <div class="panel">
      <h2>Who was shown what</h2>
      <p>The cloud keeps a log of every read of your cameras. This is what it says of the last ones.</p>
      {problem !== null && <Problem error={problem} />}
      {summary === null ? (
        <button type="button" class="button" onClick={() => void load()}>
          Show the log
        </button>
      ) : (
        <>
          <AccessLines summary={summary} />
          {archivedBeforeMs !== null && (
            <p class="muted small">
              The log here begins on {shortTime(archivedBeforeMs)}. The operator of this cloud keeps what came before in
              an archive; ask for it there.
            </p>
          )}
        </>
      )}
    </div>
  );
}

/** Returns what names the people of an epoch's claim. */
export function useNamedIn(): NamedInEpoch {
  const { history } = usePage();
  return (device, epoch) => history.claimOf(fromHex(device, 32) ?? new Uint8Array(32), epoch)?.value.recipients ?? null;
}

/** Who read, and whether that is all right. */
export function AccessLines({ summary: { own, others } }: { readonly summary: AccessSummary }): JSX.Element {
  return (
    <>
      <Verdict others={others} />
      <ul class="access">
        {others.slice(0, LINES_MAX).map((line) => (
          <Line key={`${line.reader}/${line.device}/${String(line.epoch)}/${String(line.seqs)}`} line={line} />
        ))}
        {own !== null && (
          <li>
            <strong>You</strong>, {counted(own.reads, 'read')}
            <Times fromMs={own.fromMs} untilMs={own.untilMs} />
          </li>
        )}
      </ul>
    </>
  );
}

function Verdict({ others }: { readonly others: readonly AccessLine[] }): JSX.Element {
  const readsOf = (role: AccessLine['role']): number =>
    others.filter((line) => line.role === role).reduce((sum, { reads }) => sum + reads, 0);
  const strangers = readsOf('stranger');
  const unknown = readsOf('unknown');
  if (strangers > 0) {
    return (
      <p class="note note-bad" role="alert">
        <strong>{counted(strangers, 'read')} with a key that no claim of yours names.</strong> The pictures are sealed,
        so nobody else can open them; that someone recorded is what such a reader learns.
      </p>
    );
  }
  if (unknown > 0) {
    return (
      <p class="note note-wait">
        {counted(unknown, 'read')} of an ownership that this page does not know. All others are of your household.
      </p>
    );
  }
  return <p class="note note-good">{others.length === 0 ? 'Nobody but you.' : 'Nobody outside of your household.'}</p>;
}

function Line({ line }: { readonly line: AccessLine }): JSX.Element {
  const { nameOf } = useNames();
  const { seqs, reads, pictures, isExport, device, role } = line;
  const range = seqs === null ? null : seqs[0] === seqs[1] ? `record ${String(seqs[0])}` : `records ${seqs.join('–')}`;
  const parts = [
    range,
    counted(reads, 'read'),
    pictures === 0 ? null : `${counted(pictures, 'picture')} among them`,
    isExport ? 'exported' : null,
  ];
  return (
    <li class={role === 'stranger' ? 'ink-bad' : ''}>
      <ReaderName line={line} />, {nameOf(device)}: {parts.filter((part) => part !== null).join(', ')}
      <Times fromMs={line.fromMs} untilMs={line.untilMs} />
    </li>
  );
}

const ROLES = {
  owner: 'The owner',
  browser: 'A browser of the owner’s',
  member: 'A member',
  stranger: 'A stranger',
  unknown: 'Not known',
} as const;

function ReaderName({ line: { reader, role } }: { readonly line: AccessLine }): JSX.Element {
  const { labelOf } = useNames();
  const name = labelOf(reader);
  if (name !== null && role !== 'stranger') return <strong>{name}</strong>;
  return (
    <>
      <strong>{ROLES[role]}</strong>{' '}
      <span class="mono muted small">{accountNumber(fromHex(reader, 32) ?? new Uint8Array(32))}</span>
    </>
  );
}

function Times({ fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number }): JSX.Element {
  const [from, until] = [shortTime(fromMs), shortTime(untilMs)];
  return <time>{from === until ? from : `${from} – ${until}`}</time>;
}

function counted(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${String(count)} ${what}s`;
}
