import { accessContract } from './access.js';
import { claimsContract } from './claims.js';
import { operatorContract } from './operator.js';
import { recordsContract } from './records.js';
import type { OpenStore } from './world.js';

/** What every cloud store has to do; `open` gives a new, empty one at each call. */
export function cloudStoreContract(open: OpenStore): void {
  claimsContract(open);
  recordsContract(open);
  accessContract(open);
  operatorContract(open);
}
