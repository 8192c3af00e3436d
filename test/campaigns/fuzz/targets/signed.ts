import { copyOf } from '../../../../common/bytes.js';
import type { Random } from '../../../../common/random.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { isAcceptablePoint, verifyStrict } from '../../../../protocol/crypto/strict.js';
import { tweetnaclSuite } from '../../../../protocol/crypto/tweetnacl.js';
import { openSigned, type SignedKind } from '../../../../protocol/objects/signed-object.js';
import { encodeCbor } from '../../../../protocol/wire/cbor.js';
import { parseSign1, signSign1 } from '../../../../protocol/wire/cose.js';
import { NAMES, signerOf } from '../../../../scripts/vectors/keyring.js';
import { signedVectors, type SignedVector } from '../../../../scripts/vectors/signed.js';
import { signedVectorsV2 } from '../../../../scripts/vectors/signed-v2.js';
import { EITHER_KINDS, SIGNED_KINDS, SIGNED_KINDS_V2 } from '../../../support/signed-kinds.js';
import type { Target } from '../harness.js';
import { below, mutateBytes, mutateCbor, noise, oneOf } from '../mutate.js';

const vectors = signedVectors(nodeSuite);
const vectorsV2 = signedVectorsV2(nodeSuite);

/** Returns a source of objects of this kind: valid, mutated, or with a mutated payload that its own signer signed. */
export function signedInput(domain: string, of: readonly SignedVector[] = vectors): (random: Random) => Uint8Array {
  const seeds = of.filter((vector) => vector.domain === domain);
  return (random) => {
    const seed = oneOf(random, seeds);
    const choice = below(random, 10);
    if (choice === 0) return noise(random);
    if (choice < 4) return mutateBytes(random, seed.object);
    const signer = signerOf(nodeSuite, NAMES[seed.signer]);
    if (choice === 4) return seed.object;
    if (choice === 5) return signSign1(domain, signer, mutateBytes(random, seed.payload));
    return signSign1(domain, signer, mutateCbor(random, seed.payload));
  };
}

/** Encodes an accepted value again; only the signature is copied from the input. */
function encodedAgain<T>(kind: SignedKind<T>, bytes: Uint8Array, value: T): Uint8Array {
  const { kid, signature } = parseSign1(bytes, kind.domain, kind.maxBytes);
  return signSign1(kind.domain, { publicKey: kid, sign: () => signature }, encodeCbor(kind.codec.toCbor(value)));
}

/** @param about which version the kind opens: '' for version 1 alone */
function signedTarget(kind: SignedKind<unknown>, about: string, seeds: readonly SignedVector[]): Target {
  return {
    name: `signed ${kind.domain.split('/')[1] ?? ''}${about}`,
    input: signedInput(kind.domain, seeds),
    run: (input) => encodedAgain(kind, input, openSigned(kind, nodeSuite, input).value),
  };
}

const KEY_BYTES = 32;
const signer = signerOf(nodeSuite, NAMES.device);
const goodSignature = signer.sign(new Uint8Array(KEY_BYTES));

/** The input is key, signature and message. Both implementations must give the same verdict. */
const bothPaths: Target = {
  name: 'strict Ed25519, both paths',
  input: (random) => {
    const message = new Uint8Array(KEY_BYTES);
    const good = new Uint8Array(Buffer.concat([signer.publicKey, goodSignature, message]));
    if (below(random, 8) === 0) return good;
    const mutated = copyOf(good);
    const at = below(random, mutated.length);
    mutated.set(random.bytes(Math.min(1 + below(random, 33), mutated.length - at)), at);
    return mutated;
  },
  run: (input) => {
    const parts = [
      input.slice(0, KEY_BYTES),
      input.slice(3 * KEY_BYTES),
      input.slice(KEY_BYTES, 3 * KEY_BYTES),
    ] as const;
    const node = verifyStrict(nodeSuite, ...parts);
    // tweetnacl is slow, and a refusal by the prechecks, which both share, leaves nothing to compare.
    const isComparable = isAcceptablePoint(parts[0]) && isAcceptablePoint(parts[2].slice(0, KEY_BYTES));
    const other = isComparable ? verifyStrict(tweetnaclSuite, ...parts) : false;
    if (node !== other) throw new Error(`node:crypto gives ${String(node)}, tweetnacl ${String(other)}`);
    return undefined;
  },
};

export const SIGNED_TARGETS: readonly Target[] = [
  ...SIGNED_KINDS.map((kind) => signedTarget(kind, '', vectors)),
  ...SIGNED_KINDS_V2.map((kind) => signedTarget(kind, ', version 2', vectorsV2)),
  ...EITHER_KINDS.map((kind) => signedTarget(kind, ', either version', [...vectors, ...vectorsV2])),
  bothPaths,
];
