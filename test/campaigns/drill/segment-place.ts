import { toHex } from '../../../common/bytes.js';
import type { AnyRecord } from '../../../protocol/objects/record.js';

interface Place {
  readonly device: Uint8Array;
  readonly eventId: Uint8Array;
  /** Number of the clip in its event. */
  readonly clip: number;
  readonly index: number;
}

/** Names the place of a segment. */
export function placeName({ device, eventId, clip, index }: Place): string {
  return [toHex(device), toHex(eventId), String(clip), String(index)].join('/');
}

/** Names the place that a clip record gives to a segment. */
export function segmentPlace({ device, clip }: Pick<AnyRecord, 'device' | 'clip'>, index: number): string {
  if (clip === undefined) throw new Error('not a clip record');
  return placeName({ device, eventId: clip.eventId, clip: clip.number, index });
}
