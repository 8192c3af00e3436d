/** `npm run soak`: runs one agent for a long time, and measures how its memory, handles and files grow. Linux only. */
import { commandLine, numberIn, printResult, runCommand, throttled } from '../../../scripts/command.js';
import { saveResult, writePart } from '../../../scripts/results.js';
import { soak, type SoakResult } from './run.js';

const HELP = `npm run soak -- [options]

Runs a real agent on the mock camera over a flapping network, with one kill, one stop, and an outage that fills its outbox.
Measures how memory, handles and files grew in the last and longest life of the process, per hour, by least squares.

  --minutes N    length of the run (10)
  --sample S     seconds between two samples (5)
  --json         print one JSON object on stdout
  --save         also write docs/results/soak.json and the table in docs/simulation.md
  --help         print this text

Exit status: 0 handles and files did not grow, 1 they did, 2 wrong usage. Linux only.
`;

const PROGRESS_INTERVAL_MS = 20_000;
const HANDLES_GROWTH_MAX = 10;
const FILES_GROWTH_MAX_BYTES = 8 * 1024 * 1024;

await runCommand({
  name: 'soak',
  help: HELP,
  options: {
    minutes: { type: 'string', default: '10' },
    sample: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
  },
  readOptions: ({ minutes, sample, json, save }) => ({
    seconds: 60 * numberIn('minutes', minutes, 0.5, 10_000),
    sampleS: numberIn('sample', sample, 0.2, 600),
    json,
    save,
  }),
  main: async ({ seconds, sampleS, json, save }, { progress }) => {
    const sometimes = throttled(progress, PROGRESS_INTERVAL_MS);
    const outcome = await soak({
      seconds,
      sampleS,
      onSample: ({ rssKiB, anonKiB, handles, fileBytes, heap }, phase) => {
        sometimes(() => {
          const inside = heap === null ? '' : `, heap ${String(Math.round(heap.heapUsed / 1024))} KiB`;
          return (
            `${phase}: RSS ${String(rssKiB)} KiB, anonymous ${String(anonKiB)} KiB, ${String(handles)} handles, ` +
            `files ${String(Math.round(fileBytes / 1024))} KiB${inside}`
          );
        });
      },
    });
    const result = { command: commandLine('soak'), ...outcome };
    if (save) {
      saveResult('soak', result);
      writePart('docs/simulation.md', 'soak', table(outcome));
    }
    printResult(json, result, table(outcome));
    return isGrowing(outcome) ? 1 : 0;
  },
});

/** A leak of one handle per lost connection, or a log that is never truncated, exceeds these limits by far. */
function isGrowing({ first, last }: SoakResult): boolean {
  if (first === null || last === null) return true;
  return last.handles > first.handles + HANDLES_GROWTH_MAX || last.fileBytes > first.fileBytes + FILES_GROWTH_MAX_BYTES;
}

function table({
  seconds,
  restarts,
  outages,
  records,
  slopes_per_hour: slopes,
  first,
  last,
  from_s,
}: SoakResult): string {
  const rows = Object.entries(slopes).map(([name, slope]) => `| ${name} | ${slope === null ? '–' : String(slope)} |`);
  const ends = [first, last].map((sample) => (sample === null ? '–' : `${String(sample.rssKiB)} KiB`)).join(' → ');
  return [
    `${String(Math.round(seconds / 60))} minutes, ${String(records)} records of events, ${String(outages)} outages, ${String(restarts)} restarts; ` +
      `resident ${ends}, measured from ${String(from_s)} s on:`,
    '',
    '| growth an hour | |',
    '|---|---|',
    ...rows,
  ].join('\n');
}
