import type { JSX } from './preact.js';
import { useKeyChange } from './receipt-keys.js';

/** The line above every view; the question itself is in the settings, and where a claim was stopped. */
export function ReceiptKeyBanner(): JSX.Element | null {
  const { change } = useKeyChange();
  if (change === null) return null;
  return (
    <div class="note note-warn">
      <strong>The cloud names other receipt keys than before.</strong> Nothing is signed with them until you accept them
      under Settings.
    </div>
  );
}
