import type { JSX } from './preact.js';
import { usePage } from './context.js';
import { CloseIcon } from './icons.js';

/** What was done last, with the way back. It stays: nobody has to be quick. */
export function UndoNote(): JSX.Element {
  const { undo } = usePage();
  return (
    <div class="undo" role="region" aria-label="What you did last" aria-live="polite">
      <span>{undo.current()?.text}</span>
      <button type="button" class="text-button" onClick={() => void undo.undo()}>
        Undo
      </button>
      <button
        type="button"
        class="icon-button"
        aria-label="Dismiss"
        onClick={() => {
          undo.dismiss();
        }}
      >
        <CloseIcon />
      </button>
    </div>
  );
}
