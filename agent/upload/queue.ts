import type { AnyClaim } from '../../protocol/objects/claim.js';
import type { MediaReceipt } from '../../protocol/objects/media-receipt.js';
import type { RecordTime } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';

export interface QueuedSegment {
  readonly epoch: number;
  readonly bodyHash: Uint8Array;
  readonly length: number;
  read(): Uint8Array | null;
}
export interface SegmentQueue {
  segmentsToSend(count: number): readonly QueuedSegment[];
  applyMediaReceipt(receipt: Verified<MediaReceipt>, time: RecordTime): { stored: number; refused: number };
  claimOf(epoch: number): Verified<AnyClaim> | null;
}
