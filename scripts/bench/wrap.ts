import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { bundleAgent } from '../bundle.js';
import { checkout } from '../checkout.js';
import { realRandom } from '../../common/adapters/real-random.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { xwingKeys } from '../../protocol/crypto/xwing.js';

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

/** Returns the KEM keys of eight recipients as wrap-memory.ts reads them. */
export function wrapRecipients(): string {
  const keys = Array.from({ length: RECIPIENTS }, () => xwingKeys(nodeSuite, realRandom.bytes(32)).publicKey);
  return keys.map((key) => Buffer.from(key).toString('base64')).join(',');
}

/** Measures wraps by the bundled process, and in the process itself, each in a fresh one. */
export async function benchWrap(
  folder: string,
  progress: (text: string) => void,
): Promise<{ readonly inChild: WrapMemory; readonly here: WrapMemory }> {
  progress('wraps …');
  await bundleAgent(folder);
  const script = join(checkout, 'dist', 'scripts', 'bench', 'wrap-memory.js');
  const recipients = wrapRecipients();
  const measure = (...program: readonly string[]): Promise<WrapMemory> =>
    new Promise((resolve, reject) => {
      const self = spawn(process.execPath, ['--expose-gc', script, ...program], { stdio: ['pipe', 'pipe', 'inherit'] });
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
  return { inChild: await measure(join(folder, 'wrap.mjs')), here: await measure() };
}
