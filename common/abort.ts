/** The signal may fire while something is waited for; a plain property read the compiler would take for good. */
export function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
