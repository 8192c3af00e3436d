import { claimKind } from '../../protocol/objects/claim.js';
import { commandKind } from '../../protocol/objects/command.js';
import { deletionKind } from '../../protocol/objects/deletion.js';
import { floorKind } from '../../protocol/objects/floor.js';
import { headsKind } from '../../protocol/objects/heads.js';
import { memberKind } from '../../protocol/objects/member.js';
import { offerKind } from '../../protocol/objects/offer.js';
import { receiptKind } from '../../protocol/objects/receipt.js';
import { recordKind } from '../../protocol/objects/record.js';
import { revocationKind } from '../../protocol/objects/revocation.js';
import { sessionKind } from '../../protocol/objects/session.js';
import type { SignedKind } from '../../protocol/objects/signed-object.js';
import { unlockKind } from '../../protocol/objects/unlock.js';

/** All kinds of signed objects. */
export const SIGNED_KINDS = [
  recordKind,
  offerKind,
  claimKind,
  receiptKind,
  commandKind,
  sessionKind,
  revocationKind,
  unlockKind,
  memberKind,
  headsKind,
  deletionKind,
  floorKind,
] as readonly SignedKind<unknown>[];
