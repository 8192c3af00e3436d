import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchDetector } from './detector.js';
import { benchSeals } from './seals.js';
import { benchStages } from './stages.js';
import { BenchWorld } from './world.js';

/** Prints the figures of one part of `npm run bench` as JSON, on the emulated machine. Argument: detector, seals or stages. */
const progress = (text: string): void => {
  process.stderr.write(`${text}\n`);
};
const figures = {
  detector: () => benchDetector(new BenchWorld(), progress),
  seals: () => benchSeals(progress),
  stages: () => benchStages(new BenchWorld(), mkdtempSync(join(tmpdir(), 'bench-')), progress),
}[process.argv[2] ?? ''];
if (figures === undefined) throw new Error('no such part');
process.stdout.write(`${JSON.stringify(await figures())}\n`);
