import { type JSX, render, useEffect, useState } from './preact.js';
import type { PageRefusal, PageState } from '../core/page-state.js';
import { pageWorker } from './page-worker.js';

/** Starts the service worker, and shows above the page what it says of the page's own files. */
export function startPageWorker(): void {
  const root = document.getElementById('page-notes');
  if (root !== null) render(<PageNotes />, root);
  void pageWorker.start();
}

/** Returns what the service worker last said, null before; draws again with each change. */
function usePageState(): PageState | null {
  const [state, setState] = useState(pageWorker.state);
  useEffect(
    () =>
      pageWorker.observe(() => {
        setState(pageWorker.state);
      }),
    [],
  );
  return state;
}

function PageNotes(): JSX.Element | null {
  const state = usePageState();
  if (state === null) return null;
  const { ready, refused, isFull } = state;
  if (ready === null && refused === null && !isFull) return null;
  return (
    <aside class="page-notes" aria-label="About this page">
      {refused !== null && (
        <div class="note note-warn" role="alert">
          <strong>{wordsOf(refused)}</strong> {keptWords(state)}
        </div>
      )}
      {isFull && (
        <div class="note note-wait" role="status">
          This browser has no room to keep a page that its maker signed. {keptWords(state)}
        </div>
      )}
      {ready !== null && <Newer version={ready.version} />}
    </aside>
  );
}

function Newer({ version }: { readonly version: string }): JSX.Element {
  const [isBusy, setBusy] = useState(false);
  const use = (): void => {
    setBusy(true);
    void pageWorker.use().then(() => {
      location.reload();
    });
  };
  return (
    <div class="note note-wait" role="status">
      <strong>A new version {version} is ready.</strong> It is checked: its maker signed every file.{' '}
      <button type="button" class="button" disabled={isBusy} onClick={use}>
        Reload
      </button>
    </div>
  );
}

function keptWords({ used }: PageState): string {
  return used === null
    ? 'This browser keeps no page yet, so it opens what this address has.'
    : `You go on with version ${used.version}, which this browser keeps.`;
}

function wordsOf(refused: PageRefusal): string {
  switch (refused.reason) {
    case 'not-signed':
      return 'This address offers a page that its maker did not sign. It is not used.';
    case 'older':
      return 'This address offers an older page than before. It is not used.';
    case 'altered':
      return `This address offers a page with an altered file, ${refused.path}. It is not used.`;
    case 'two-lists':
      return 'This address offers two pages as one version. The second is not used.';
  }
}
