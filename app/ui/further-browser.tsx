import type { JSX } from './preact.js';
import { accountNumber } from '../core/account-number.js';
import { rootElsewhere } from '../core/own-browsers.js';
import { usePage, useSessionView } from './context.js';
import { UnlockRoot } from './unlock-root.js';

/**
 * Returns what a browser without the root key at hand knows of it, null until a claim names that browser; null in any other. A
 * claim alone makes no further browser: any owner could take a person's own key and recovery file out of sight with one.
 */
export function useFurther(): { readonly root: Uint8Array | null } | null {
  const { isFurther, root } = usePage();
  const elsewhere = rootElsewhere(useSessionView().cameras);
  if (root !== null) return root.open === null ? { root: root.publicKey } : null;
  return isFurther ? { root: elsewhere } : null;
}

/** Stands where a browser without the root key would fail: what it takes that key for, and where it is or how it opens. */
export function NeedsRoot({ root, what }: { readonly root: Uint8Array | null; readonly what: string }): JSX.Element {
  const { root: here } = usePage();
  if (here !== null) return <UnlockRoot root={here} what={what} />;
  return (
    <p class="note note-wait" data-needs-root>
      <strong>This browser cannot {what}.</strong> That takes your root key, and this browser has a key of its own. Open
      the page in the browser that has the root key
      {root === null ? '' : ', account '}
      {root !== null && <span class="mono">{accountNumber(root)}</span>}, or in one in which you open your recovery
      file.
    </p>
  );
}

/** What this browser is, for its settings. */
export function ThisFurtherBrowser({ root }: { readonly root: Uint8Array | null }): JSX.Element {
  return (
    <div class="panel">
      <h2>A further browser</h2>
      <p>
        This browser has a key of its own
        {root === null ? '. No camera seals to it now.' : ' and belongs to account '}
        {root !== null && (
          <>
            <span class="mono">{accountNumber(root)}</span>.
          </>
        )}
      </p>
      <ul class="plain">
        <li>It sees what your cameras record from the moment it was added, and gives them orders.</li>
        <li>
          It cannot claim or give away cameras, change your household, or delete anything. The browser with the root key
          can.
        </li>
        <li>
          It cannot open what was recorded before it was added. The browser with the root key can, and so can any in
          which you open your recovery file; this one too, once you forget its key below.
        </li>
        <li>
          It needs no recovery file. If you lose it, sign it out in the browser with the root key: what is recorded
          later is not sealed to it, and its orders count no more.
        </li>
      </ul>
    </div>
  );
}
