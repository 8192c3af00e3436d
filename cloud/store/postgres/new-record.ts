import type { AnyRecord } from '../../../protocol/objects/record.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import type { NewMedia } from '../store.js';

/** A record that a transaction stores. */
export interface NewRecord {
  readonly record: Verified<AnyRecord>;
  readonly media: readonly NewMedia[];
  readonly atMs: number;
}
