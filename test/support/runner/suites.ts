import { nodeSuite } from '../../../protocol/crypto/node.js';
import { tweetnaclSuite } from '../../../protocol/crypto/tweetnacl.js';

/** Both implementations of the primitives: whatever is tested with one is tested with the other. */
export const suites = [nodeSuite, tweetnaclSuite] as const;
