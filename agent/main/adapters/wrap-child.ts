import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { concat } from '../../../common/bytes.js';
import type { Clock } from '../../../common/clock.js';
import { SealcamError } from '../../../common/errors.js';
import type { Encapsulation } from '../../../protocol/crypto/xwing.js';
import type { WrapKey } from '../../../protocol/seal/key-record.js';
import { decodeAnswer, encapsulationOf, encodeJob, MESSAGE_MAX_BYTES, type Job } from '../../wrap/job.js';

/** A slow core needs some seconds to start Node and wrap eight keys. */
const TIMEOUT_MS = 60_000;
/** Of the child's heap; it uses a third. */
const HEAP_MAX_MIB = 32;

export interface WrapChildOptions {
  /** Path of the program, {@link wrapProgram}. */
  readonly program: string;
  readonly clock: Pick<Clock, 'after'>;
  readonly timeoutMs?: number;
}

/** Returns the path of the program: beside the bundle, else where the compiler put it. */
export function wrapProgram(entry: string | undefined): string {
  const bundled = entry === undefined || !existsSync(entry) ? '' : join(dirname(realpathSync(entry)), 'wrap.mjs');
  return existsSync(bundled) ? bundled : fileURLToPath(new URL('../../wrap/wrap.js', import.meta.url));
}

/** The two jobs of the process, each of which starts one. */
export interface WrapChild {
  readonly wrap: WrapKey;
  /** Makes a shared secret for the owner of an X-Wing public key. */
  readonly encapsulate: (kemKey: Uint8Array) => Promise<Encapsulation>;
}

/**
 * Returns what starts a process for each job. Both reject with `kem-key` for a key that must not be used, and with
 * `period-unavailable` where the process fails or takes too long.
 */
export function wrapChild(options: WrapChildOptions): WrapChild {
  const run = runJob(options);
  return { wrap: run, encapsulate: async (kemKey) => encapsulationOf(await run({ kemKey })) };
}

function runJob({ program, clock, timeoutMs = TIMEOUT_MS }: WrapChildOptions): (job: Job) => Promise<Uint8Array> {
  return (job) =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [`--max-old-space-size=${String(HEAP_MAX_MIB)}`, program], {
        stdio: ['pipe', 'pipe', 'ignore'],
        env: {},
      });
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      let why = '';
      const end = (reason: string): void => {
        why = why === '' ? reason : why;
        child.kill('SIGKILL');
      };
      const cancel = clock.after(timeoutMs, () => {
        end('it took too long');
      });
      child.stdout.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MESSAGE_MAX_BYTES) end('it answered too much');
        else chunks.push(chunk);
      });
      child.on('error', ({ message }) => {
        end(message);
      });
      // It may end before it has read everything; its exit says so.
      child.stdin.on('error', () => undefined);
      child.on('close', (code, signal) => {
        cancel();
        if (why === '' && code !== 0) why = `it ended with ${String(code ?? signal)}`;
        try {
          if (why !== '') throw new SealcamError('period-unavailable', `the process that makes keys failed: ${why}`);
          resolve(decodeAnswer(concat(...chunks)));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
      const input = encodeJob(job);
      child.stdin.end(input, () => {
        input.fill(0);
      });
    });
}
