import { type JSX, useEffect, useRef, useState } from './preact.js';

/** Loads more when it scrolls into view, or on a click or key for those who do not scroll. */
export function MoreButton({
  isAutomatic,
  onMore,
}: {
  /** False where a filter may leave out all that comes: then each step is asked for. */
  readonly isAutomatic: boolean;
  readonly onMore: () => Promise<void>;
}): JSX.Element {
  const [isBusy, setBusy] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const load = (): void => {
    if (isBusy) return;
    setBusy(true);
    void onMore().finally(() => {
      setBusy(false);
    });
  };
  useEffect(() => {
    const element = button.current;
    if (element === null || !isAutomatic) return undefined;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) load();
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  });
  return (
    <button type="button" class="button more" ref={button} onClick={load} disabled={isBusy}>
      {isBusy ? 'Loading…' : 'Show older events'}
    </button>
  );
}
