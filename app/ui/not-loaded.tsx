import type { JSX } from './preact.js';
import type { SessionView } from '../core/session-view.js';
import { useChanges, usePage } from './context.js';
import { CameraIcon } from './icons.js';

const WORDS = {
  offline: ['Not loaded yet', 'once the cloud answers.'],
  paused: ['Paused', 'once the operator ends the pause.'],
  deleted: ['Deleted', 'once you keep your account.'],
} as const;

/** In the place of a list that has not come yet: that it is being loaded, or why it is not. */
export function NotLoaded({
  what,
  connection,
}: {
  readonly what: string;
  readonly connection: SessionView['connection'];
}): JSX.Element {
  const { deletions } = usePage();
  useChanges(deletions);
  const state = deletions.accountErasedAtMs === null ? connection : 'deleted';
  if (state === 'connecting' || state === 'live') {
    return (
      <ul class="grid" aria-label={`Loading ${what.toLowerCase()}`}>
        {[0, 1, 2, 3, 4, 5].map((i) => (
          <li key={i} class="card card-empty shimmer" />
        ))}
      </ul>
    );
  }
  const [title, when] = WORDS[state];
  return (
    <div class="empty">
      <CameraIcon />
      <h2>{title}</h2>
      <p>
        {what} appear here {when}
      </p>
    </div>
  );
}
