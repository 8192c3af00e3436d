import { anyClaimKind, claimKind, claimKindV2 } from '../../protocol/objects/claim.js';
import { anyCommandKind, commandKind, commandKindV2 } from '../../protocol/objects/command.js';
import { deletionKind } from '../../protocol/objects/deletion.js';
import { floorKind } from '../../protocol/objects/floor.js';
import { anyHeadsKind, headsKind, headsKindV2 } from '../../protocol/objects/heads.js';
import { lookKind } from '../../protocol/objects/look.js';
import { mediaReceiptKind } from '../../protocol/objects/media-receipt.js';
import { anyMemberKind, memberKind, memberKindV2 } from '../../protocol/objects/member.js';
import { anyOfferKind, offerKind, offerKindV2 } from '../../protocol/objects/offer.js';
import { anyReceiptKind, receiptKind, receiptKindV2 } from '../../protocol/objects/receipt.js';
import { anyRecordKind, recordKind, recordKindV2 } from '../../protocol/objects/record.js';
import { revocationKind } from '../../protocol/objects/revocation.js';
import { sessionKind } from '../../protocol/objects/session.js';
import { settingsKind } from '../../protocol/objects/settings.js';
import type { SignedKind } from '../../protocol/objects/signed-object.js';
import { unlockKind } from '../../protocol/objects/unlock.js';

/** All kinds of signed objects in version 1. */
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

/** All kinds in version 2. */
export const SIGNED_KINDS_V2 = [
  recordKindV2,
  offerKindV2,
  claimKindV2,
  receiptKindV2,
  commandKindV2,
  memberKindV2,
  headsKindV2,
  lookKind,
  mediaReceiptKind,
  settingsKind,
] as readonly SignedKind<unknown>[];

/** The kinds that have both versions, opened as either. */
export const EITHER_KINDS = [
  anyRecordKind,
  anyOfferKind,
  anyClaimKind,
  anyReceiptKind,
  anyCommandKind,
  anyMemberKind,
  anyHeadsKind,
] as readonly SignedKind<unknown>[];
