import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import { ownerKeys } from '../core/owner-keys.js';
import { usePage } from './context.js';
import { useEffect, useState } from './preact.js';

/** Returns the public key of this browser's own, while the page uses the root key that rests beside it; else null. */
export function useOwnKey(): Uint8Array | null {
  const { root, storage } = usePage();
  const [key, setKey] = useState<Uint8Array | null>(null);
  const isApart = root !== null;
  useEffect(() => {
    if (!isApart) return;
    void storage.loadMaster().then((master) => {
      setKey(master === null ? null : ownerKeys(tweetnaclSuite, master).signer.publicKey);
    });
  }, [isApart, storage]);
  return key;
}
