import { spawn } from 'node:child_process';
import { availableParallelism, loadavg } from 'node:os';
import { clearTimeout, setTimeout } from 'node:timers';

/** Processes that want a core, for each core. */
const CROWDED = 4;

/** The time that a command which is asked to end may take. */
const ENDING_MS = 10_000;

/** What ends each command that runs now; they end with this process. */
const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    for (const end of running) end(signal);
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
 * started has status 127. With `silentMs` and `capture` a command that prints nothing for that long is ended, and has status 124.
 */
export function run(command, args, options = {}) {
  const {
    capture = false,
    stdout = false,
    nice = false,
    env = process.env,
    cwd = undefined,
    silentMs = null,
  } = options;
  const startMs = performance.now();
  // Where others crowd the machine a lower priority would get no core at all.
  const isNice = nice && loadavg()[0] < CROWDED * availableParallelism();
  const isWatched = capture && silentMs !== null;
  const [program, ...rest] = isNice ? ['nice', '-n', '5', command, ...args] : [command, ...args];
  return new Promise((resolve) => {
    const sink = capture ? 'pipe' : 'inherit';
    const child = spawn(program, rest, {
      cwd,
      env,
      stdio: ['inherit', capture ? 'pipe' : stdout ? 'inherit' : 2, sink],
      // A group of its own, so that its workers end with it.
      detached: isWatched,
    });
    const end = (signal) => {
      if (!isWatched || child.pid === undefined) return child.kill(signal);
      try {
        return process.kill(-child.pid, signal);
      } catch {
        return false;
      }
    };
    running.add(end);
    const parts = [];
    let isSilent = false;
    const endSilent = () => {
      isSilent = true;
      parts.push(Buffer.from(`\nIt printed nothing for ${silentMs / 1000} s, and was ended.\n`));
      end('SIGTERM');
      // A worker that computes without an end hears nothing else, and holds the output open.
      setTimeout(() => end('SIGKILL'), ENDING_MS).unref();
    };
    const watch = !isWatched ? null : setTimeout(endSilent, silentMs);
    const keep = (chunk) => {
      parts.push(chunk);
      if (!isSilent) watch?.refresh();
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    const finish = (status, extra = '') => {
      clearTimeout(watch);
      running.delete(end);
      const output = Buffer.concat(parts).toString() + extra;
      resolve({ status, output, seconds: (performance.now() - startMs) / 1000 });
    };
    child.once('error', (error) => finish(127, error.message));
    child.once('close', (status, signal) => finish(isSilent ? 124 : (status ?? (signal === 'SIGINT' ? 130 : 1))));
  });
}
