import { readFileSync } from 'node:fs';
import { fromBase64, toHex } from '../../common/bytes.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { anyClaimKind } from '../../protocol/objects/claim.js';
import { anyCommandKind } from '../../protocol/objects/command.js';
import { deletionKind } from '../../protocol/objects/deletion.js';
import { floorKind } from '../../protocol/objects/floor.js';
import { anyHeadsKind } from '../../protocol/objects/heads.js';
import { lookKind } from '../../protocol/objects/look.js';
import { mediaReceiptKind } from '../../protocol/objects/media-receipt.js';
import { anyMemberKind } from '../../protocol/objects/member.js';
import { anyOfferKind } from '../../protocol/objects/offer.js';
import { anyReceiptKind } from '../../protocol/objects/receipt.js';
import { anyRecordKind } from '../../protocol/objects/record.js';
import { revocationKind } from '../../protocol/objects/revocation.js';
import { sessionKind } from '../../protocol/objects/session.js';
import { settingsKind } from '../../protocol/objects/settings.js';
import { openSigned, type SignedKind } from '../../protocol/objects/signed-object.js';
import { unlockKind } from '../../protocol/objects/unlock.js';
import { VERDICTS } from '../../protocol/verify/verdict.js';
import { looksLikeEvidence } from '../../protocol/evidence/evidence-file.js';
import { verifyExport } from './verify-export.js';
import type { Output } from './output.js';
import { verifyEvidenceFile } from './verify-evidence.js';

const KINDS = [
  anyRecordKind,
  anyClaimKind,
  anyOfferKind,
  anyReceiptKind,
  anyCommandKind,
  sessionKind,
  revocationKind,
  unlockKind,
  anyMemberKind,
  anyHeadsKind,
  deletionKind,
  floorKind,
  lookKind,
  mediaReceiptKind,
  settingsKind,
] as readonly SignedKind<unknown>[];

/** First byte of an export, which is JSON lines. */
const OPENING_BRACE = 0x7b;
/** First byte of a tagged COSE_Sign1 object: RFC 9052 §2. */
const COSE_SIGN1_TAG = 0xd2;

/** Runs `sealcam verify FILE` on a signed object, an account's export or an evidence file. Returns 3 if anything in it is refused. */
export function verifyCommand(path: string, output: Output): number {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(readFileSync(path));
  } catch (cause) {
    throw new SealcamError('usage-invalid', `${path} cannot be read`, { cause });
  }
  if (looksLikeEvidence(bytes)) return verifyEvidenceFile(bytes, output);
  return bytes[0] === OPENING_BRACE ? verifyLines(bytes, output) : verifyObject(bytes, output);
}

/** Verifies one COSE object, raw or as base64 text. Finds its domain by trying each. */
function verifyObject(file: Uint8Array, output: Output): number {
  const text = new TextDecoder().decode(file).trim();
  const bytes = file[0] === COSE_SIGN1_TAG ? file : (fromBase64(text) ?? file);
  let failure: SealcamError | undefined;
  for (const kind of KINDS) {
    try {
      const { value, hash, kid } = openSigned(kind, nodeSuite, bytes);
      const name = kind.domain.split('/')[1] ?? kind.domain;
      output.printLine(`${name}: the signature is valid`);
      output.printLine(`  signed by  ${toHex(kid)}\n  hash       ${toHex(hash)}\n${indent(readable(value))}`);
      output.emit({ kind: name, kid: toHex(kid), hash: toHex(hash), value: readable(value) });
      return 0;
    } catch (error) {
      if (!isSealcamError(error)) throw error;
      // The wrong domain shows as a bad signature. Any other error comes from the right domain and is worth more.
      if (failure === undefined || failure.code === 'bad-signature') failure = error;
    }
  }
  throw failure ?? new SealcamError('malformed', 'nothing to verify');
}

function verifyLines(bytes: Uint8Array, output: Output): number {
  const report = verifyExport(nodeSuite, new TextDecoder().decode(bytes).split('\n'));
  const { verdicts, problems, deletedEpochs } = report;
  for (const [verdict, count] of Object.entries(verdicts)) {
    output.printLine(
      `${String(count).padStart(7)}  ${verdict.padEnd(14)} ${VERDICTS[verdict as keyof typeof VERDICTS].sentence}`,
    );
  }
  if (deletedEpochs > 0) {
    output.printLine(
      `${String(deletedEpochs).padStart(7)}  deleted epochs   deleted with their account: nothing of them is left to verify`,
    );
  }
  for (const problem of problems)
    output.printLine(`  line ${String(problem.line)}: ${problem.message} [${problem.code}]`);
  output.emit({ ...report });
  return problems.length === 0 ? 0 : 3;
}

/** Replaces bytes by their hex, for printing. */
function readable(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, readable(item)]));
  }
  return value;
}

function indent(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(/^/gm, '  ');
}
