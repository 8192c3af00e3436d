import { type JSX, useEffect, useState } from './preact.js';
import { toHex } from '../../common/bytes.js';
import { statementsOf } from '../../protocol/evidence/statements.js';
import type { Evidence } from '../../protocol/evidence/verify.js';
import { clipsIn } from '../core/evidence-check.js';
import { EvidenceVideo } from './evidence-video.js';
import { CLOCK_WORDS, WORDS } from './evidence-words.js';
import { fullTime } from './format.js';

/** A verified event of an evidence file: whose it is, when, what it shows, what it proves and what it does not. */
export function EvidenceEvent({
  evidence,
  number,
}: {
  readonly evidence: Evidence;
  readonly number: number;
}): JSX.Element {
  const { claim, records } = evidence;
  const [first, last] = [records[0]?.value, records.at(-1)?.value];
  const { proves, doesNotProve } = statementsOf(evidence);
  const [clips] = useState(() => clipsIn(evidence));
  const timeOf = (wallMs: number | null | undefined): string =>
    wallMs === null || wallMs === undefined ? WORDS.noTime : fullTime(wallMs);
  const heading = `evidence-event-${String(number)}`;
  return (
    <article class="panel onboarding-panel" aria-labelledby={heading}>
      <h3 id={heading}>
        {number}. {timeOf(first?.time.wallMs)}
      </h3>
      {first !== undefined && (
        <p>
          {timeOf(first.time.wallMs)} – {timeOf(last?.time.wallMs)}, {CLOCK_WORDS[first.time.quality]}
        </p>
      )}
      <Pictures evidence={evidence} />
      {clips.map((clip) => (
        <EvidenceVideo key={clip.number} clip={clip} />
      ))}
      <dl class="facts facts-mono">
        <div>
          <dt>{WORDS.camera}</dt>
          <dd>{grouped(claim.value.device)}</dd>
          <dd class="evidence-hint">{WORDS.cameraHint}</dd>
        </div>
        <div>
          <dt>{WORDS.account}</dt>
          <dd>{grouped(claim.value.account)}</dd>
        </div>
      </dl>
      <h4>{WORDS.proves}</h4>
      <Sentences lines={proves} />
      <h4>{WORDS.doesNotProve}</h4>
      <Sentences lines={doesNotProve} />
    </article>
  );
}

function Sentences({ lines }: { readonly lines: readonly string[] }): JSX.Element {
  return (
    <ul class="plain">
      {lines.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}

/** Pictures of the event; a mini picture shows the same as a larger one beside it. */
function Pictures({ evidence: { pictures, records } }: { readonly evidence: Evidence }): JSX.Element {
  const [urls, setUrls] = useState<readonly string[]>([]);
  useEffect(() => {
    const shown = pictures.flatMap(({ role, content: { jpeg } }) => (jpeg === null ? [] : [{ role, jpeg }]));
    const large = shown.filter(({ role }) => role !== 'mini');
    const made = (large.length > 0 ? large : shown).map(({ jpeg }) =>
      URL.createObjectURL(new Blob([new Uint8Array(jpeg)], { type: 'image/jpeg' })),
    );
    setUrls(made);
    return () => {
      for (const url of made) URL.revokeObjectURL(url);
    };
  }, [pictures]);
  const kind = records[0]?.value.kind ?? 'event';
  return (
    <>
      {urls.map((url, i) => (
        <img key={url} class="evidence-picture" src={url} alt={`Picture ${String(i + 1)} of this event (${kind})`} />
      ))}
    </>
  );
}

function grouped(id: Uint8Array): string {
  return toHex(id).match(/.{4}/g)?.join(' ') ?? '';
}
