import { readFileSync } from 'node:fs';
import { wrapChild } from '../../agent/main/adapters/wrap-child.js';
import { realClock } from '../../common/adapters/real-clock.js';
import { realRandom } from '../../common/adapters/real-random.js';
import { readProcessMemory } from '../../hal/linux/process-memory.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import type { WrapKey } from '../../protocol/seal/key-record.js';
import { watchChildren } from './children-memory.js';
import { median } from './measure.js';
import type { WrapMemory } from './wrap.js';

/**
 * Asks for wraps as the agent does, and prints what they leave in its memory. Argument: the program that wraps; without one, this
 * process wraps. On stdin: the recipients' keys, as `wrapRecipients` makes them.
 */
const WRAPS = 5;
const SETTLE_MS = 500;
const MIB = 1024 * 1024;

const [, , program = ''] = process.argv;
const recipients = readFileSync(0, 'utf8')
  .split(',')
  .map((key) => new Uint8Array(Buffer.from(key, 'base64')));
const wrap = program === '' ? await wrapHere() : wrapChild({ program, clock: realClock }).wrap;
const beforeMiB = await ownMiB();
const childPeakMiB = watchChildren(process.pid);
const times: number[] = [];
for (let i = 0; i < WRAPS; i++) {
  const startedMs = performance.now();
  await wrap({ recipients, info: realRandom.bytes(32), key: realRandom.bytes(32) });
  times.push(performance.now() - startedMs);
}
const peakMiB = childPeakMiB();
const result: WrapMemory = {
  beforeMiB,
  afterMiB: await ownMiB(),
  childPeakMiB: program === '' ? null : peakMiB,
  wrapMs: hundredths(median(times)),
};
process.stdout.write(`${JSON.stringify(result)}\n`);

/** Loaded only here: otherwise the other measurement would hold the code too. */
async function wrapHere(): Promise<WrapKey> {
  const { wrapKey } = await import('../../protocol/seal/key-record.js');
  return (job) => Promise.resolve(wrapKey(nodeSuite, realRandom, job));
}

async function ownMiB(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  globalThis.gc?.();
  return hundredths((readProcessMemory('self')?.ownMemoryBytes ?? 0) / MIB);
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
