/** Waits until something is true; says what it waited for when it never is. */
export async function until(what: string, check: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`waited ${String(timeoutMs)} ms for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
