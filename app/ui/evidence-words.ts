import type { SealcamError } from '../../common/errors.js';

/** What a refusal of an evidence file says, for a reader who knows nothing of the format. */
const REFUSALS: Readonly<Record<string, readonly [message: string, hint: string]>> = {
  'request-invalid': [
    'This is not an evidence file',
    'Choose a file that sealcam saved as evidence. Its name ends in .evidence.',
  ],
  malformed: [
    'This file is not whole, or something in it was changed',
    'Ask for the file again, and have it sent as a file, not copied as text.',
  ],
  'bad-signature': [
    'A signature in this file does not match: something was changed after it was signed',
    'Ask for the file again, as it was saved.',
  ],
  foreign: [
    'The parts of this file do not belong together: something in it is of another camera or another owner',
    'Ask for the file again, as it was saved.',
  ],
  'seal-refused': [
    'A picture or video in this file does not open with the key that is beside it',
    'Ask for the file again, as it was saved.',
  ],
  unsupported: ['A newer version of sealcam made this file', 'Check it with a newer version of this page.'],
  'too-large': [
    'This file is larger than any evidence file may be',
    'Evidence files have 256 MiB at most. Nothing of it was read.',
  ],
};

/** Returns a refusal in plain words, with its code. */
export function refusalWords({ code, message, hint }: SealcamError): {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
} {
  const [plain, advice] = REFUSALS[code] ?? [message, hint];
  return { code, message: plain, hint: advice };
}

/** What a camera's clock is worth. */
export const CLOCK_WORDS = {
  ntp: 'by the camera’s own clock, which the network had set; this is not proven',
  rtc: 'by the camera’s own clock, which runs from a battery; this is not proven',
  unset: 'by a clock that had never been set: do not rely on it',
} as const;

export const WORDS = {
  title: 'Check an evidence file',
  intro:
    'Choose a file that sealcam saved as evidence, or drop it anywhere on this page. It is checked on this device: nothing is sent, and no account is needed.',
  choose: 'Evidence file',
  checking: 'Checking the file',
  stop: 'Stop',
  back: 'Back',
  stopped: 'Stopped. Nothing of the file is shown.',
  good: 'Everything in this file checks out',
  nothingShown: 'Nothing of this file is shown, because it does not hold what it must.',
  eventRefused: 'Nothing of this event is shown.',
  camera: 'The camera’s key',
  cameraHint: 'Compare it with the number on the camera’s label.',
  account: 'Account',
  receipts: 'Kept by a cloud',
  proves: 'What this proves',
  doesNotProve: 'What this does not prove',
  noTime: 'no time',
  play: 'Play',
  pause: 'Pause',
  saveVideo: 'Save the video',
  cannotPlay: 'This browser does not play the video here. Save it to see it.',
} as const;

/** Returns the heading over a span. */
export function spanVerdict(events: number, refused: number): string {
  if (refused === 0) return `All ${String(events)} events in this file check out`;
  return `${String(refused)} of ${String(events)} events in this file ${refused === 1 ? 'is' : 'are'} refused`;
}

/** The panel in the settings. */
export const SPAN_WORDS = {
  title: 'Evidence',
  intro:
    'Save what a camera recorded between two times as one file. Anyone who gets the file can check it without your key, and sees these events and nothing else.',
  camera: 'Camera',
  from: 'From',
  to: 'To',
  save: 'Save as evidence',
  cancel: 'Cancel',
  cancelled: 'Cancelled. Nothing was saved.',
  making: 'Putting the file together',
  check: 'Check an evidence file',
} as const;

export function findingWords(records: number): string {
  return `Looking through the history: ${String(records)} records`;
}

/** Returns what was saved, and what was not. */
export function savedWords(events: number, leftOut: readonly string[]): string {
  const saved = `${String(events)} ${events === 1 ? 'event is' : 'events are'} in the file.`;
  if (leftOut.length === 0) return saved;
  const lost = `${String(leftOut.length)} ${leftOut.length === 1 ? 'is' : 'are'} not, because something of it is missing here:`;
  return `${saved} ${lost} ${leftOut.join(', ')}.`;
}
