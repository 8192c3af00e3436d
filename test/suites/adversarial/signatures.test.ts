import { concat } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { verifyStrict } from '../../../protocol/crypto/strict.js';
import type { CryptoSuite } from '../../../protocol/crypto/suite.js';
import { offerKind } from '../../../protocol/objects/offer.js';
import { recordKind } from '../../../protocol/objects/record.js';
import { sessionKind } from '../../../protocol/objects/session.js';
import { openSigned, signObject, type SignedKind } from '../../../protocol/objects/signed-object.js';
import { parseSign1 } from '../../../protocol/wire/cose.js';
import { Forge } from '../../../scripts/vectors/forge.js';
import { attacks, type Attack } from '../../support/attack.js';
import { codeOf } from '../../support/codes.js';
import { suites } from '../../support/runner/suites.js';
import { hex, readVectors } from '../../support/vectors.js';

const forge = new Forge(nodeSuite);
const good = forge.object(forge.device, {});
const bad = readVectors<readonly { name: string; object: string }[]>('bad');

function badObject(name: string): Uint8Array {
  const found = bad.find((vector) => vector.name === name);
  if (found === undefined) throw new Error(`no bad vector ${name}`);
  return hex(found.object);
}

/** Returns one word where both implementations give the same verdict, otherwise both verdicts. */
function onBoth(judge: (suite: CryptoSuite) => string): string {
  const verdicts = suites.map((suite) => ({ name: suite.name, verdict: judge(suite) }));
  const [first] = verdicts;
  return verdicts.every(({ verdict }) => verdict === first?.verdict)
    ? (first?.verdict ?? '')
    : verdicts.map(({ name, verdict }) => `${name} ${verdict}`).join(', ');
}

function open<T>(object: Uint8Array, kind: SignedKind<T>): string {
  return onBoth((suite) => codeOf(() => openSigned(kind, suite, object)));
}

const record = (object: Uint8Array): string => open(object, recordKind);

/** Verifies the signature of an object with the library alone, without the prechecks. */
function alone(object: Uint8Array): string {
  const { kid, sigStructure, signature } = parseSign1(object, recordKind.domain, recordKind.maxBytes);
  return onBoth((suite) => (suite.ed25519VerifyLoose(kid, sigStructure, signature) ? 'accepted' : 'refused'));
}

/** For a small-order A the equation holds for some messages; tries 64 of them. */
function smallOrderThatHolds(key: Uint8Array, r: Uint8Array): string {
  const signature = concat(r, new Uint8Array(32));
  const message = (i: number): Uint8Array => Uint8Array.of(i);
  return onBoth((suite) => {
    const all = Array.from({ length: 64 }, (_, i) => message(i));
    const held = all.filter((text) => suite.ed25519VerifyLoose(key, text, signature));
    const strict = held.filter((text) => verifyStrict(suite, key, text, signature));
    return `${held.length > 0 ? 'accepted by the library' : 'never'}, ${strict.length > 0 ? 'accepted' : 'refused'} here`;
  });
}

const unaltered = { name: 'the unaltered object', expected: 'accepted', observed: () => record(good) };

function refused(name: string, vector: string, expected: string): Attack {
  return { name, expected, observed: () => record(badObject(vector)), control: unaltered };
}

/** An attack that is refused here on both implementations, and that a library alone accepts. */
function looser(name: string, vector: string, libraries: string): Attack {
  const object = badObject(vector);
  return {
    name,
    expected: 'bad-signature',
    observed: () => record(object),
    control: { name: 'the libraries alone', expected: libraries, observed: () => alone(object) },
  };
}

const IDENTITY = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0));
const ORDER_EIGHT = hex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');

const session = signObject(sessionKind, nodeSuite, forge.device, {
  cloudOrigin: 'https://cloud.example',
  pageOrigin: 'https://app.example',
  nonce: new Uint8Array(32),
  expiresAtMs: 1,
}).bytes;

attacks('signatures', 'Signatures, with node:crypto and with tweetnacl', [
  looser('S + L malleation', 'signature-s-plus-l', 'node refused, tweetnacl accepted'),
  looser('S = 0 with identity A and R', 'key-identity-r-identity-s-zero', 'accepted'),
  {
    name: 'small-order A and R: one signature for many messages',
    expected: 'accepted by the library, refused here',
    observed: () => smallOrderThatHolds(ORDER_EIGHT, IDENTITY),
    control: {
      name: 'a real public key',
      expected: 'never, refused here',
      observed: () => smallOrderThatHolds(forge.device.publicKey, IDENTITY),
    },
  },
  looser('non-canonical A', 'key-non-canonical', 'accepted'),
  looser('A with x = −0', 'key-minus-zero', 'accepted'),
  refused('small-order R', 'r-identity', 'bad-signature'),
  refused('non-canonical R', 'r-non-canonical', 'bad-signature'),
  refused('the kid of another key', 'kid-of-another-key', 'bad-signature'),
  refused("a record of another device under this device's id", 'device-of-another-key', 'foreign'),
  {
    name: 'a signature of another domain: a session as a record',
    expected: 'bad-signature',
    observed: () => record(session),
    control: { name: 'as a session', expected: 'accepted', observed: () => open(session, sessionKind) },
  },
  {
    name: 'a signature of another domain: a record as an offer',
    expected: 'bad-signature',
    observed: () => open(good, offerKind),
    control: unaltered,
  },
  refused('alg −8 (EdDSA)', 'alg-eddsa-minus-8', 'malformed'),
  refused('alg none', 'alg-none', 'malformed'),
  refused('alg in the unprotected map', 'alg-in-unprotected', 'malformed'),
  {
    name: 'the buffer modified after verification',
    expected: 'unchanged',
    observed: () => mutated((bytes) => openSigned(recordKind, nodeSuite, bytes).bytes),
    control: {
      name: "a Buffer's own slice(), which is a view",
      expected: 'changes with the buffer',
      observed: () => mutated((bytes) => bytes.slice()),
    },
  },
]);

/** Whether kept bytes change when their Buffer is written to afterwards. */
function mutated(keep: (bytes: Uint8Array) => Uint8Array): string {
  const buffer = Buffer.from(good);
  const kept = keep(buffer);
  buffer.fill(0xee);
  return Buffer.from(kept).equals(Buffer.from(good)) ? 'unchanged' : 'changes with the buffer';
}
