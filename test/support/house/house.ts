/**
 * `npm run house`: the structure of the code in one line of figures, and what breaks its rules.
 *
 *   npm run house             the figures, and every breach as a sentence
 *   npm run house -- --json   {"files","lines","rooms","arrows","arrows_up","circles","spread_literals","old_words","dead"}
 *
 * Exit status: 0 no breach, 1 a breach.
 */
import { Command } from 'commander';
import { oldWords } from '../words.js';
import { arrowsUp, otherBreaches } from './boundaries.js';
import { arrowsBetweenRooms, findCircles, findDead, roomsOf } from './graph.js';
import { codeFiles, outsideMentions, wordFiles } from './sources.js';
import { spreadLiterals } from './tricks.js';

interface Survey {
  readonly figures: Readonly<Record<string, unknown>>;
  readonly breaches: readonly string[];
}

function survey(): Survey {
  const sources = codeFiles();
  const lines = Object.values(sources)
    .map((text) => text.split('\n').length - 1)
    .sort((a, b) => a - b);
  const quantile = (share: number): number => lines[Math.min(lines.length - 1, Math.floor(share * lines.length))] ?? 0;
  const up = arrowsUp(sources);
  const circles = findCircles(sources);
  const spreads = spreadLiterals(sources);
  const words = Object.entries(wordFiles()).flatMap(([path, text]) => oldWords(path, text));
  const dead = findDead(sources, outsideMentions());
  return {
    figures: {
      files: lines.length,
      lines: { median: quantile(0.5), p90: quantile(0.9), max: lines[lines.length - 1] ?? 0 },
      rooms: roomsOf(sources).length,
      arrows: arrowsBetweenRooms(sources).length,
      arrows_up: up.length,
      circles: circles.length,
      spread_literals: spreads.length,
      old_words: words.length,
      dead: dead.length,
    },
    breaches: [
      ...up,
      ...otherBreaches(sources),
      ...circles.map((circle) => `a circle of imports: ${circle.join(', ')}`),
      ...spreads,
      ...words,
      ...dead.map((name) => `dead: ${name}`),
    ],
  };
}

const program = new Command('npm run house --')
  .description('The structure of the code in figures, and what breaks its rules.')
  .option('--json', 'the figures as one line of JSON')
  .parse();
const { figures, breaches } = survey();
if (program.opts<{ json?: true }>().json === true) console.log(JSON.stringify(figures));
else {
  for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(16)} ${JSON.stringify(value)}`);
  for (const breach of breaches) console.log(breach);
}
process.exitCode = breaches.length === 0 ? 0 : 1;
