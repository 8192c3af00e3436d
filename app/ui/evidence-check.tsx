import { type JSX, useEffect, useRef, useState } from './preact.js';
import { realClock } from '../../common/adapters/real-clock.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import type { CheckedFile } from '../../protocol/evidence/span.js';
import { limitsOfSpan } from '../../protocol/evidence/statements.js';
import { checkEvidence, type ChosenFile } from '../core/evidence-check.js';
import { EvidenceEvent } from './evidence-event.js';
import { refusalWords, spanVerdict, WORDS } from './evidence-words.js';
import { Problem } from './problem.js';
import { Progress } from './recovery-form.js';
import { useFileDrop } from './use-file-drop.js';

type State =
  | { readonly type: 'waiting' }
  | { readonly type: 'checking'; readonly share: number; readonly cancel: AbortController }
  | { readonly type: 'stopped' }
  | { readonly type: 'checked'; readonly file: CheckedFile }
  | { readonly type: 'refused'; readonly error: SealcamError };

/** Checks evidence files without a cloud and without an account, and shows what is good in them. */
export function EvidenceCheck({
  dropped = null,
  onBack,
}: {
  /** A file that was dropped before this was open. */
  readonly dropped?: ChosenFile | null;
  readonly onBack: () => void;
}): JSX.Element {
  const [state, setState] = useState<State>({ type: 'waiting' });
  const heading = useRef<HTMLHeadingElement>(null);
  const running = useRef<AbortController | null>(null);
  const check = async (file: ChosenFile): Promise<void> => {
    running.current?.abort();
    const cancel = new AbortController();
    running.current = cancel;
    const { signal } = cancel;
    setState({ type: 'checking', share: 0, cancel });
    const onProgress = ({ done, total }: { readonly done: number; readonly total: number }): void => {
      if (!signal.aborted) setState({ type: 'checking', share: done / Math.max(1, total), cancel });
    };
    try {
      const checked = await checkEvidence({ suite: tweetnaclSuite, clock: realClock, onProgress, signal }, file);
      if (checked !== null) setState({ type: 'checked', file: checked });
    } catch (error) {
      if (!signal.aborted) setState({ type: 'refused', error: asSealcamError(error) });
    }
  };
  useFileDrop((file) => void check(file));
  useEffect(() => {
    if (dropped !== null) void check(dropped);
  }, [dropped]);
  useEffect(() => () => running.current?.abort(), []);
  useEffect(() => {
    if (state.type === 'checked' || state.type === 'refused') heading.current?.focus();
  }, [state.type]);
  return (
    <section class="evidence" aria-labelledby="evidence-heading">
      <div class="panel onboarding-panel form">
        <h1 id="evidence-heading">{WORDS.title}</h1>
        <p>{WORDS.intro}</p>
        <label class="field">
          <span>{WORDS.choose}</span>
          <input
            type="file"
            onChange={({ currentTarget }) => {
              const file = currentTarget.files?.[0];
              if (file !== undefined) void check(file);
              // The same file may be chosen again.
              currentTarget.value = '';
            }}
          />
        </label>
        <div role="status">
          {state.type === 'checking' && <Progress value={state.share} label={WORDS.checking} />}
          {state.type === 'stopped' && <p>{WORDS.stopped}</p>}
        </div>
        <div class="form-buttons">
          {state.type === 'checking' && (
            <button
              type="button"
              class="button"
              onClick={() => {
                state.cancel.abort();
                setState({ type: 'stopped' });
              }}
            >
              {WORDS.stop}
            </button>
          )}
          <button type="button" class="button" onClick={onBack}>
            {WORDS.back}
          </button>
        </div>
      </div>
      {state.type === 'refused' && (
        <div class="panel onboarding-panel">
          <h2 ref={heading} tabIndex={-1}>
            {WORDS.nothingShown}
          </h2>
          <Problem error={refusalWords(state.error)} />
        </div>
      )}
      {state.type === 'checked' && <Checked file={state.file} heading={heading} />}
    </section>
  );
}

function Checked({
  file: { isSpan, events },
  heading,
}: {
  readonly file: CheckedFile;
  readonly heading: { current: HTMLHeadingElement | null };
}): JSX.Element {
  const refused = events.filter(({ type }) => type === 'refused').length;
  const limits = limitsOfSpan({ events });
  return (
    <>
      <div class={`panel onboarding-panel ${refused === 0 ? 'note-good' : 'note-bad'}`}>
        <h2 ref={heading} tabIndex={-1}>
          {isSpan ? spanVerdict(events.length, refused) : WORDS.good}
        </h2>
        {limits.length > 0 && (
          <ul class="plain">
            {limits.map((limit) => (
              <li key={limit}>{limit}</li>
            ))}
          </ul>
        )}
      </div>
      {events.map((event, i) =>
        event.type === 'good' ? (
          <EvidenceEvent key={i} evidence={event.evidence} number={i + 1} />
        ) : (
          <div key={i} class="panel onboarding-panel">
            <h3>
              {i + 1}. {WORDS.eventRefused}
            </h3>
            <Problem error={refusalWords(event.error)} />
          </div>
        ),
      )}
    </>
  );
}
