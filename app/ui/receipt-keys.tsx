import { type JSX, useEffect, useState } from './preact.js';
import { toHex } from '../../common/bytes.js';
import { receiptKeyNumber } from '../../protocol/objects/receipt.js';
import type { NamedKey, PinnedKeys, PinReason } from '../core/receipt-key-pins.js';
import { usePage } from './context.js';
import { shortTime } from './format.js';
import { useKeyChange } from './receipt-key-banner.js';

const STANDINGS: Readonly<Record<NamedKey['standing'], string>> = {
  kept: 'known here',
  replaced: 'known here, but replaced since',
  new: 'never seen here',
};

/** Shows other receipt keys than those accepted, and asks; shows nothing where they are the same. */
export function ReceiptKeyQuestion(): JSX.Element | null {
  const { change, accept } = useKeyChange();
  if (change === null) return null;
  return (
    <div class="note note-warn form">
      <strong>The cloud names other receipt keys than before.</strong>
      <ul class="access">
        {change.named.map(({ key, standing }) => (
          <li key={toHex(key)}>
            <span class="mono">{receiptKeyNumber(key)}</span>: {STANDINGS[standing]}
          </li>
        ))}
        {change.dropped.map((key) => (
          <li key={toHex(key)}>
            <span class="mono">{receiptKeyNumber(key)}</span>: accepted here, no longer named
          </li>
        ))}
      </ul>
      <p>
        Your cameras delete what such a key signs for.{' '}
        {change.isLikeRotation
          ? 'A rotation by the operator looks like this, and somebody who names a key of their own can make it look so.'
          : 'One rotation by the operator does not look like this.'}{' '}
        Compare the numbers with those that the operator publishes. Until you accept them, no camera is claimed and no
        household changed; what your cameras record goes on as before.
      </p>
      <div class="form-buttons">
        <button type="button" class="button" onClick={() => void accept()}>
          The numbers are the same: accept the keys
        </button>
      </div>
    </div>
  );
}

const REASONS: Readonly<Record<PinReason, string>> = {
  first: 'the first that this browser saw',
  claim: 'named in your newest claim',
  person: 'accepted by you',
};

/** The receipt keys that this browser accepted, with their dates. */
export function ReceiptKeys(): JSX.Element {
  const { receiptKeys } = usePage();
  const { change } = useKeyChange();
  const [sets, setSets] = useState<readonly PinnedKeys[]>([]);
  useEffect(() => {
    receiptKeys.accepted().then(setSets, () => undefined);
  }, [receiptKeys, change]);
  return (
    <div class="panel">
      <h2>Receipt keys of the cloud</h2>
      <p>
        A camera deletes a record when one of these keys has signed that it is stored. Each claim names them. The
        operator can tell you their numbers.
      </p>
      <ReceiptKeyQuestion />
      {sets.length === 0 && <p class="muted">This browser has not claimed a camera yet and knows none.</p>}
      <ul class="access">
        {sets.map(({ keys, atMs, by }, i) => (
          <li key={i}>
            <time>{shortTime(atMs)}</time> {i === 0 ? 'in force' : 'replaced'}, {REASONS[by]}:{' '}
            {keys.map((key) => (
              <span key={toHex(key)} class="mono">
                {receiptKeyNumber(key)}{' '}
              </span>
            ))}
          </li>
        ))}
      </ul>
    </div>
  );
}
