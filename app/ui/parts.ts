import { loadScrypt } from '../../protocol/crypto/hashes.js';
import type { PageContext } from './context.js';
import { part } from './part.js';

/** The parts of the page that are not needed to show events. The build makes a file of each. */
export const Onboarding = part(async () => (await import('./onboarding.js')).Onboarding);
export const EventDialog = part(async () => (await import('./event-dialog.js')).EventDialog, { isQuiet: true });
export const CamerasView = part(async () => (await import('./cameras-view.js')).CamerasView);
export const SettingsView = part(async () => (await import('./settings-view.js')).SettingsView);
export const AddCamera = part(async () => (await import('./add-camera.js')).AddCamera);
export const AddMember = part(async () => (await import('./add-member.js')).AddMember);
export const WaitingBrowser = part(async () => (await import('./waiting-browser.js')).WaitingBrowser);
export const DeletedAccount = part(async () => (await import('./deleted-account.js')).DeletedAccount);
export const Invitations = part(async () => (await import('./invitations.js')).Invitations, { isQuiet: true });
export const RestoredNote = part(async () => (await import('./restored-note.js')).RestoredNote, { isQuiet: true });
export const RootOpen = part(async () => (await import('./root-open.js')).RootOpen, { isQuiet: true });
export const VersionBanner = part(async () => (await import('./version-banner.js')).VersionBanner);

const QUIET = { isQuiet: true };
export const DayStrip = part(async () => (await import('./day-strip.js')).DayStrip, QUIET);
export const DeletedEvents = part(async () => (await import('./deleted-events.js')).DeletedEvents, QUIET);
export const EventFinder = part(async () => (await import('./event-finder.js')).EventFinder, QUIET);
export const NoEvents = part(async () => (await import('./no-events.js')).NoEvents, QUIET);
export const TimelineTools = part(async () => (await import('./timeline-tools.js')).TimelineTools, QUIET);
export const UndoNote = part(async () => (await import('./undo-note.js')).UndoNote, QUIET);

/** Loads what a signed-in person may open next, and starts what works where no page is open. */
export function preloadParts(page: PageContext): void {
  // Without a connection the next visit does it.
  import('./in-background.js').then(({ startInBackground }) => startInBackground(page)).catch(() => undefined);
  for (const { preload } of [EventDialog, CamerasView, SettingsView, AddCamera, AddMember, UndoNote, NoEvents])
    preload();
  page.settings().catch(() => undefined);
  // For a recovery file, which one may want just when the connection is gone.
  loadScrypt().catch(() => undefined);
}
