import { spawn } from 'node:child_process';

/** What is running; ended with us. */
const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
    // A second one means it.
    process.once(signal, () => process.exit(130));
  });
}

/** A line for whoever waits; stdout belongs to the command's own output. */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

/**
 * Runs a command. With `capture` its output is kept, else it goes to our stderr (or, with `stdout`, where ours goes).
 * Resolves with {status, output, seconds}; a command that cannot be started has status 127.
 */
export function run(command, args, { capture = false, stdout = false, env = process.env, cwd = undefined } = {}) {
  const begun = performance.now();
  return new Promise((resolve) => {
    const sink = capture ? 'pipe' : 'inherit';
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ['inherit', capture ? 'pipe' : stdout ? 'inherit' : 2, sink],
    });
    running.add(child);
    const parts = [];
    child.stdout?.on('data', (chunk) => parts.push(chunk));
    child.stderr?.on('data', (chunk) => parts.push(chunk));
    const finish = (status, extra = '') => {
      running.delete(child);
      const output = Buffer.concat(parts).toString() + extra;
      resolve({ status, output, seconds: (performance.now() - begun) / 1000 });
    };
    child.once('error', (error) => finish(127, error.message));
    child.once('close', (status, signal) => finish(status ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}
