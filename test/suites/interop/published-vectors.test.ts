import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from 'cborg';
import { describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../../../common/bytes.js';
import { isSealcamError } from '../../../common/errors.js';
import { verifyStrict } from '../../../protocol/crypto/strict.js';
import type { CryptoSuite } from '../../../protocol/crypto/suite.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { tweetnaclSuite } from '../../../protocol/crypto/tweetnacl.js';
import { encodeCbor } from '../../../protocol/wire/cbor.js';
import { parseSign1 } from '../../../protocol/wire/cose.js';
import { limitMs } from '../../support/runner/speed.js';
import { suites } from '../../support/runner/suites.js';
import { hex, isDemanded, publishedVectors, repository, vectorRemedy } from '../../support/vectors.js';

/** Case numbers: those accepted, and those refused that a library without the prechecks would accept. */
interface Pinned {
  readonly cases: number;
  readonly accepted: readonly number[];
  readonly onlyNode: readonly number[];
  readonly onlyTweetnacl: readonly number[];
  readonly bothLibraries: readonly number[];
}
interface Verdicts {
  readonly 'wycheproof-ed25519': Pinned;
  readonly 'cctv-ed25519': Pinned;
  readonly 'speccheck-cases': Pinned;
  readonly 'wycheproof-x25519': { readonly cases: number; readonly zero: readonly number[] };
}
const VERDICTS = JSON.parse(
  readFileSync(join(repository, 'test', 'fixtures', 'published-verdicts.json'), 'utf8'),
) as Verdicts;

interface SignatureCase {
  readonly number: number;
  readonly key: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** Returns the verdicts on a set of cases. Both libraries, behind the same prechecks, must agree. */
function verdictsOf(cases: readonly SignatureCase[]): Pinned {
  const out = { accepted: [], onlyNode: [], onlyTweetnacl: [], bothLibraries: [] } as Record<
    Exclude<keyof Pinned, 'cases'>,
    number[]
  >;
  for (const item of cases) {
    const node = verdict(nodeSuite, item);
    const tweetnacl = verdict(tweetnaclSuite, item);
    if (node.strict !== tweetnacl.strict) throw new Error(`the two paths disagree on case ${String(item.number)}`);
    if (node.strict) out.accepted.push(item.number);
    else if (node.alone && tweetnacl.alone) out.bothLibraries.push(item.number);
    else if (node.alone) out.onlyNode.push(item.number);
    else if (tweetnacl.alone) out.onlyTweetnacl.push(item.number);
  }
  return { cases: cases.length, ...out };
}

/** Returns our verdict and the library's own. The library is called once, because tweetnacl is slow. */
function verdict(suite: CryptoSuite, { key, message, signature }: SignatureCase): { strict: boolean; alone: boolean } {
  let alone: boolean | undefined;
  const ask: CryptoSuite['ed25519VerifyLoose'] = (...parts) => (alone = suite.ed25519VerifyLoose(...parts));
  const strict = verifyStrict({ ...suite, ed25519VerifyLoose: ask }, key, message, signature);
  // tweetnacl throws on a signature of another length.
  return { strict, alone: alone ?? (signature.length === 64 && suite.ed25519VerifyLoose(key, message, signature)) };
}

/** Runs a test with a file's content. Without the file it fails where vectors are demanded, and is a named skip elsewhere. */
function withVectors(name: string, title: string, run: (content: unknown) => void): void {
  const path = publishedVectors(name);
  const test = it.skipIf(path === undefined && !isDemanded);
  const isMissing = path === undefined;
  test(
    isMissing ? `${title} (not run: ${vectorRemedy(name)})` : title,
    // A thousand signatures in tweetnacl take a while where other work shares the cores.
    { timeout: limitMs(90_000) },
    () => {
      if (isMissing) throw new Error(vectorRemedy(name));
      run(JSON.parse(readFileSync(path, 'utf8')));
    },
  );
}

function shared(suite: CryptoSuite, secret: string, key: string): string {
  try {
    return toHex(suite.x25519(hex(secret), hex(key)));
  } catch (error) {
    if (isSealcamError(error)) return error.code;
    throw error;
  }
}

describe.each(suites)('published vectors with $name', (suite) => {
  it('RFC 8032 §7.1, tests 1 to 3 and SHA(abc)', () => {
    const cases = [
      [
        '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
        'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
        '',
        'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
      ],
      [
        '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
        '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
        '72',
        '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
      ],
      [
        'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
        'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
        'af82',
        '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
      ],
    ] as const;
    for (const [seed, key, message, signature] of cases) {
      const signer = suite.ed25519Signer(hex(seed));
      expect(toHex(signer.publicKey)).toBe(key);
      expect(toHex(signer.sign(hex(message)))).toBe(signature);
      expect(verifyStrict(suite, hex(key), hex(message), hex(signature))).toBe(true);
    }
  });

  it('RFC 7748 §6.1', () => {
    const alice = '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a';
    const bob = '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb';
    const alicePublic = '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a';
    const bobPublic = 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f';
    expect(toHex(suite.x25519PublicKey(hex(alice)))).toBe(alicePublic);
    expect(toHex(suite.x25519PublicKey(hex(bob)))).toBe(bobPublic);
    const secret = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742';
    expect(shared(suite, alice, bobPublic)).toBe(secret);
    expect(shared(suite, bob, alicePublic)).toBe(secret);
  });
  it('RFC 7748 §5.2', () => {
    const cases = [
      [
        'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
        'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
        'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
      ],
      [
        '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
        'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
        '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957',
      ],
    ] as const;
    for (const [scalar, point, result] of cases) expect(shared(suite, scalar, point)).toBe(result);
    let k = hex(`09${'00'.repeat(31)}`);
    let u = k;
    for (let i = 0; i < 1000; i++) {
      const next = suite.x25519(k, u);
      u = k;
      k = next;
      if (i === 0) expect(toHex(k)).toBe('422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079');
    }
    expect(toHex(k)).toBe('684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51');
  });

  withVectors('wycheproof-x25519.json', 'Wycheproof X25519: the shared secret, or a refusal of zero', (content) => {
    interface Case {
      readonly tcId: number;
      readonly public: string;
      readonly private: string;
      readonly shared: string;
    }
    const { testGroups } = content as { readonly testGroups: readonly { readonly tests: readonly Case[] }[] };
    const cases = testGroups.flatMap(({ tests }) => tests);
    const pinned = VERDICTS['wycheproof-x25519'];
    const wrong = cases.filter((test) => {
      const expected = pinned.zero.includes(test.tcId) ? 'seal-refused' : test.shared;
      return shared(suite, test.private, test.public) !== expected;
    });
    expect(wrong.map(({ tcId }) => tcId)).toEqual([]);
    expect(cases).toHaveLength(pinned.cases);
    expect(cases.filter((test) => /^0+$/.test(test.shared)).map(({ tcId }) => tcId)).toEqual(pinned.zero);
  });
});

describe('published signatures, each with the verdict that is pinned in test/fixtures/published-verdicts.json', () => {
  withVectors('wycheproof-ed25519.json', 'Wycheproof: valid is accepted, invalid refused', (content) => {
    interface Group {
      readonly publicKey: { readonly pk: string };
      readonly tests: readonly { tcId: number; msg: string; sig: string; result: string }[];
    }
    const { testGroups } = content as { readonly testGroups: readonly Group[] };
    const found = verdictsOf(
      testGroups.flatMap(({ publicKey, tests }) =>
        tests.map(({ tcId, msg, sig }) => ({
          number: tcId,
          key: hex(publicKey.pk),
          message: hex(msg),
          signature: hex(sig),
        })),
      ),
    );
    expect(found).toEqual(VERDICTS['wycheproof-ed25519']);
    const valid = testGroups.flatMap(({ tests }) => tests.filter(({ result }) => result === 'valid'));
    expect(found.accepted).toEqual(valid.map(({ tcId }) => tcId));
  });

  withVectors('cctv-ed25519.json', 'CCTV: accepted without a flaw that matters, refused with one', (content) => {
    interface Case {
      readonly number: number;
      readonly key: string;
      readonly sig: string;
      readonly msg: string;
      readonly flags: readonly string[] | null;
    }
    const cases = content as readonly Case[];
    const found = verdictsOf(
      cases.map(({ number, key, msg, sig }) => ({
        number,
        key: hex(key),
        message: utf8(msg),
        signature: hex(sig),
      })),
    );
    expect(found).toEqual(VERDICTS['cctv-ed25519']);
    // A component of low order alone does not affect the cofactorless equation; a residue of it makes the equation
    // fail.
    const refusing = ['low_order_A', 'low_order_R', 'low_order_residue', 'non_canonical_A', 'non_canonical_R'];
    const harmless = cases.filter(({ flags }) => !(flags ?? []).some((flag) => refusing.includes(flag)));
    expect(found.accepted).toEqual(harmless.map(({ number }) => number));
  });

  withVectors('speccheck-cases.json', 'ed25519-speccheck: only mixed order without residue passes', (content) => {
    const cases = content as readonly { message: string; pub_key: string; signature: string }[];
    const found = verdictsOf(
      cases.map(({ message, pub_key, signature }, number) => ({
        number,
        key: hex(pub_key),
        message: hex(message),
        signature: hex(signature),
      })),
    );
    expect(found).toEqual(VERDICTS['speccheck-cases']);
    expect(found.accepted).toEqual([3]);
  });

  it('without the prechecks the libraries would be neither strict nor agree, as the pinned lists show', () => {
    const all = [VERDICTS['wycheproof-ed25519'], VERDICTS['cctv-ed25519'], VERDICTS['speccheck-cases']];
    expect(all.flatMap(({ onlyTweetnacl }) => onlyTweetnacl)).not.toEqual([]);
    expect(all.flatMap(({ bothLibraries }) => bothLibraries)).not.toEqual([]);
  });
});

interface CoseExample {
  readonly input: { readonly sign0: { readonly key: { readonly x_hex?: string } } };
  readonly intermediates: { readonly ToBeSign_hex: string };
  readonly output: { readonly cbor: string };
}

describe('published COSE examples', () => {
  withVectors(
    'cose-eddsa-sig-01.json',
    'EdDSA-01: our Sig_structure equals theirs, and the signature verifies',
    (content) => {
      const { input, intermediates, output } = content as CoseExample;
      const [header, , payload, signature] = sign1(output.cbor);
      const toBeSigned = encodeCbor(['Signature1', header, new Uint8Array(0), payload]);
      expect(toHex(toBeSigned)).toBe(intermediates.ToBeSign_hex.toLowerCase());
      for (const suite of suites) {
        expect(verifyStrict(suite, hex(input.sign0.key.x_hex ?? ''), toBeSigned, signature)).toBe(true);
      }
    },
  );

  // All of them use ES256 or EdDSA = −8 and an unprotected kid, so this protocol refuses them, valid or not. The faults
  // of the failing ones are in test/vectors/bad.json on objects of ours, with the error code pinned.
  const reasons = {
    'cose-eddsa-sig-01.json': /the unprotected header is not empty/,
    'cose-sign-pass-01.json': /more than 8 items/,
    'cose-sign-fail-01.json': /not a COSE_Sign1/,
    'cose-sign-fail-02.json': /the unprotected header is not empty/,
    'cose-sign-fail-03.json': /the unprotected header is not empty/,
    'cose-sign-fail-04.json': /the unprotected header is not empty/,
    'cose-sign-fail-06.json': /the unprotected header is not empty/,
    'cose-sign-fail-07.json': /the unprotected header is not empty/,
  } as const;
  for (const [name, reason] of Object.entries(reasons)) {
    withVectors(name, `${name} is refused: ${reason.source}`, (content) => {
      expect(() => parseSign1(hex((content as CoseExample).output.cbor), '', 8192)).toThrow(reason);
    });
  }
});

/** Returns the four parts of a COSE_Sign1 of another protocol, with a decoder that does not apply our rules. */
function sign1(cbor: string): readonly [Uint8Array, unknown, Uint8Array, Uint8Array] {
  const parts = decode(hex(cbor), { useMaps: true, tags: { 18: (inner: () => unknown) => inner() } }) as unknown[];
  return parts as unknown as readonly [Uint8Array, unknown, Uint8Array, Uint8Array];
}
