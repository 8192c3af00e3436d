import { toHex } from '../../common/bytes.js';
import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import { accountId } from '../../protocol/objects/ids.js';

/** Returns the account of an owner key in groups of four hex digits, for two people to compare on their screens. */
export function accountNumber(ed25519: Uint8Array): string {
  const hex = toHex(accountId(tweetnaclSuite, ed25519));
  return hex.match(/.{4}/g)?.join(' ') ?? hex;
}
