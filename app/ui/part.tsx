import { type ComponentType, type JSX, useEffect, useState } from './preact.js';

/** A view or dialog whose script is a file of its own, so that the first paint does not wait for it. */
export interface Part<P> {
  readonly View: (props: P) => JSX.Element;
  /** Loads the script before it is needed: then the part opens at once, also when the connection is gone. */
  readonly preload: () => void;
}

/**
 * Returns a part of the page that is loaded when it is first drawn, or by `preload`. A quiet one shows nothing while it loads, for
 * what may have nothing to show.
 */
export function part<P extends object>(
  load: () => Promise<ComponentType<P>>,
  { isQuiet = false }: { readonly isQuiet?: boolean } = {},
): Part<P> {
  let loaded: ComponentType<P> | null = null;
  const ready = async (): Promise<void> => {
    loaded ??= await load();
  };
  function View(props: P): JSX.Element {
    const [state, setState] = useState<'loading' | 'loaded' | 'failed'>(loaded === null ? 'loading' : 'loaded');
    useEffect(() => {
      ready().then(
        () => {
          setState('loaded');
        },
        () => {
          setState('failed');
        },
      );
    }, []);
    if (loaded !== null) {
      const Loaded = loaded;
      return <Loaded {...props} />;
    }
    if (state === 'failed') return <NotHere />;
    return isQuiet ? <></> : <p class="muted">Loading…</p>;
  }
  return {
    View,
    preload: () => {
      // Without a connection it is tried again when it is opened.
      ready().catch(() => undefined);
    },
  };
}

/** The page is static files: a part that cannot be loaded was replaced by a newer page, or the connection is gone. */
function NotHere(): JSX.Element {
  return (
    <div class="note note-warn" role="alert">
      <strong>This part of the page could not be loaded.</strong> There is no connection, or the page was updated since
      you opened it.{' '}
      <button
        type="button"
        class="button"
        onClick={() => {
          location.reload();
        }}
      >
        Load the page again
      </button>
    </div>
  );
}
