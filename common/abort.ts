/** Reads `aborted` through a call: after a check of the property itself the compiler assumes that it never changes. */
export function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
