import { type JSX, useEffect, useRef, useState } from './preact.js';
import { realClock } from '../../common/adapters/real-clock.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import { spanEvidence, type SpanProgress } from '../core/evidence-span.js';
import { useNames, usePage, useSessionView } from './context.js';
import { download } from './download.js';
import { findingWords, savedWords, SPAN_WORDS } from './evidence-words.js';
import { shortTime, startOfDay } from './format.js';
import { Problem } from './problem.js';
import { Progress } from './recovery-form.js';

/** What a field for a time shows is a minute long. */
const MINUTE_MS = 60_000;

/** Saves a camera's events between two times as one evidence file, and opens the check of such files. */
export function EvidencePanel({ onCheck }: { readonly onCheck: () => void }): JSX.Element {
  const { cameras } = useSessionView();
  const devices = [...new Set(cameras.map(({ device }) => device))];
  return (
    <div class="panel form">
      <h2>{SPAN_WORDS.title}</h2>
      <p>{SPAN_WORDS.intro}</p>
      {devices.length > 0 && <SpanForm devices={devices} />}
      <div class="form-buttons">
        <button type="button" class="button" onClick={onCheck}>
          {SPAN_WORDS.check}
        </button>
      </div>
    </div>
  );
}

type State =
  | { readonly type: 'idle'; readonly said: string }
  | { readonly type: 'busy'; readonly progress: SpanProgress }
  | { readonly type: 'failed'; readonly error: SealcamError };

function SpanForm({ devices }: { readonly devices: readonly string[] }): JSX.Element {
  const { client, history, owner } = usePage();
  const { nameOf } = useNames();
  const [chosen, setDevice] = useState<string | null>(null);
  const [from, setFrom] = useState(() => fieldOf(startOfDay(realClock.wallMs())));
  const [to, setTo] = useState(() => fieldOf(realClock.wallMs()));
  const [state, setState] = useState<State>({ type: 'idle', said: '' });
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  const device = chosen ?? devices[0] ?? '';
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const cancel = new AbortController();
    running.current = cancel;
    const { signal } = cancel;
    const onProgress = (progress: SpanProgress): void => {
      if (!signal.aborted) setState({ type: 'busy', progress });
    };
    onProgress({ type: 'finding', records: 0 });
    const request = { device, fromMs: Date.parse(from), toMs: Date.parse(to) + MINUTE_MS - 1 };
    try {
      const made = await spanEvidence({ suite: tweetnaclSuite, client, history, owner }, request, onProgress, signal);
      if (made === null || signal.aborted) return;
      const name = `${nameOf(device)} ${from} to ${to}.evidence`.replaceAll(':', '-');
      download(name, new Blob(made.parts.map((part) => new Uint8Array(part))));
      const said = savedWords(
        made.events,
        made.leftOut.map(({ atMs }) => shortTime(atMs)),
      );
      setState({ type: 'idle', said });
    } catch (error) {
      if (!signal.aborted) setState({ type: 'failed', error: asSealcamError(error) });
    }
  };
  return (
    <form class="form" onSubmit={(event) => void save(event)}>
      <label class="field">
        <span>{SPAN_WORDS.camera}</span>
        <select
          value={device}
          onChange={({ currentTarget }) => {
            setDevice(currentTarget.value);
          }}
        >
          {devices.map((one) => (
            <option key={one} value={one}>
              {nameOf(one)}
            </option>
          ))}
        </select>
      </label>
      <TimeField label={SPAN_WORDS.from} value={from} onInput={setFrom} />
      <TimeField label={SPAN_WORDS.to} value={to} onInput={setTo} />
      <div role="status">
        {state.type === 'busy' &&
          (state.progress.type === 'finding' ? (
            <p>{findingWords(state.progress.records)}</p>
          ) : (
            <Progress value={state.progress.done / state.progress.total} label={SPAN_WORDS.making} />
          ))}
        {state.type === 'idle' && state.said !== '' && <p>{state.said}</p>}
      </div>
      {state.type === 'failed' && <Problem error={state.error} />}
      <div class="form-buttons">
        <button type="submit" class="button" disabled={state.type === 'busy'}>
          {SPAN_WORDS.save}
        </button>
        {state.type === 'busy' && (
          <button
            type="button"
            class="button"
            onClick={() => {
              running.current?.abort();
              setState({ type: 'idle', said: SPAN_WORDS.cancelled });
            }}
          >
            {SPAN_WORDS.cancel}
          </button>
        )}
      </div>
    </form>
  );
}

function TimeField({
  label,
  value,
  onInput,
}: {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
}): JSX.Element {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        type="datetime-local"
        required
        value={value}
        onInput={({ currentTarget }) => {
          onInput(currentTarget.value);
        }}
      />
    </label>
  );
}

/** Returns a time as a field for the device's own zone holds it: 2026-11-30T17:05. */
function fieldOf(ms: number): string {
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${String(date.getFullYear())}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}
