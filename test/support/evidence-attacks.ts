import { realRandom } from '../../common/adapters/real-random.js';
import { equal } from '../../common/bytes.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import type { Signer } from '../../protocol/crypto/suite.js';
import { contextOf, eventOf, openPicture } from '../../protocol/evidence/event.js';
import {
  decodeEvidence,
  encodeEvidence,
  type EvidenceFile,
  type EvidenceRecord,
} from '../../protocol/evidence/evidence-file.js';
import { makeEvidence } from '../../protocol/evidence/make.js';
import { verifyEvidence } from '../../protocol/evidence/verify.js';
import { anyClaimKind } from '../../protocol/objects/claim.js';
import { accountId } from '../../protocol/objects/ids.js';
import { anyReceiptKind, type AnyReceipt } from '../../protocol/objects/receipt.js';
import { anyRecordKind, type AnyRecord } from '../../protocol/objects/record.js';
import { signObject } from '../../protocol/objects/signed-object.js';
import { openWithE, type ObjectContext } from '../../protocol/seal/object.js';
import { OpenedPeriod } from '../../protocol/seal/open-period.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import { EvidenceWorld } from '../../scripts/vectors/evidence-world.js';
import { resealed } from '../../scripts/vectors/evidence-bad.js';
import type { Attack } from './attack.js';
import { codeOf } from './codes.js';

const suite = nodeSuite;
const world = new EvidenceWorld(suite, 2);
const event = makeEvidence(suite, world.source, world.id('event'));
const stranger = suite.ed25519Signer(realRandom.bytes(32));

function verdictOf(file: EvidenceFile): string {
  return codeOf(() => verifyEvidence(suite, encodeEvidence(file)));
}

type Change = (file: EvidenceFile) => EvidenceFile;

/** The attack changes a good file; the control is the same file without the change, or another check. */
function changed(name: string, expected: string, change: Change, control?: Attack['control']): Attack {
  return {
    name,
    expected,
    observed: () => verdictOf(change(decodeEvidence(event))),
    control: control ?? {
      name: 'the file as it was made',
      expected: 'accepted',
      observed: () => verdictOf(decodeEvidence(event)),
    },
  };
}

const records = (change: (parts: readonly EvidenceRecord[]) => readonly EvidenceRecord[]): Change => {
  return (file) => ({ ...file, records: change(file.records) });
};

/** Every sealed picture of the history, with its context. */
function pictures(): (readonly [ObjectContext, SealedObject])[] {
  return world.records.flatMap(({ record: { value }, media }) =>
    (value.media ?? []).flatMap((entry, at) => {
      const [own, sealed] = [eventOf(value), media[at]];
      return own === undefined || !sealed ? [] : [[contextOf(value, own, entry.id, entry.role), sealed] as const];
    }),
  );
}

/** Returns how many pictures of the history open with what a file holds, or with CK_0 of their period. */
function openedWith(what: 'keys of the file' | 'chain'): string {
  const keys = decodeEvidence(event).records.flatMap(({ objects }) =>
    objects.flatMap((o) => (o === null ? [] : [o.key])),
  );
  const period = new OpenedPeriod(suite, world.periodId, world.chainStart.slice());
  const all = pictures();
  const opened = all.filter(([context, sealed]) => {
    const tried = what === 'chain' ? [period.keyOf(context, sealed.header)] : keys;
    return tried.some((key) => codeOf(() => openWithE(suite, key, context, sealed)) === 'accepted');
  });
  return `${String(opened.length)} of ${String(all.length)}`;
}

/** A file in which everything that the camera signed was signed again by a stranger, for the same claim. */
function signedByAnother(file: EvidenceFile, signer: Signer): EvidenceFile {
  let before = world.records[0]?.record.hash ?? new Uint8Array(0);
  const again = (value: AnyRecord): Uint8Array => {
    // The rules of signing would refuse it: the device is not the signer's.
    const kind = { ...anyRecordKind, check: () => undefined };
    const signed = signObject(kind, suite, signer, { ...value, prev: before });
    before = signed.hash;
    return signed.bytes;
  };
  const own = world.records.filter(({ record }) => record.value.seq >= 2).map(({ record }) => record.value);
  const parts = file.records.flatMap((part, i) => {
    const value = own[i];
    return value === undefined ? [] : [{ ...part, record: again(value) }];
  });
  return { ...file, records: parts, after: null };
}

/** A claim of a stranger over the same camera and epoch, with the camera's real records under it. */
function claimedByAnother(file: EvidenceFile): EvidenceFile {
  const { value } = world.claim;
  const account = accountId(suite, stranger.publicKey);
  const [first, ...others] = value.recipients;
  if (first === undefined) return file;
  const recipients = [{ ...first, ed25519: stranger.publicKey }, ...others] as typeof value.recipients;
  const claim = { ...value, account, ownerKey: stranger.publicKey, recipients } as typeof value;
  return { ...file, claim: signObject(anyClaimKind, suite, stranger, claim).bytes };
}

function receiptBy(signer: Signer): Change {
  const receipt: AnyReceipt | undefined = world.source.receipts[0]?.value;
  return (file) =>
    receipt === undefined ? file : { ...file, receipts: [signObject(anyReceiptKind, suite, signer, receipt).bytes] };
}

/** Whether the forged picture opens where nobody compares it with the record. */
function resealedAlone(): string {
  const forged = resealed(suite, decodeEvidence(event)).records[0]?.objects[0] ?? null;
  const [context, sealed] = pictures()[0] ?? [];
  if (forged === null || context === undefined || sealed === undefined) return 'nothing';
  const isOther = !equal(forged.body, sealed.body);
  return isOther ? codeOf(() => openPicture(suite, world.claim.value, context, forged.key, forged)) : 'the same';
}

/** Attacks on evidence files, and with them. */
export function evidenceAttacks(): readonly Attack[] {
  return [
    {
      name: 'the keys of an evidence file are tried on every picture of the period',
      expected: '2 of 4',
      observed: () => openedWith('keys of the file'),
      control: { name: 'CK_0 of the period', expected: '4 of 4', observed: () => openedWith('chain') },
    },
    changed(
      'an evidence file with another picture, sealed with the key in it',
      'malformed',
      (file) => resealed(suite, file),
      {
        name: 'without the hash in the record',
        expected: 'accepted',
        observed: resealedAlone,
      },
    ),
    changed(
      'an evidence file without one of its records',
      'malformed',
      records((parts) => parts.filter((_, i) => i !== 1)),
    ),
    changed(
      'an evidence file with two records exchanged',
      'malformed',
      records(([a, b, ...rest]) => [b, a, ...rest].flatMap((part) => part ?? [])),
    ),
    changed('an evidence file with the picture of another event in its place', 'malformed', (file) => {
      const [first, ...rest] = file.records;
      const other = decodeEvidence(makeEvidence(suite, world.source, world.id('event 2'))).records[0];
      return first === undefined ? file : { ...file, records: [{ ...first, objects: other?.objects ?? [] }, ...rest] };
    }),
    changed(
      "an evidence file with records that another camera's key signed",
      'foreign',
      (file) => signedByAnother(file, stranger),
      {
        name: 'signed by the camera',
        expected: 'accepted',
        observed: () => verdictOf({ ...decodeEvidence(event), after: null }),
      },
    ),
    changed("an evidence file with a stranger's claim over the camera", 'foreign', claimedByAnother),
    changed('an evidence file with a receipt that a stranger signed', 'foreign', receiptBy(stranger)),
  ];
}
