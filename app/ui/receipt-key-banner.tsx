import { type JSX, useEffect, useState } from './preact.js';
import type { KeyChange } from '../core/receipt-key-pins.js';
import { usePage } from './context.js';

/** Returns how the cloud's receipt keys differ from those accepted here; null where they do not. */
export function useKeyChange(): { readonly change: KeyChange | null; readonly accept: () => Promise<void> } {
  const { receiptKeys } = usePage();
  const [change, setChange] = useState<KeyChange | null>(null);
  useEffect(() => {
    const show = (): void => {
      // Without an answer nothing changes: a claim asks again before it is signed.
      receiptKeys.change().then(setChange, () => undefined);
    };
    show();
    accepted.add(show);
    return () => void accepted.delete(show);
  }, [receiptKeys]);
  return {
    change,
    accept: async () => {
      if (change === null) return;
      await receiptKeys.accept(change);
      for (const listener of [...accepted]) listener();
    },
  };
}

const accepted = new Set<() => void>();

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
