import { toHex } from '../../common/bytes.js';
import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import { accountId } from '../../protocol/objects/ids.js';

/** The number by which two people compare that they mean the same key: the account that follows from it, in groups of four. */
export function accountNumber(ed25519: Uint8Array): string {
  const hex = toHex(accountId(tweetnaclSuite, ed25519));
  return hex.match(/.{4}/g)?.join(' ') ?? hex;
}
