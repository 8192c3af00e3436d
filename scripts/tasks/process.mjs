import { spawn } from 'node:child_process';
import { availableParallelism, loadavg } from 'node:os';

/** Processes that want a core, for each core. */
const CROWDED = 4;

/** What runs now; it ends with this process. */
const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
    // The second one ends this process too.
    process.once(signal, () => process.exit(130));
  });
}

/** Writes a line for the person who waits; stdout belongs to the command's own output. */
export function printProgress(text) {
  process.stderr.write(`${text}\n`);
}

/**
 * Runs a command. With `capture` its output is kept, else it goes to our stderr (or, with `stdout`, where ours goes).
 * With `nice` it has a lower priority than programs with real timers. Resolves with {status, output, seconds}; a command that cannot be
 * started has status 127.
 */
export function run(command, args, options = {}) {
  const { capture = false, stdout = false, nice = false, env = process.env, cwd = undefined } = options;
  const startMs = performance.now();
  // Where others crowd the machine a lower priority would get no core at all.
  const isNice = nice && loadavg()[0] < CROWDED * availableParallelism();
  const [program, ...rest] = isNice ? ['nice', '-n', '5', command, ...args] : [command, ...args];
  return new Promise((resolve) => {
    const sink = capture ? 'pipe' : 'inherit';
    const child = spawn(program, rest, {
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
      resolve({ status, output, seconds: (performance.now() - startMs) / 1000 });
    };
    child.once('error', (error) => finish(127, error.message));
    child.once('close', (status, signal) => finish(status ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}
