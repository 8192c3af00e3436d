import { type JSX, useState } from './preact.js';
import { usePage } from './context.js';
import { shortTime } from './format.js';

/** What a browser that was set up from a recovery file cannot know by itself yet. */
export function RestoredNote(): JSX.Element | null {
  const { household } = usePage();
  const [isHidden, setHidden] = useState(false);
  const restored = household.restored();
  if (restored === null || isHidden) return null;
  return (
    <div class="note note-wait">
      <strong>This browser was set up from a recovery file.</strong>{' '}
      {restored.savedAtMs === null
        ? 'The file holds your key alone, so this browser cannot know whether the cloud shows everything from before today.'
        : `It knows your cameras as they were on ${shortTime(restored.savedAtMs)}. Whether the cloud shows everything since then it cannot know.`}{' '}
      Another browser of your household that opens the page can confirm it.{' '}
      <button
        type="button"
        class="text-button"
        onClick={() => {
          setHidden(true);
          void household.dismissRestored();
        }}
      >
        Understood
      </button>
    </div>
  );
}
