import { spawn } from 'node:child_process';
import { afterThisTest } from '../runner/after-test.js';

export interface PtyPair {
  readonly a: string;
  readonly b: string;
  readonly pid: number;
  /** Cuts the cable. */
  readonly stop: () => Promise<void>;
}

/** Makes two ttys with a cable between them, by socat, which ends with the running test. */
export async function ptyPair(): Promise<PtyPair> {
  const socat = spawn('socat', ['-d', '-d', 'pty,raw,echo=0', 'pty,raw,echo=0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  afterThisTest(() => void socat.kill('SIGKILL'));
  const ended = new Promise<void>((resolve) => {
    socat.once('close', () => {
      resolve();
    });
  });
  let output = '';
  const paths = await new Promise<string[]>((resolve, reject) => {
    socat.once('error', reject);
    socat.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const found = [...output.matchAll(/PTY is (\S+)/g)].map(([, path]) => path ?? '');
      if (found.length === 2) resolve(found);
    });
  });
  const [a = '', b = ''] = paths;
  return {
    a,
    b,
    pid: socat.pid ?? 0,
    stop: async () => {
      socat.kill('SIGKILL');
      await ended;
    },
  };
}
