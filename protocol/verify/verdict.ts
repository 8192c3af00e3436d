/**
 * A verifier's conclusion about a record. A record with a `shown` verdict may be shown, with the sentence beside it;
 * any other goes to quarantine, which no read path reaches.
 */
interface VerdictEntry {
  readonly shown: boolean;
  readonly tone: 'good' | 'wait' | 'warn' | 'bad';
  readonly title: string;
  /** What it means for the owner, in one sentence. */
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
    sentence: 'Your camera signed this. An earlier record has not arrived yet.',
  },
  gap: {
    shown: true,
    tone: 'warn',
    title: 'Verified, earlier records lost',
    sentence: 'Your camera signed this, but records just before it are lost.',
  },
  incomplete: {
    shown: true,
    tone: 'warn',
    title: 'Camera silent',
    sentence: 'Your camera has sent nothing for longer than expected. Newer events may be missing.',
  },
  'media-missing': {
    shown: true,
    tone: 'warn',
    title: 'Verified, picture missing',
    sentence: 'Your camera signed this event, but its picture is missing.',
  },
  duplicate: {
    shown: false,
    tone: 'good',
    title: 'Already received',
    sentence: 'The same record arrived twice and is kept once.',
  },
  equivocation: {
    shown: false,
    tone: 'bad',
    title: 'Contradiction',
    sentence: 'There are two different records for one place in the history. The one that arrived later is not shown.',
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
    sentence: 'This was made after the ownership had ended or was revoked, and is not shown.',
  },
  unsupported: {
    shown: false,
    tone: 'warn',
    title: 'Update needed',
    sentence: 'This was made by a newer version. Update to see it.',
  },
  malformed: {
    shown: false,
    tone: 'bad',
    title: 'Damaged',
    sentence: 'This is damaged or forged and is not shown.',
  },
} as const satisfies Record<string, VerdictEntry>;

export type Verdict = keyof typeof VERDICTS;
