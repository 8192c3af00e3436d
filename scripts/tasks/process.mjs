import { spawn } from 'node:child_process';

/** Running children, which are ended with this process. */
const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
    // A second signal does not wait for them.
    process.once(signal, () => process.exit(130));
  });
}

/** Prints a line of progress on stderr; stdout is for the command's own output. */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

/**
 * Runs a command. With `capture` its output is returned, with `stdout` it goes to this process's stdout, otherwise to its
 * stderr. Resolves with {status, output, seconds}; a command that cannot be started has status 127.
 */
export function run(command, args, { capture = false, stdout = false, env = process.env, cwd = undefined } = {}) {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    // 2 is this process's stderr.
    const out = stdout ? 'inherit' : 2;
    const stdio = capture ? ['inherit', 'pipe', 'pipe'] : ['inherit', out, 'inherit'];
    const child = spawn(command, args, { cwd, env, stdio });
    running.add(child);
    const parts = [];
    child.stdout?.on('data', (chunk) => parts.push(chunk));
    child.stderr?.on('data', (chunk) => parts.push(chunk));
    const finish = (status, extra = '') => {
      running.delete(child);
      const output = Buffer.concat(parts).toString() + extra;
      resolve({ status, output, seconds: (performance.now() - startedMs) / 1000 });
    };
    child.once('error', (error) => finish(127, error.message));
    child.once('close', (status, signal) => finish(status ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}
