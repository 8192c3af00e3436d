import { parseArgs } from 'node:util';
import { writePart } from './results.js';
import { meaningOf, meaningTable } from './score/figures.js';

const HELP = `npm run sensitivity [-- options]

What the numbers of motion.sensitivity mean: draws figures of known size and contrast that cross a picture,
and asks the detector which of them it sees. The same figures at every run.

  --save    also into docs/detector.md
  --json    the figures as JSON
  --help    this text

Exit status: 0 measured, 2 wrong usage.
`;

const ASKED = [0, 20, 50, 80, 100];

function options(): { readonly save: boolean; readonly json: boolean; readonly help: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        save: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    process.exit(2);
  }
}

const { save, json, help } = options();
if (help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const meanings = ASKED.map((sensitivity) => {
  process.stderr.write(`sensitivity ${String(sensitivity)} …\n`);
  return meaningOf(sensitivity);
});
if (save) writePart('docs/detector.md', 'sensitivity', meaningTable(meanings));
process.stdout.write(json ? `${JSON.stringify(meanings)}\n` : `${meaningTable(meanings)}\n`);
