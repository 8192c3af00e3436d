import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleAgent } from '../bundle.js';
import { isProgram } from '../command.js';
import { realClock } from '../../common/adapters/real-clock.js';
import { realRandom } from '../../common/adapters/real-random.js';
import { readProcessMemory } from '../../hal/linux/process-memory.js';
import { wrapChild } from '../../agent/main/adapters/wrap-child.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { xwingKeys } from '../../protocol/crypto/xwing.js';
import type { WrapKey } from '../../protocol/seal/key-record.js';
import { readFileSync } from 'node:fs';
import { watchChildren } from './children-memory.js';

/** What wrapping the key of a period to eight recipients leaves in a process that asks for it. */
export interface WrapMemory {
  /** Own memory (RssAnon) before the first wrap and after the last, in MiB. */
  readonly beforeMiB: number;
  readonly afterMiB: number;
  /** The highest own memory of the process that wrapped. */
  readonly childPeakMiB: number | null;
  /** Median, from the job to the body. */
  readonly wrapMs: number;
}

const RECIPIENTS = 8;
const WRAPS = 5;
const SETTLE_MS = 500;
const MIB = 1024 * 1024;

/** Measures wraps by the bundled process, and in the process itself, each in a fresh one. */
export async function benchWrap(
  folder: string,
  progress: (text: string) => void,
): Promise<{ readonly inChild: WrapMemory; readonly here: WrapMemory }> {
  progress('wraps …');
  await bundleAgent(folder);
  const keys = Array.from({ length: RECIPIENTS }, () => xwingKeys(nodeSuite, realRandom.bytes(32)).publicKey);
  const recipients = keys.map((key) => Buffer.from(key).toString('base64')).join(',');
  const measure = (program: string): Promise<WrapMemory> =>
    new Promise((resolve, reject) => {
      const self = spawn(process.execPath, ['--expose-gc', fileURLToPath(import.meta.url), program], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      let text = '';
      self.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
      self.on('error', reject);
      self.on('close', () => {
        try {
          resolve(JSON.parse(text) as WrapMemory);
        } catch (error) {
          reject(error instanceof Error ? error : new Error('no figures'));
        }
      });
      self.stdin.end(recipients);
    });
  return { inChild: await measure(join(folder, 'wrap.mjs')), here: await measure('') };
}

async function measured(program: string): Promise<WrapMemory> {
  const recipients = readFileSync(0, 'utf8')
    .split(',')
    .map((key) => new Uint8Array(Buffer.from(key, 'base64')));
  const wrap: WrapKey = program === '' ? await wrapHere() : wrapChild({ program, clock: realClock });
  const beforeMiB = await ownMiB();
  const childPeakMiB = watchChildren(process.pid);
  const times: number[] = [];
  for (let i = 0; i < WRAPS; i++) {
    const startedMs = performance.now();
    await wrap({ recipients, info: realRandom.bytes(32), key: realRandom.bytes(32) });
    times.push(performance.now() - startedMs);
  }
  const peakMiB = childPeakMiB();
  const afterMiB = await ownMiB();
  times.sort((a, b) => a - b);
  return {
    beforeMiB,
    afterMiB,
    childPeakMiB: program === '' ? null : peakMiB,
    wrapMs: times[Math.floor(WRAPS / 2)] ?? 0,
  };
}

/** Loaded only here: otherwise the other measurement would hold the code too. */
async function wrapHere(): Promise<WrapKey> {
  const { wrapKey } = await import('../../protocol/seal/key-record.js');
  return (job) => Promise.resolve(wrapKey(nodeSuite, realRandom, job));
}

async function ownMiB(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  globalThis.gc?.();
  return (readProcessMemory('self')?.ownMemoryBytes ?? 0) / MIB;
}

if (isProgram(import.meta.url)) {
  process.stdout.write(JSON.stringify(await measured(process.argv[2] ?? '')));
}
