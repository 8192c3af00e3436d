import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../../../common/bytes.js';
import { isSealcamError } from '../../../common/errors.js';
import { verifyStrict } from '../../../protocol/crypto/strict.js';
import type { CryptoSuite } from '../../../protocol/crypto/suite.js';
import { parseSign1 } from '../../../protocol/wire/cose.js';
import { suites } from '../../support/suites.js';
import { hex, isCi, publishedVectors } from '../../support/vectors.js';

/** Runs with the file's content; where the file is missing it is a failure on CI and a named skip elsewhere. */
function withVectors(name: string, title: string, run: (content: unknown) => void): void {
  const path = publishedVectors(name);
  const test = it.skipIf(path === undefined && !isCi);
  test(path === undefined ? `${title} (not run: ${name} not found; set SEALCAM_VECTORS)` : title, () => {
    if (path === undefined) throw new Error(`${name} not found in $SEALCAM_VECTORS or ../shared/vectors`);
    run(JSON.parse(readFileSync(path, 'utf8')));
  });
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
  it('RFC 8032 §7.1, tests 1 to 3', () => {
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

  withVectors('wycheproof-ed25519.json', 'Wycheproof Ed25519: valid is accepted, invalid refused', (content) => {
    interface Group {
      readonly publicKey: { readonly pk: string };
      readonly tests: readonly { tcId: number; msg: string; sig: string; result: string }[];
    }
    const { testGroups } = content as { readonly testGroups: readonly Group[] };
    const wrong = testGroups.flatMap((group) =>
      group.tests
        .filter(
          (test) =>
            verifyStrict(suite, hex(group.publicKey.pk), hex(test.msg), hex(test.sig)) !== (test.result === 'valid'),
        )
        .map(({ tcId }) => tcId),
    );
    expect(wrong).toEqual([]);
    expect(testGroups.flatMap(({ tests }) => tests)).toHaveLength(151);
  });

  withVectors(
    'cctv-ed25519.json',
    'CCTV Ed25519: accepted without an oddity that matters, refused with one',
    (content) => {
      const cases = content as readonly {
        number: number;
        key: string;
        sig: string;
        msg: string;
        flags: string[] | null;
      }[];
      // A component of low order alone does no harm to the cofactorless equation; a residue of it fails the equation.
      const refusing = ['low_order_A', 'low_order_R', 'low_order_residue', 'non_canonical_A', 'non_canonical_R'];
      const wrong = cases
        .filter(
          ({ key, sig, msg, flags }) =>
            verifyStrict(suite, hex(key), utf8(msg), hex(sig)) !==
            !(flags ?? []).some((flag) => refusing.includes(flag)),
        )
        .map(({ number }) => number);
      expect(wrong).toEqual([]);
      expect(cases).toHaveLength(914);
    },
  );

  withVectors(
    'speccheck-cases.json',
    'ed25519-speccheck: only the case of mixed order without residue passes',
    (content) => {
      const cases = content as readonly { message: string; pub_key: string; signature: string }[];
      const accepted = cases.flatMap(({ message, pub_key, signature }, i) =>
        verifyStrict(suite, hex(pub_key), hex(message), hex(signature)) ? [i] : [],
      );
      expect(accepted).toEqual([3]);
      expect(cases).toHaveLength(12);
    },
  );

  withVectors('wycheproof-x25519.json', 'Wycheproof X25519: the shared secret, or a refusal of zero', (content) => {
    interface Case {
      readonly tcId: number;
      readonly public: string;
      readonly private: string;
      readonly shared: string;
    }
    const { testGroups } = content as { readonly testGroups: readonly { readonly tests: readonly Case[] }[] };
    const cases = testGroups.flatMap(({ tests }) => tests);
    const wrong = cases.filter((test) => {
      const expected = /^0+$/.test(test.shared) ? 'seal-refused' : test.shared;
      return shared(suite, test.private, test.public) !== expected;
    });
    expect(wrong.map(({ tcId }) => tcId)).toEqual([]);
    expect(cases).toHaveLength(518);
  });

  withVectors(
    'cose-eddsa-sig-01.json',
    'COSE EdDSA-01: our Sig_structure is theirs, and their header is refused',
    (content) => {
      const { output } = content as { readonly output: { readonly cbor: string } };
      // It is signed with alg −8 and an unprotected kid: valid COSE, but not of this protocol.
      expect(() => parseSign1(hex(output.cbor), '', 8192)).toThrow(/unprotected/);
    },
  );

  for (const name of ['01', '02', '03', '04', '06', '07'].map((n) => `cose-sign-fail-${n}.json`)) {
    withVectors(name, `${name} is refused`, (content) => {
      const { output } = content as { readonly output: { readonly cbor: string } };
      expect(() => parseSign1(hex(output.cbor), '', 8192)).toThrow();
    });
  }
});
