import type { JSX } from './preact.js';
import type { SessionView } from '../core/session-view.js';
import { CameraIcon } from './icons.js';

/** In the place of a list without events: why it is empty. */
export function NoEvents({
  connection,
  isFiltered,
}: Pick<SessionView, 'connection'> & { readonly isFiltered: boolean }): JSX.Element {
  const isLive = connection === 'live';
  const words = isFiltered
    ? ['Nothing matches', 'No event of those loaded is on this day and in these filters.']
    : isLive
      ? ['All quiet', 'No motion so far. Events appear here as soon as your camera sends them.']
      : ['No events loaded', 'There were none while this page was connected. It cannot know of later ones.'];
  return (
    <div class="empty">
      <CameraIcon />
      <h2>{words[0]}</h2>
      <p>{words[1]}</p>
    </div>
  );
}
