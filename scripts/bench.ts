import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchDetector, detectorTable } from './bench/detector.js';
import { benchHandshake } from './bench/handshake.js';
import type { Figure } from './bench/measure.js';
import { benchStages, wireBytes } from './bench/stages.js';
import { benchVerify } from './bench/verify.js';
import { BenchWorld } from './bench/world.js';
import { saveResult, writePart } from './results.js';

const HELP = `npm run bench [-- [detector] [options]]

What one event costs, stage by stage, each beside a floor that is timed in the same run; records verified a second;
bytes of an event on the wire. Read the ratios: absolute times are this machine's.

  detector  only what a frame costs the detector, beside decoding it
  --json    one JSON object on stdout
  --save    also into docs/results/bench.json, with commit and date
  --help    this text
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), 'sealcam-bench-'));
const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};
try {
  const world = new BenchWorld();
  const [only, ...rest] = positionals;
  if (rest.length > 0 || (only !== undefined && only !== 'detector')) {
    process.stderr.write(HELP);
    process.exit(2);
  }
  if (only === 'detector') {
    const figures = await benchDetector(world, say);
    const result = { command: 'npm run bench -- detector', figures };
    if (values.save) {
      saveResult('bench-detector', result);
      writePart('docs/detector.md', 'cost', detectorTable(figures));
    }
    process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : figures.map(line).join(''));
    process.exit(0);
  }
  const handshake = await benchHandshake(folder, say);
  const stages = [...(await benchStages(world, folder, say)), ...(handshake === null ? [] : [handshake])];
  say('verify …');
  const verify = await benchVerify(world, folder);
  const wire = await wireBytes(world);
  const result = { command: 'npm run bench', stages, verify, wire };
  if (values.save) saveResult('bench', result);
  if (values.json) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
  } else {
    const table = [...stages, verify.figure].map(line).join('');
    process.stdout.write(
      `\n${'stage'.padEnd(58)}${'median'.padStart(10)}${'floor'.padStart(10)}${'ratio'.padStart(8)}  floor is\n${table}\n` +
        `${String(verify.verified)} records verified a second on one core; bare Ed25519 ${String(verify.bare)}: ` +
        `${String(Math.round(verify.share * 100))} % of it\n` +
        `${String(verify.stored)} records a second through ingest into SQLite, with a picture each\n` +
        `${String(wire.event)} bytes on the wire for an event of start, update and end ` +
        `(start ${String(wire.startMessage)}: record ${String(wire.record)}, sealed picture ${String(wire.sealedPicture)} ` +
        `of a JPEG of ${String(wire.pictureJpeg)}; end ${String(wire.endMessage)})\n`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function line({ name, us, floorUs, ratio, floor }: Figure): string {
  const time = (value: number): string =>
    `${value >= 1000 ? (value / 1000).toFixed(2) : value.toFixed(1)} ${value >= 1000 ? 'ms' : 'µs'}`;
  return `${name.padEnd(58)}${time(us).padStart(10)}${time(floorUs).padStart(10)}${ratio.toFixed(2).padStart(8)}  ${floor}\n`;
}
