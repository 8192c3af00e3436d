import type { SubtleSeals } from '../../protocol/crypto/web-seals.js';

/** Returns the browser's WebCrypto, of which the compiler's library does not know X-Wing yet; whether it has it shows in use. */
export function subtleSeals(): SubtleSeals | undefined {
  const { subtle } = globalThis.crypto as { readonly subtle?: unknown };
  return subtle as SubtleSeals | undefined;
}
