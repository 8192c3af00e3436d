import type { ClipHole, ClipVerdict, JudgedClip } from '../core/clip-verdict.js';

/** How a verdict on a clip is shown, and what it means for the owner, in one sentence. */
export const CLIP_VERDICTS = {
  intact: {
    tone: 'good',
    title: 'Whole',
    sentence: 'Your camera signed every part of this video, and all of them are here, in their order.',
  },
  signed: {
    tone: 'good',
    title: 'Signed',
    sentence: 'Your camera signed every part of this video. Each is checked before it plays.',
  },
  coming: {
    tone: 'wait',
    title: 'Still coming',
    sentence: 'Your camera is still recording or sending. What is here can be watched.',
  },
  'cut-off': {
    tone: 'warn',
    title: 'Cut off',
    sentence:
      'Your camera never signed an end: it lost power or its connection, or somebody ended it. What came before is whole.',
  },
  lost: { tone: 'warn', title: 'Parts lost', sentence: 'Parts of this video are lost, and that is signed.' },
  missing: {
    tone: 'bad',
    title: 'Parts missing',
    sentence: 'Parts of this video are missing, and nobody signed for it.',
  },
  refused: {
    tone: 'bad',
    title: 'Parts refused',
    sentence: 'In place of parts of this video something came that your camera did not seal there. It is not played.',
  },
} as const satisfies Record<ClipVerdict, { readonly tone: string; readonly title: string; readonly sentence: string }>;

const HOLES: Readonly<Record<ClipHole['why'], string>> = {
  coming: 'not here yet',
  lost: 'lost, and that is signed',
  missing: 'missing, and nobody signed for it',
  refused: 'refused: not what your camera sealed there',
  broken: 'here, but cannot be shown without the part before it',
};

/** Returns the title of a verdict; a clip that was cut off says where. */
export function clipTitle({ verdict, lengthMs }: JudgedClip): string {
  const { title } = CLIP_VERDICTS[verdict];
  return verdict === 'cut-off' ? `${title} at ${seconds(lengthMs)}` : title;
}

/** Returns what of a clip does not play, and why. */
export function holeSentence({ fromMs, toMs, why }: ClipHole): string {
  const where = toMs === null ? `A part after ${seconds(fromMs)}` : `${seconds(fromMs)} to ${seconds(toMs)}`;
  return `${where}: ${HOLES[why]}.`;
}

/** "12 s" */
export function seconds(ms: number): string {
  return `${String(Math.round(ms / 1000))} s`;
}

/** "0:12" */
export function playTime(ms: number): string {
  const whole = Math.floor(ms / 1000);
  return `${String(Math.floor(whole / 60))}:${String(whole % 60).padStart(2, '0')}`;
}
