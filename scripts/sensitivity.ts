/** `npm run sensitivity`: measures what each value of motion.sensitivity detects. */
import { printResult, runCommand } from './command.js';
import { writePart } from './results.js';
import { meaningOf, meaningTable } from './score/figures.js';

const HELP = `npm run sensitivity [-- options]

Measures what the values of motion.sensitivity mean: draws figures of known size and contrast that cross a picture, and
counts which of them the detector reports. Every run draws the same figures.

  --save    also write the table into docs/detector.md
  --json    print the figures as JSON
  --help    print this text

Exit status: 0 measured, 1 failed, 2 wrong usage.
`;

const MEASURED_SENSITIVITIES = [0, 20, 50, 80, 100];

await runCommand({
  name: 'sensitivity',
  help: HELP,
  options: {
    save: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
  readOptions: (values) => values,
  main: ({ save, json }, { progress }) => {
    const meanings = MEASURED_SENSITIVITIES.map((sensitivity) => {
      progress(`sensitivity ${String(sensitivity)} …`);
      return meaningOf(sensitivity);
    });
    const table = meaningTable(meanings);
    if (save) writePart('docs/detector.md', 'sensitivity', table);
    printResult(json, meanings, table);
    return 0;
  },
});
