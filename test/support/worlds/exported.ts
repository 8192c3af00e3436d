import { toBase64 } from '../../../common/bytes.js';
import type { EvidenceSource } from '../../../protocol/evidence/make.js';

/** Returns the export of a world's account, with what its cloud kept of clips and receipts. */
export function exportedLines({
  source: { claim, records, segments, receipts, mediaReceipts },
}: {
  readonly source: Omit<EvidenceSource, 'keys'>;
}): string[] {
  const lines: object[] = [
    { type: 'export', version: 1, atMs: 0, accessArchivedBeforeMs: null },
    { type: 'claim', claim: toBase64(claim.bytes), state: 'open' },
    ...records.map(({ record, media }) => ({
      type: 'record',
      record: toBase64(record.bytes),
      receivedAtMs: 0,
      media: (record.value.media ?? []).map((_, at) => {
        const sealed = media[at] ?? null;
        return sealed === null ? null : { header: toBase64(sealed.header), body: toBase64(sealed.body) };
      }),
    })),
    ...[...segments.values()].map((body) => ({ type: 'segment', body: toBase64(body) })),
    ...receipts.map(({ bytes }) => ({ type: 'receipt', receipt: toBase64(bytes) })),
    ...mediaReceipts.map(({ bytes }) => ({ type: 'media-receipt', receipt: toBase64(bytes) })),
  ];
  return lines.map((line) => JSON.stringify(line));
}
