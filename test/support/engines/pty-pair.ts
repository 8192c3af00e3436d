import { spawn } from 'node:child_process';
import { afterThisTest } from '../runner/after-test.js';

export interface PtyPair {
  readonly a: string;
  readonly b: string;
  readonly pid: number;
  /** Pulls the cable. */
  readonly stop: () => Promise<void>;
}

/** Two ttys with a cable between them, from socat; gone after the running test. */
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
  let said = '';
  const paths = await new Promise<string[]>((resolve, reject) => {
    socat.once('error', reject);
    socat.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const found = [...said.matchAll(/PTY is (\S+)/g)].map(([, path]) => path ?? '');
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
