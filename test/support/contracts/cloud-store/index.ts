import { accessContract } from './access.js';
import { claimsContract } from './claims.js';
import { clocksContract } from './clocks.js';
import { groupsContract } from './groups.js';
import { operatorContract } from './operator.js';
import { pushContract } from './push.js';
import { recordsContract } from './records.js';
import { deletionsContract } from './deletions.js';
import { headsContract } from './heads.js';
import { periodsContract } from './periods.js';
import { retentionContract } from './retention.js';
import { segmentsContract } from './segments.js';
import { settingsContract } from './settings.js';
import type { OpenStore } from './world.js';

/** The tests that every cloud store must pass. `open` returns a new, empty store at each call. */
export function cloudStoreContract(open: OpenStore): void {
  claimsContract(open);
  recordsContract(open);
  groupsContract(open);
  accessContract(open);
  operatorContract(open);
  retentionContract(open);
  periodsContract(open);
  segmentsContract(open);
  deletionsContract(open);
  headsContract(open);
  settingsContract(open);
  clocksContract(open);
  pushContract(open);
}
