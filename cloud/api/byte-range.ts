/** Bytes from `from` on and below `end`. */
export interface Part {
  readonly from: number;
  readonly end: number;
}

/**
 * Returns the part that a Range header asks for (RFC 9110 §14); null for the whole, also where the header has several ranges, or one
 * that cannot be met: a server may always answer with the whole.
 */
export function partOf(header: string | undefined, length: number): Part | null {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return null;
  // `-n` asks for the last n bytes.
  const from = first === '' ? Math.max(0, length - Number(last)) : Number(first);
  const end = first === '' || last === '' ? length : Math.min(length, Number(last) + 1);
  return from < end ? { from, end } : null;
}
