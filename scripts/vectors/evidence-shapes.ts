/** Shapes of the vectors in evidence.json. */
import { concat } from '../../common/bytes.js';
import type { ErrorCode } from '../../common/error-codes.js';

/** Bytes [from, to) of the good file are replaced by `bytes`. */
export type Edit = readonly [from: number, to: number, bytes: Uint8Array];

export interface BadEvidence {
  readonly name: string;
  /** The good file that it differs from. */
  readonly of: string;
  readonly edit: Edit;
  readonly expect: ErrorCode;
  /** The rule that it breaks. */
  readonly why: string;
}

export interface GoodEvidence {
  readonly name: string;
  readonly file: Uint8Array;
  readonly event: Uint8Array;
  readonly claim: Uint8Array;
  /** Hashes of the records in their order. */
  readonly records: readonly Uint8Array[];
  /** Hash of the record after them, or null. */
  readonly after: Uint8Array | null;
  readonly pictures: readonly { readonly seq: number; readonly role: string; readonly jpeg: Uint8Array | null }[];
  readonly clipParts: readonly { readonly clip: number; readonly index: number; readonly hash: Uint8Array }[];
  readonly absent: number;
  readonly receipts: number;
  readonly mediaReceipts: number;
}

/** Returns a bad file. */
export function applyEdit(good: Uint8Array, [from, to, bytes]: Edit): Uint8Array {
  return concat(good.slice(0, from), bytes, good.slice(to));
}

/** A span that is not refused whole: what becomes of each of its events, `good` or the code of its refusal. */
export interface GoodSpan {
  readonly name: string;
  readonly file: Uint8Array;
  readonly events: readonly ('good' | ErrorCode)[];
}

/** A span that is refused whole. */
export interface BadSpan {
  readonly name: string;
  readonly file: Uint8Array;
  readonly expect: ErrorCode;
  /** The rule that it breaks. */
  readonly why: string;
}
