/** The epochs of an export with what evidence and opening need of each. */
import { toHex } from '../../common/bytes.js';
import type { AnyClaim } from '../../protocol/objects/claim.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import { eventOf } from '../../protocol/evidence/event.js';
import type { KeyRecordObject } from '../../protocol/evidence/household-keys.js';
import type { EvidenceSource } from '../../protocol/evidence/make.js';
import { History } from '../../protocol/verify/history.js';
import { bindingOf, type ExportFile, type ExportRecord } from './export-file.js';

/** One epoch, its records by seq; those that do not belong to the claim or contradict another one are left out. */
export interface ExportEpoch extends Omit<EvidenceSource, 'keys' | 'records'> {
  readonly records: readonly ExportRecord[];
  readonly keyRecords: readonly KeyRecordObject[];
}

/** Returns the epochs of an export. */
export function epochsOf(file: ExportFile): ExportEpoch[] {
  const history = new History();
  const bound = file.records.filter(({ record }) => bindingOf(file, record) === 'bound');
  const shown = bound.filter(({ record }) => history.add(record) === 'added');
  return [...file.claims.values()].map((claim) => epochOf(file, claim, shown));
}

function epochOf(file: ExportFile, claim: Verified<AnyClaim>, shown: readonly ExportRecord[]): ExportEpoch {
  const hash = toHex(claim.hash);
  const isOwn = ({ value }: { readonly value: { readonly claimHash: Uint8Array } }): boolean =>
    toHex(value.claimHash) === hash;
  const records = shown.filter(({ record }) => isOwn(record)).sort((a, b) => a.record.value.seq - b.record.value.seq);
  return {
    claim,
    records,
    keyRecords: records.flatMap(({ record, media: [sealed] }) =>
      record.value.kind === 'key' && sealed ? [{ record, body: sealed.body }] : [],
    ),
    segments: file.segments,
    receipts: file.receipts.filter(isOwn),
    mediaReceipts: file.mediaReceipts.filter(isOwn),
  };
}

/** An event of an export, for a list to choose from. */
export interface ExportEvent {
  readonly epoch: ExportEpoch;
  readonly id: string;
  readonly records: readonly ExportRecord[];
}

/** Returns the events of all epochs, in their order. */
export function eventsOf(epochs: readonly ExportEpoch[]): ExportEvent[] {
  return epochs.flatMap((epoch) => {
    const events = new Map<string, ExportRecord[]>();
    for (const stored of epoch.records) {
      const id = eventOf(stored.record.value);
      if (id === undefined) continue;
      const key = toHex(id);
      events.set(key, [...(events.get(key) ?? []), stored]);
    }
    return [...events].map(([id, records]) => ({ epoch, id, records }));
  });
}
