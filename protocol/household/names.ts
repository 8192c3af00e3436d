import { utf8 } from '../../common/bytes.js';
import { LIMITS } from '../../common/limits.js';

/**
 * Returns a name as it is kept: NFC, without control characters, at most 64 letters as a person counts them and 256 bytes of
 * UTF-8, cut between two letters. One letter may be many code points, as a flag or a family is (UAX 29).
 */
export function keptName(typed: string): string {
  let kept = '';
  let letters = 0;
  // eslint-disable-next-line no-control-regex -- control characters are what this removes
  const clean = typed.normalize('NFC').replace(/[\u0000-\u001f\u007f\ufeff]/g, '');
  for (const letter of lettersOf(clean.trim())) {
    if (letters === LIMITS.householdNameMaxLetters) break;
    if (utf8(kept + letter).length > LIMITS.householdNameMaxBytes) break;
    kept += letter;
    letters++;
  }
  return kept.trim();
}

/** Returns how many letters a person sees. */
export function letterCount(name: string): number {
  return lettersOf(name).length;
}

function lettersOf(text: string): readonly string[] {
  const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return [...segmenter.segment(text)].map(({ segment }) => segment);
}
