import { describe, expect, it } from 'vitest';
import { toHex } from '../../../../common/bytes.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { anyClaimKind, claimKindV2, isClaimMac } from '../../../../protocol/objects/claim.js';
import { anyCommandKind } from '../../../../protocol/objects/command.js';
import { checkKemKeys } from '../../../../protocol/objects/kem-keys.js';
import { anyRecordKind } from '../../../../protocol/objects/record.js';
import { openSigned, versionOf, type SignedKind } from '../../../../protocol/objects/signed-object.js';
import { decodeLive, encodeLive } from '../../../../protocol/transport/live.js';
import { decodeDown, decodeUp, encodeDown, encodeUp } from '../../../../protocol/transport/messages.js';
import { parseTopic } from '../../../../protocol/transport/topics.js';
import { checkBinding, type ClaimBinding } from '../../../../protocol/verify/binding.js';
import { checkContinuity } from '../../../../protocol/verify/continuity.js';
import { checkOrder } from '../../../../protocol/verify/orders.js';
import { badVectorsV2 } from '../../../../scripts/vectors/bad-v2.js';
import { keyringV2, toJson } from '../../../../scripts/vectors/keyring.js';
import { messageVectorsV2 } from '../../../../scripts/vectors/messages-v2.js';
import { orderVectorsV2 } from '../../../../scripts/vectors/orders-v2.js';
import { signedVectorsV2 } from '../../../../scripts/vectors/signed-v2.js';
import { verifyVectorsV2 } from '../../../../scripts/vectors/verify-v2.js';
import { codeOf } from '../../../support/codes.js';
import { suites } from '../../../support/runner/suites.js';
import { EITHER_KINDS, SIGNED_KINDS, SIGNED_KINDS_V2 } from '../../../support/signed-kinds.js';
import { hex, readVectors } from '../../../support/vectors.js';

interface SignedVector {
  readonly name: string;
  readonly domain: string;
  readonly value: unknown;
  readonly hash: string;
  readonly object: string;
  readonly mac?: string;
  readonly kemKeys?: readonly string[];
}
interface BadVector {
  readonly name: string;
  readonly domain: string;
  readonly object: string;
  readonly expect: string;
}
type Hexed<T> = { readonly [K in keyof T]: T[K] extends Uint8Array ? string : T[K] };

const signed = readVectors<readonly SignedVector[]>('signed-v2');
const signedOne = readVectors<readonly SignedVector[]>('signed');
const bad = readVectors<readonly BadVector[]>('bad-v2');
const messages = readVectors<{
  readonly good: readonly { name: string; topic: string; payload: string }[];
  readonly bad: readonly { name: string; leaf: 'up' | 'down' | 'live'; payload: string; expect: string }[];
}>('messages-v2');
const verifying = readVectors<
  readonly {
    readonly name: string;
    readonly record: string;
    readonly row: Hexed<ClaimBinding> | null;
    readonly before: { readonly predecessor: string };
    readonly expect: string;
  }[]
>('verify-v2');

const orders = readVectors<readonly Hexed<ReturnType<typeof orderVectorsV2>[number]>[]>('orders-v2');

function kindOf(kinds: readonly SignedKind<unknown>[], domain: string): SignedKind<unknown> | undefined {
  return kinds.find((candidate) => candidate.domain === domain);
}

function openIn(kinds: readonly SignedKind<unknown>[], { domain, object }: SignedVector | BadVector): string {
  const kind = kindOf(kinds, domain);
  return kind === undefined ? 'no such kind' : codeOf(() => openSigned(kind, nodeSuite, hex(object)));
}

describe.each(suites)('golden vectors of version 2 with $name', (suite) => {
  it('are made to the same bytes', () => {
    expect(toJson(keyringV2(suite))).toEqual(readVectors('keys-v2'));
    expect(toJson(signedVectorsV2(suite))).toEqual(signed);
    expect(toJson(badVectorsV2(suite))).toEqual(bad);
    expect(toJson(messageVectorsV2(suite))).toEqual(readVectors('messages-v2'));
    expect(toJson(verifyVectorsV2(suite))).toEqual(verifying);
    expect(toJson(orderVectorsV2(suite))).toEqual(orders);
  });

  it.each(signed)('open $name', (vector) => {
    const kind = kindOf(SIGNED_KINDS_V2, vector.domain);
    if (kind === undefined) throw new Error(`no kind for ${vector.domain}`);
    const opened = openSigned(kind, suite, hex(vector.object));
    expect(toJson(opened.value)).toEqual(vector.value);
    expect(toHex(opened.hash)).toBe(vector.hash);
  });

  it.each(bad)('refuse $name as $expect', (vector) => {
    const kind = kindOf(SIGNED_KINDS_V2, vector.domain);
    if (kind === undefined) throw new Error(`no kind for ${vector.domain}`);
    expect(codeOf(() => openSigned(kind, suite, hex(vector.object)))).toBe(vector.expect);
  });

  it('have a MAC and KEM keys beside the claim', () => {
    const vector = signed.find(({ name }) => name === 'claim');
    const claim = openSigned(claimKindV2, suite, hex(vector?.object ?? ''));
    const secret = hex(readVectors<{ ids: { claimSecret: string } }>('keys').ids.claimSecret);
    expect(isClaimMac(suite, secret, claim, hex(vector?.mac ?? ''))).toBe(true);
    expect(
      codeOf(() => {
        checkKemKeys(suite, claim.value, (vector?.kemKeys ?? []).map(hex));
      }),
    ).toBe('accepted');
  });
});

describe('two versions of a kind', () => {
  it.each(signed)('$name is unsupported by who knows version 1 only', (vector) => {
    expect(openIn(SIGNED_KINDS, vector)).toMatch(/^(unsupported|no such kind)$/);
  });

  it.each([...signed, ...signedOne])('$name opens as either', (vector) => {
    const kind = kindOf(EITHER_KINDS, vector.domain);
    if (kind === undefined) return;
    const { value } = openSigned(kind, nodeSuite, hex(vector.object));
    expect(toJson(value)).toEqual(vector.value);
    expect(versionOf(value as object)).toBe(signed.includes(vector) ? 2 : 1);
  });

  it.each(bad)('$name is refused as either', (vector) => {
    expect(openIn(EITHER_KINDS, vector)).toMatch(new RegExp(`^(${vector.expect}|no such kind)$`));
  });

  it.each(signedOne)('$name is unsupported by the kinds of version 2', (vector) => {
    expect(openIn(SIGNED_KINDS_V2, vector)).toMatch(/^(unsupported|no such kind)$/);
  });
});

describe('messages of version 2', () => {
  it.each(messages.good)('$name decodes and encodes to the same bytes', ({ topic, payload }) => {
    const bytes = hex(payload);
    const again = {
      up: () => encodeUp(decodeUp(bytes)),
      down: () => encodeDown(decodeDown(bytes)),
      live: () => encodeLive(decodeLive(bytes)),
      status: () => new Uint8Array(0),
    };
    expect(toHex(again[parseTopic(topic).leaf]())).toBe(payload);
  });

  it.each(messages.bad)('$name is refused as $expect', ({ leaf, payload, expect: code }) => {
    const decode = { up: decodeUp, down: decodeDown, live: decodeLive };
    expect(codeOf(() => decode[leaf](hex(payload)))).toBe(code);
  });
});

describe('verifying with versions', () => {
  it.each(verifying)('$name is $expect', ({ record, row, before, expect: verdict }) => {
    const { value } = openSigned(anyRecordKind, nodeSuite, hex(record));
    const bytesOf =
      row === null
        ? undefined
        : { ...row, device: hex(row.device), account: hex(row.account), claimHash: hex(row.claimHash) };
    const binding = checkBinding(value, bytesOf);
    const facts = { predecessor: hex(before.predecessor), missing: 0, missingSigned: false, drainedUpTo: 0 };
    expect(binding === 'bound' ? checkContinuity(value, facts).verdict : binding).toBe(verdict);
  });
});

describe('orders of version 2', () => {
  it.each(orders)('$name: $expect, for $why', ({ claim, order, expect: code }) => {
    const opened = openSigned(anyCommandKind, nodeSuite, hex(order));
    const under = openSigned(anyClaimKind, nodeSuite, hex(claim));
    expect(
      codeOf(() => {
        checkOrder(opened, under);
      }),
    ).toBe(code);
  });
});
