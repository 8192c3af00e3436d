/** What a verified evidence file proves and what it does not, in sentences for a reader who knows nothing of the protocol. */
import { toHex } from '../../common/bytes.js';
import { receiptKeyNumber } from '../objects/receipt.js';
import { versionOf } from '../objects/signed-object.js';
import { recordsBetween, type CheckedFile } from './span.js';
import type { Evidence } from './verify.js';

export interface Statements {
  readonly proves: readonly string[];
  readonly doesNotProve: readonly string[];
}

function many(count: number, one: string, more: string): string {
  return `${String(count)} ${count === 1 ? one : more}`;
}

/** Returns the sentences for a verified file. */
export function statementsOf(evidence: Evidence): Statements {
  return { proves: proofsOf(evidence), doesNotProve: limitsOf(evidence) };
}

function proofsOf({ claim, records, pictures, clipParts, after, receipts, mediaReceipts }: Evidence): string[] {
  const { device, epoch, ownerKey } = claim.value;
  const [first, last] = [records[0]?.value.seq ?? 0, records.at(-1)?.value.seq ?? 0];
  const proofs = [
    `The holder of the owner key ${toHex(ownerKey)} claimed the camera ${toHex(device)}, and the camera accepted it (epoch ${String(epoch)}).`,
    `This camera's key signed ${many(records.length, 'record', 'records')} (${String(first)} to ${String(last)}), each naming the one before it: none of them was changed, taken out, put in or moved.`,
  ];
  const withPicture = pictures.filter(({ content }) => content.jpeg !== null).length;
  if (withPicture > 0) {
    proofs.push(
      `${many(withPicture, 'picture is', 'pictures are')} whole and exactly what the camera sealed and signed.`,
    );
  }
  if (clipParts.length > 0) {
    proofs.push(
      `${many(clipParts.length, 'segment', 'segments')} of video, in order, exactly as the camera sealed and signed.`,
    );
  }
  if (after !== null) {
    proofs.push(`The camera went on from here: its record ${String(after.value.seq)} names the last one.`);
  }
  for (const key of new Set([...receipts, ...mediaReceipts].map(({ kid }) => receiptKeyNumber(kid)))) {
    proofs.push(`A cloud that the owner had named signed that it stored some of this (receipt key ${key}).`);
  }
  for (const { value } of mediaReceipts.slice(0, 1)) {
    proofs.push(
      `By its own clock that cloud signed for segments of video at ${new Date(value.issuedAtMs).toISOString()}.`,
    );
  }
  return proofs;
}

const CLOCKS = {
  unset: 'that clock had never been set',
  rtc: 'that clock came from a battery-backed chip',
  ntp: 'that clock was set over the network, which is not proven here',
} as const;

function limitsOf({ claim, records, pictures, clipParts, absent }: Evidence): string[] {
  const first = records[0]?.value;
  const last = records.at(-1)?.value;
  const limits: string[] = [];
  if (first !== undefined && last !== undefined) {
    const times = [first, last].map(({ time }) =>
      time.wallMs === null ? 'no time' : new Date(time.wallMs).toISOString(),
    );
    limits.push(
      `Not when it was: the camera's own clock said ${times.join(' to ')}, and ${CLOCKS[first.time.quality]}.`,
    );
    if (first.event?.phase !== 'start' && first.event?.phase !== 'single') {
      limits.push('Not how the event began: its first record is not in this file.');
    }
    if (!records.some(({ value }) => value.event?.phase === 'end' || value.event?.phase === 'single')) {
      limits.push('Not how the event ended: its last record is not in this file.');
    }
  }
  limits.push(
    'Not who or what stood before the lens, nor that the camera was not shown a picture.',
    'Not what happened before or after the event.',
    'Not who the owner is: a key has no name.',
    'Not that the camera was sound: anyone who has its key can sign anything. Compare its id with its label.',
  );
  if (absent > 0)
    limits.push(`Not all that was sealed: ${many(absent, 'object is', 'objects are')} named and not in this file.`);
  if (pictures.length === 0 && clipParts.length === 0) limits.push('No picture: this file has none.');
  if (versionOf(claim.value) === 1 && pictures.length > 0) {
    limits.push(
      'Not by the seal itself that a picture is of this event: its own note of it opens to the household only. The signed record says it.',
    );
  }
  return limits;
}

/** Returns what a span as a whole does not prove, beside what its events do not. */
export function limitsOfSpan({ events }: Pick<CheckedFile, 'events'>): string[] {
  const refused = events.filter(({ type }) => type === 'refused').length;
  const between = recordsBetween(events);
  const limits: string[] = [];
  if (refused > 0) {
    limits.push(
      `Nothing of ${many(refused, 'event', 'events')}: what the file holds of it was refused, and is not shown.`,
    );
  }
  if (between === null) limits.push('Not what happened between the events: the household changed between them.');
  else if (between > 0) {
    const records = many(between, 'record lies', 'records lie');
    limits.push(`Not what happened between the events: ${records} between them that this file does not hold.`);
  }
  return limits;
}
