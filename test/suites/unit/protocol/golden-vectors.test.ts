import { describe, expect, it } from 'vitest';
import { isSealcamError } from '../../../../common/errors.js';
import { toHex } from '../../../../common/bytes.js';
import { claimKind, isClaimMac } from '../../../../protocol/objects/claim.js';
import { formatClaimCode, parseClaimCode } from '../../../../protocol/objects/claim-code.js';
import { recordKind } from '../../../../protocol/objects/record.js';
import { openSigned, type SignedKind } from '../../../../protocol/objects/signed-object.js';
import { seal, unseal } from '../../../../protocol/seal/seal.js';
import {
  decodeDown,
  decodeStatus,
  decodeUp,
  encodeDown,
  encodeStatus,
  encodeUp,
} from '../../../../protocol/transport/messages.js';
import { decodeLive, encodeLive } from '../../../../protocol/transport/live.js';
import { parseTopic } from '../../../../protocol/transport/topics.js';
import { keyring, identifiers, toJson, vectorRandom, type NAMES } from '../../../../scripts/vectors/keyring.js';
import { signedVectors } from '../../../../scripts/vectors/signed.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { checkBinding } from '../../../../protocol/verify/binding.js';
import { checkContinuity } from '../../../../protocol/verify/continuity.js';
import { badOpenings, keys, sealContextOf, seals } from '../../../support/seal-vectors.js';
import { SIGNED_KINDS } from '../../../support/signed-kinds.js';
import { suites } from '../../../support/runner/suites.js';
import { hex, readVectors } from '../../../support/vectors.js';

interface SignedVector {
  readonly name: string;
  readonly domain: string;
  readonly signer: keyof typeof NAMES;
  readonly value: unknown;
  readonly hash: string;
  readonly object: string;
  readonly mac?: string;
}
interface BadVector {
  readonly name: string;
  readonly domain: string;
  readonly object: string;
  readonly expect: string;
}
function kindOf(domain: string): SignedKind<unknown> {
  const kind = SIGNED_KINDS.find((candidate) => candidate.domain === domain);
  if (kind === undefined) throw new Error(`no kind for ${domain}`);
  return kind;
}

function codeOf(action: () => unknown): string {
  try {
    action();
    return 'accepted';
  } catch (error) {
    if (isSealcamError(error)) return error.code;
    throw error;
  }
}

const signed = readVectors<readonly SignedVector[]>('signed');
const bad = readVectors<readonly BadVector[]>('bad');
const messages = readVectors<{
  readonly good: readonly { name: string; topic: string; payload: string }[];
  readonly bad: readonly { name: string; leaf: 'up' | 'down' | 'status'; payload: string; expect: string }[];
  readonly badTopics: readonly { topic: string; expect: string }[];
}>('messages');
interface VerifyVector {
  readonly name: string;
  readonly record: string;
  readonly row: {
    readonly device: string;
    readonly account: string;
    readonly epoch: number;
    readonly claimHash: string;
    readonly state: 'open' | 'closed' | 'revoked';
    readonly closedAtSeq: number | null;
  } | null;
  readonly before: {
    readonly predecessor: string | null;
    readonly missing: number;
    readonly missingSigned: boolean;
    readonly drainedUpTo: number;
  };
  readonly expect: string;
}
const verifying = readVectors<readonly VerifyVector[]>('verify');

describe.each(suites)('golden vectors with $name', (suite) => {
  it('derives the same keys and ids', () => {
    expect(toJson({ ...keyring(suite), ...identifiers(suite) })).toEqual(keys);
    const code = parseClaimCode(suite, String(keys.ids['claimCode']));
    expect(toHex(code.device)).toBe(keys.ids['deviceId']);
    expect(formatClaimCode(suite, code)).toBe(keys.ids['claimCode']);
  });

  it('signs every kind to the same bytes', () => {
    expect(toJson(signedVectors(suite))).toEqual(signed);
  });

  it.each(signed)('opens $name', (vector) => {
    const kind = kindOf(vector.domain);
    const opened = openSigned(kind, suite, hex(vector.object));
    expect(toJson(opened.value)).toEqual(vector.value);
    expect(toHex(opened.hash)).toBe(vector.hash);
    expect(toHex(opened.kid)).toBe(keys[vector.signer].publicKey);
  });

  it.each(signed)('refuses $name in every other domain', (vector) => {
    // tweetnacl takes 200 times as long, so it tries one other domain per vector.
    const others = SIGNED_KINDS.filter(({ domain }) => domain !== vector.domain);
    for (const other of suite.name === 'node' ? others : others.slice(0, 1)) {
      const object = hex(vector.object);
      const expected = object.length > other.maxBytes ? 'malformed' : 'bad-signature';
      expect(codeOf(() => openSigned(other, suite, object))).toBe(expected);
    }
  });

  it.each(bad)('refuses $name as $expect', (vector) => {
    expect(codeOf(() => openSigned(kindOf(vector.domain), suite, hex(vector.object)))).toBe(vector.expect);
  });

  it('checks the MAC of a first claim', () => {
    const vector = signed.find(({ name }) => name === 'claim');
    const claim = openSigned(claimKind, suite, hex(vector?.object ?? ''));
    const secret = hex(String(keys.ids['claimSecret']));
    const mac = hex(vector?.mac ?? '');
    expect(isClaimMac(suite, secret, claim, mac)).toBe(true);
    expect(
      isClaimMac(
        suite,
        secret.map((byte) => byte ^ 1),
        claim,
        mac,
      ),
    ).toBe(false);
    expect(isClaimMac(suite, secret, claim, null)).toBe(false);
  });

  it.each(seals.good)('seals $name to the same bytes and every recipient opens it', (vector) => {
    const context = sealContextOf(vector.context);
    const content = {
      detail: vector.content.detail,
      jpeg: vector.content.jpeg === null ? null : hex(vector.content.jpeg),
    };
    const recipients = vector.recipients.map((name) => hex(keys[name].x25519));
    const sealed = seal({ suite, random: vectorRandom(suite, vector.name), context, recipients, content });
    expect(toHex(sealed.header)).toBe(vector.header);
    expect(toHex(sealed.body)).toBe(vector.body);
    for (const name of vector.recipients) {
      const own = { secret: hex(keys[name].x25519Secret), publicKey: hex(keys[name].x25519) };
      expect(unseal(suite, context, own, sealed)).toEqual(content);
    }
  });

  it.each(badOpenings())('refuses the seal $name as $refusal', ({ context, keys: own, sealed, refusal }) => {
    expect(codeOf(() => unseal(suite, context, own.recipient, sealed))).toBe(refusal);
  });
});

describe('messages', () => {
  it.each(messages.good)('$name decodes and encodes to the same bytes', ({ topic, payload }) => {
    const bytes = hex(payload);
    const { leaf } = parseTopic(topic);
    const encodeAgain = {
      up: () => encodeUp(decodeUp(bytes)),
      down: () => encodeDown(decodeDown(bytes)),
      status: () => encodeStatus(decodeStatus(bytes)),
      live: () => encodeLive(decodeLive(bytes)),
    };
    expect(toHex(encodeAgain[leaf]())).toBe(payload);
  });

  it.each(messages.bad)('$name is refused as $expect', ({ leaf, payload, expect: code }) => {
    const decode = { up: decodeUp, down: decodeDown, status: decodeStatus };
    expect(codeOf(() => decode[leaf](hex(payload)))).toBe(code);
  });

  it.each(messages.badTopics)('topic $topic is refused as $expect', ({ topic, expect: code }) => {
    expect(codeOf(() => parseTopic(topic))).toBe(code);
  });
});

describe('verifying', () => {
  it.each(verifying)('$name is $expect', ({ record, row, before, expect: verdict }) => {
    const { value } = openSigned(recordKind, nodeSuite, hex(record));
    const binding = checkBinding(
      value,
      row === null
        ? undefined
        : { ...row, device: hex(row.device), account: hex(row.account), claimHash: hex(row.claimHash) },
    );
    const predecessor = before.predecessor === null ? undefined : hex(before.predecessor);
    const observed = binding === 'bound' ? checkContinuity(value, { ...before, predecessor }).verdict : binding;
    expect(observed).toBe(verdict);
  });
});
