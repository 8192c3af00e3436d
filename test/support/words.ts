/**
 * Words that the house does not use, and what it writes instead. Each is put together here, so that this file holds none.
 * The table follows the house's style guide: plain English that an engineer would say, and that grep finds.
 */

export interface Word {
  /** What to look for, and nothing else. */
  readonly pattern: RegExp;
  /** An example of the word, for the test that plants one. */
  readonly example: string;
  readonly instead: string;
}

function word(parts: readonly string[], endings: string, instead: string): Word {
  const stem = parts.join('');
  return { pattern: new RegExp(String.raw`\b${stem}${endings}\b`, 'i'), example: stem, instead };
}

export const WORDS: readonly Word[] = [
  word(['me', 'nd'], '(s|ed|ing)?', 'fix, repair'),
  word(['spo', 'il'], '(s|ed|t|ing)?', 'corrupt, damage'),
  word(['an', 'ew'], '', 'again, restarts'),
  word(['in ', 'vain'], '', 'name what did not arrive'),
  word(['who', 'ever'], '', 'any … that, anyone who'),
  word(['who', 'mever'], '', 'any … that, anyone who'),
  word(['so ', 'long'], '', 'for this long, or the number'),
  word(['so ', 'many'], '', 'the number, or this many'),
  word(['is ', 'none'], '', 'is not one, has no …, is absent'),
  word(['are ', 'none'], '', 'has no …, are absent'),
  word(['is ', 'told'], '', 'receives, is notified'),
  word(['are ', 'told'], '', 'receive, are notified'),
  word(['was ', 'told'], '', 'received, was notified'),
  word(['were ', 'told'], '', 'received, were notified'),
  word(['be ', 'told'], '', 'receive, be notified'),
];

/** Method and function names that do not say what is done to what. */
export const VAGUE_NAMES: ReadonlySet<string> = new Set([
  'take',
  'look',
  'say',
  'tell',
  'follow',
  'settle',
  'attempt',
  'heed',
]);

/** Names of constants that hide a quantity. Put together, like the words. */
export const RIDDLES: ReadonlySet<string> = new Set(
  [
    ['MU', 'CH'],
    ['FLO', 'OD'],
    ['HA', 'STE'],
    ['CLAIM_VA', 'IN_MS'],
  ].map((parts) => parts.join('')),
);

/** Lines with a word that the house does not use. Block quotes and “quotations” are somebody else's words. */
export function oldWords(path: string, text: string): string[] {
  const isProse = path.endsWith('.md');
  return text.split('\n').flatMap((line, index) => {
    if (isProse && line.startsWith('>')) return [];
    const quoted = line.replace(/“[^”]*”/g, '');
    // Python's null is spelt like one of the words.
    const own = path.endsWith('.py') ? quoted.replace(/\bis (not )?None\b/g, '') : quoted;
    return WORDS.filter(({ pattern }) => pattern.test(own)).map(
      ({ example, instead }) => `${path}:${String(index + 1)}: "${example}": write ${instead}`,
    );
  });
}
