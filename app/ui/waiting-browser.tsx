import type { JSX } from './preact.js';
import { Code } from './household.js';

/** What a further browser shows before any claim names it. */
export function WaitingBrowser(): JSX.Element {
  return (
    <div class="panel waiting-browser">
      <h1>Add this browser to yours</h1>
      <p>
        Open the page in the browser that has your root key, and choose <em>Add another browser</em> under Settings.
        Scan this code with that device, or copy it there. Then this browser asks you whether it belongs to that
        account.
      </p>
      <Code />
    </div>
  );
}
