import { LIMITS } from '../../common/limits.js';
import { recordCodec, type SealcamRecord } from './record-fields.js';
import { recordCodecV2, type AnyRecord, type RecordV2 } from './record-fields-v2.js';
import { checkRecord } from './record-rules.js';
import { kindOfVersions, type SignedKind } from './signed-object.js';

export {
  LOSS_REASONS,
  type RecordCommand,
  type RecordEvent,
  type RecordHealth,
  type RecordMedia,
  type RecordScene,
  type RecordTime,
  type SealcamRecord,
} from './record-fields.js';
export type { AnyRecord, LossReason, RecordLoss, RecordV2 } from './record-fields-v2.js';

/** What a camera saw or did, signed by the camera and chained to the record before it. */
export const recordKind: SignedKind<SealcamRecord> = {
  domain: 'sealcam/record/v1',
  maxBytes: LIMITS.signedMaxBytes,
  codec: recordCodec,
  check: checkRecord,
};

/** The same in an epoch of version 2. */
export const recordKindV2: SignedKind<RecordV2> = { ...recordKind, codec: recordCodecV2, check: checkRecord };

/** A record of either version. Compare it with the version of its epoch, which `checkBinding` does. */
export const anyRecordKind: SignedKind<AnyRecord> = kindOfVersions(recordKind, recordKindV2);
