/**
 * What a verifier says of a record. `shown` verdicts may be shown with the sentence beside them; the others go to
 * the quarantine, where no read path leads.
 */
interface VerdictEntry {
  readonly shown: boolean;
  readonly tone: 'good' | 'wait' | 'warn' | 'bad';
  readonly title: string;
  /** For the owner: what it means, in one sentence. */
  readonly sentence: string;
}

export const VERDICTS = {
  intact: {
    shown: true,
    tone: 'good',
    title: 'Verified',
    sentence: 'Your camera signed this, nothing was changed, and nothing before it is missing.',
  },
  pending: {
    shown: true,
    tone: 'wait',
    title: 'Verified, catching up',
    sentence: 'Your camera signed this; an earlier record is still on its way.',
  },
  gap: {
    shown: true,
    tone: 'warn',
    title: 'Verified, something before it is lost',
    sentence: 'Your camera signed this, but records just before it are lost.',
  },
  incomplete: {
    shown: true,
    tone: 'warn',
    title: 'No word since',
    sentence: 'Your camera has been silent for longer than it should be; newer events may be missing.',
  },
  'media-missing': {
    shown: true,
    tone: 'warn',
    title: 'Verified, picture missing',
    sentence: 'Your camera signed this event, but its picture is not there.',
  },
  duplicate: {
    shown: false,
    tone: 'good',
    title: 'Already here',
    sentence: 'The same record came twice; it is kept once.',
  },
  equivocation: {
    shown: false,
    tone: 'bad',
    title: 'Contradiction',
    sentence: 'There are two different records for one place in the history; neither copy that came later is shown.',
  },
  foreign: {
    shown: false,
    tone: 'bad',
    title: 'Not yours',
    sentence: 'This belongs to another camera or owner and is not shown.',
  },
  revoked: {
    shown: false,
    tone: 'bad',
    title: 'No longer valid',
    sentence: 'This was made after the camera or this ownership was ended and is not shown.',
  },
  unsupported: {
    shown: false,
    tone: 'warn',
    title: 'Update needed',
    sentence: 'A newer version made this; update to see it.',
  },
  malformed: {
    shown: false,
    tone: 'bad',
    title: 'Damaged',
    sentence: 'This was damaged or forged and is not shown.',
  },
} as const satisfies Record<string, VerdictEntry>;

export type Verdict = keyof typeof VERDICTS;

export function isShown(verdict: Verdict): boolean {
  return VERDICTS[verdict].shown;
}
