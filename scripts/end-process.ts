import type { ChildProcess } from 'node:child_process';

/** Ends a child process with a signal, and resolves when it is gone. Does nothing where it has ended already. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill(signal);
  await closed;
}
