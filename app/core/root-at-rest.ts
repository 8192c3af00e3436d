import { equal, toHex, utf8 } from '../../common/bytes.js';
import * as v from '../../common/schema.js';
import { KEY_BYTES } from '../../protocol/objects/ids.js';
import type { AppStorage } from './storage.js';

/** The root key in a browser that has keys of its own besides: it is used only while a passphrase has opened it. */
export interface RootAtRest {
  /** Ed25519, 32 bytes: whose claims this browser follows. */
  readonly publicKey: Uint8Array;
  /** The text of a recovery file, which holds the root's master key under the passphrase. */
  readonly file: string;
}

const schema = v.object({ publicKey: v.hexBytes(KEY_BYTES), file: v.string() });

/** Returns the root key that rests here; null where the page uses the root key itself, and where another browser has it. */
export async function loadRoot(storage: AppStorage, ownKey: Uint8Array): Promise<RootAtRest | null> {
  const bytes = await storage.loadRoot();
  if (bytes === null) return null;
  const root = v.parse(schema, JSON.parse(new TextDecoder().decode(bytes)));
  // Protecting was interrupted before the browser's own key stood in place of the root's.
  return equal(root.publicKey, ownKey) ? null : root;
}

/** Stores a wrapped root key. */
export function saveRoot(storage: AppStorage, { publicKey, file }: RootAtRest): Promise<void> {
  return storage.saveRoot(utf8(JSON.stringify({ publicKey: toHex(publicKey), file })));
}
