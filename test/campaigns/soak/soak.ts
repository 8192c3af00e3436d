import { parseArgs } from 'node:util';
import { saveResult, writePart } from '../../../scripts/results.js';
import { soak, type SoakResult } from './run.js';

const HELP = `npm run soak -- [options]

A real agent's process on the mock camera, its network flapping, killed once and stopped once, with an outage that fills its
queue; how memory, handles and files grow in its last, longest life, an hour, by least squares.

  --minutes N    run for so long (10)
  --sample S     seconds between two samples (5)
  --json         one JSON object on stdout
  --save         also into docs/results/soak.json and docs/simulation.md
  --help         this text

Exit status: 0 handles and files did not grow, 1 they did, 2 wrong usage. Linux only.
`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    sample: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const [minutes, sampleS] = [Number(values.minutes), Number(values.sample)];
if (!(minutes >= 0.5 && minutes <= 10_000 && sampleS >= 0.2 && sampleS <= 600)) {
  process.stderr.write(`soak: --minutes from 0.5, --sample from 0.2\n\n${HELP}`);
  process.exit(2);
}

const PROGRESS_S = 20;
let toldS = -PROGRESS_S;
const outcome = await soak({
  seconds: 60 * minutes,
  sampleS,
  onSample: ({ atS, rssKiB, anonKiB, handles, fileBytes, heap }, phase) => {
    if (atS - toldS < PROGRESS_S && heap === null) return;
    toldS = atS;
    const inside = heap === null ? '' : `, heap ${String(Math.round(heap.heapUsed / 1024))} KiB`;
    process.stderr.write(
      `${String(atS)} s, ${phase}: RSS ${String(rssKiB)} KiB, anonymous ${String(anonKiB)} KiB, ${String(handles)} handles, ` +
        `files ${String(Math.round(fileBytes / 1024))} KiB${inside}\n`,
    );
  },
});
const hasGrown = isGrowing(outcome);
const result = { command: `npm run soak -- ${process.argv.slice(2).join(' ')}`.trim(), ...outcome };
if (values.save) {
  saveResult('soak', result);
  writePart('docs/simulation.md', 'soak', table(outcome));
}
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else process.stdout.write(`${table(outcome)}\n`);
process.exit(hasGrown ? 1 : 0);

/** A handle for each lost connection, or a log that is never cut, would be far above this. */
function isGrowing({ first, last }: SoakResult): boolean {
  if (first === null || last === null) return true;
  return last.handles > first.handles + 10 || last.fileBytes > first.fileBytes + 8 * 1024 * 1024;
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
      `resident ${ends}, from ${String(from_s)} s on:`,
    '',
    '| grows an hour | |',
    '|---|---|',
    ...rows,
  ].join('\n');
}
