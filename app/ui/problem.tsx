import type { JSX } from './preact.js';
import { part } from './part.js';

interface Shown {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

const ReceiptKeyQuestion = part(async () => (await import('./receipt-keys.js')).ReceiptKeyQuestion);

/** An error: what went wrong, what to do about it, and its code. A claim stopped by new receipt keys also asks about them. */
export function Problem({ error }: { readonly error: Shown }): JSX.Element {
  const text = error.message.charAt(0).toUpperCase() + error.message.slice(1);
  return (
    <>
      <div class="note note-bad" role="alert">
        <strong>{text}.</strong> {error.hint} <span class="mono small">[{error.code}]</span>
      </div>
      {error.code === 'receipt-keys-changed' && <ReceiptKeyQuestion.View />}
    </>
  );
}
