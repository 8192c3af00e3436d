import { type JSX, useState } from './preact.js';
import type { CameraView } from '../core/session-view.js';
import { useNow, usePage, useSessionView } from './context.js';
import { useWho } from './in-force.js';
import { lookSentence } from './look-words.js';

const SHOWN_FIRST = 10;

/** Who looked through a camera and when, from its own history, for everybody in the household to read. */
export function LookList({ camera }: { readonly camera: CameraView }): JSX.Element {
  const { session } = usePage();
  const { cameras } = useSessionView();
  const who = useWho(camera);
  const nowMs = useNow(30_000);
  const [isAll, setAll] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const epochs = cameras.filter(({ device }) => device === camera.device).map(({ epoch }) => epoch);
  const looks = epochs.sort((a, b) => b - a).flatMap((epoch) => session.looks.of(camera.device, epoch));
  const shown = isAll ? looks : looks.slice(0, SHOWN_FIRST);
  const older = async (): Promise<void> => {
    setBusy(true);
    try {
      await session.loadOlder(camera.device);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      {looks.length === 0 ? (
        <p class="muted">Nobody looked, as far as its records are loaded here.</p>
      ) : (
        <ul class="look-list" aria-label="Who looked">
          {shown.map((look) => (
            <li key={`${String(look.seq)} ${look.key}`} class={look.isOrdered ? '' : 'ink-bad'}>
              {lookSentence(look, look.by === null ? null : who(look.by), nowMs)}
            </li>
          ))}
        </ul>
      )}
      {looks.length > shown.length && (
        <button
          type="button"
          class="text-button"
          onClick={() => {
            setAll(true);
          }}
        >
          Show all {looks.length}
        </button>
      )}
      {camera.hasOlder && (
        <button type="button" class="text-button" disabled={isBusy} onClick={() => void older().catch(() => undefined)}>
          {isBusy ? 'Loading …' : 'Load older records'}
        </button>
      )}
    </>
  );
}
