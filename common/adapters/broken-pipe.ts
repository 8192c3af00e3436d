/**
 * Keeps the process running when the reader of its stdout or stderr goes away (`| head`, a restarted log collector): what
 * it writes afterwards is discarded. Other errors of the two streams are thrown, as without it.
 *
 * Source: EPIPE in POSIX.1-2017 write(); Node ignores SIGPIPE.
 */
export function surviveBrokenPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}
