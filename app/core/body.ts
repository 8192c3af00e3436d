import { isSealcamError, SealcamError } from '../../common/errors.js';

/**
 * Yields the chunks of a fetch body until it ends or the signal fires. `within` limits each wait.
 * @throws SealcamError `cloud-unreachable`
 */
export async function* bodyChunks(
  body: ReadableStream<Uint8Array>,
  within: <T>(wait: Promise<T>) => Promise<T>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  // Node's fetch ignores its signal once the headers have arrived; the body must be cancelled separately.
  const stop = (): void => {
    reader.cancel().catch(() => undefined);
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    for (;;) {
      const { done, value } = await within(reader.read());
      if (done) return;
      yield value;
    }
  } catch (cause) {
    if (isSealcamError(cause)) throw cause;
    throw new SealcamError('cloud-unreachable', 'the connection to the cloud broke', { cause });
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
