import { nodeSuite } from '../../../protocol/crypto/node.js';
import { tweetnaclSuite } from '../../../protocol/crypto/tweetnacl.js';

/** Both implementations of the primitives; a test of one runs with the other too. */
export const suites = [nodeSuite, tweetnaclSuite] as const;
