/** All that the settings say of notifications, in one place. */
import type { PushKind } from '../core/push-choices.js';

export const KIND_LABELS = {
  motion: 'Motion',
  tamper: 'A camera is touched or covered',
  loss: 'A camera lost records',
  silent: 'A camera is silent',
  look: 'Somebody begins to look',
  member: 'Somebody was added',
} as const satisfies Record<PushKind, string>;

export const NOTIFICATION_WORDS = {
  heading: 'Notifications',
  intro:
    'This browser checks each notification and opens its picture itself, also while the page is closed. What it cannot check, it does not show: then it says only that there is something new.',
  carrier: (host: string | null): string =>
    `The push service of your browser’s maker ${host === null ? '' : `(${host}) `}carries them. It learns that something is there, and when; not what.`,
  unlocked: 'They open without a passphrase: anyone who holds this device unlocked sees them.',
  turnOn: 'Turn on notifications',
  turnOff: 'Turn off here',
  save: 'Save',
  saved: 'Saved.',
  on: 'On in this browser.',
  test: 'Show a test',
  testTitle: 'Notifications work here',
  testBody: 'This one was made by the page itself. The cloud sent nothing.',
  asking: 'Asking the browser …',
  unsupported: 'This browser has no notifications from web pages.',
  homeScreen:
    'On an iPhone or iPad, add this page to the Home Screen first: Share, then “Add to Home Screen”. Open it there, and turn notifications on.',
  denied:
    'This browser does not let the page notify you. Allow notifications for this page in the browser’s settings, then come back.',
  noWorker: 'This browser does not keep the part of the page that would receive them, as in a private window.',
  noPush: 'This cloud does not send notifications. Its operator can switch them on.',
  kinds: 'Notify me when',
  quiet: 'Quiet hours',
  quietNone: 'None. Between these times the cloud sends nothing to this browser.',
  from: 'From',
  to: 'to',
  addQuiet: 'Add quiet hours',
  removeQuiet: 'Remove these quiet hours',
  cameras: 'For some cameras differently',
  camerasFull: (most: number): string =>
    `These are as many as can differ (${String(most)}). Set one to “Like the others” first.`,
  asOthers: 'Like the others',
  nothing: 'Nothing',
  own: 'Only these',
  browsers: 'Browsers of yours that are notified',
  thisBrowser: 'This browser',
  otherBrowser: (host: string): string => `Another browser, by ${host}`,
  since: (day: string): string => `since ${day}`,
  reached: (when: string): string => `last reached ${when}`,
  notReached: 'not reached yet',
  end: 'End',
} as const;
