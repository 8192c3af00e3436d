import type { JSX } from './preact.js';
import { silentCameras } from '../core/presence.js';
import { AlarmBanners } from './alarm-banner.js';
import { useChanges, useNow, usePage, useSessionView } from './context.js';
import { Problem } from './problem.js';
import { ReceiptKeyBanner } from './receipt-key-banner.js';
import { DeletedAccount, Invitations, RestoredNote, RootOpen, VersionBanner, WaitingBrowser } from './parts.js';

const CONNECTIONS = {
  live: ['Live', 'good'],
  connecting: ['Connecting', 'wait'],
  offline: ['Offline', 'warn'],
  paused: ['Paused', 'wait'],
  deleted: ['Deleted', 'warn'],
} as const;

/** Whether the page is connected, in one word; never that all is live while a camera is not heard. */
export function Connection(): JSX.Element {
  const view = useSessionView();
  const { deletions, hearing } = usePage();
  useChanges(deletions);
  useNow(10_000);
  const state = deletions.accountErasedAtMs === null ? view.connection : 'deleted';
  const silent = state === 'live' ? silentCameras(view, null, hearing.untilMs()).length : 0;
  const [text, tone] = silent === 0 ? CONNECTIONS[state] : ([`${String(silent)} not heard`, 'warn'] as const);
  return (
    <span class={`connection connection-${tone}`} role="status">
      <span class="dot" aria-hidden="true" />
      {text}
    </span>
  );
}

/** Messages above every view: no connection, a pause, or a cloud that contradicts what is signed. */
export function Banners(): JSX.Element {
  const { problem, connection, notice, isLoaded, cameras, invitations } = useSessionView();
  const pause = connection === 'paused' && problem !== null ? problem : null;
  const { deletions, household, isFurther, root } = usePage();
  const open = root?.open ?? null;
  useChanges(deletions);
  const isDeleted = deletions.accountErasedAtMs !== null;
  return (
    <div class="banners" aria-live="polite">
      {open !== null && <RootOpen.View open={open} />}
      {invitations.length > 0 && <Invitations.View />}
      {household.restored() !== null && <RestoredNote.View />}
      <ReceiptKeyBanner />
      {isDeleted && <DeletedAccount.View />}
      {connection === 'offline' && problem !== null && !isDeleted && (
        <div>
          <Problem error={problem} />
          <p class="muted small">{kept(isLoaded)} This page keeps trying to reconnect.</p>
        </div>
      )}
      {pause !== null && (
        <div class="note note-wait">
          <strong>Viewing events is paused.</strong> Message from the operator: “{pause.message}”
          <p class="small">
            {pause.hint} {kept(isLoaded)} This page continues by itself.
          </p>
        </div>
      )}
      {pause === null && notice !== null && (
        <div class="note note-wait">
          <strong>Cameras of another household are paused.</strong> Message from the operator: “{notice}”
        </div>
      )}
      {isFurther && isLoaded && cameras.length === 0 && invitations.length === 0 && <WaitingBrowser.View />}
      {cameras.some(({ isVersionHidden }) => isVersionHidden) && <VersionBanner.View />}
      <AlarmBanners />
    </div>
  );
}

/** A page that was just opened has verified nothing yet: it keeps no events on this device. */
function kept(isLoaded: boolean): string {
  return isLoaded ? 'Everything shown here was verified before.' : 'Nothing is loaded yet.';
}
