import { describe, expect, it } from 'vitest';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { tweetnaclSuite } from '../../../../protocol/crypto/tweetnacl.js';
import { claimLink, formatClaimCode, parseClaimCode } from '../../../../protocol/objects/claim-code.js';
import { checkReceiptAgainstClaim, receiptKind } from '../../../../protocol/objects/receipt.js';
import { recordKind } from '../../../../protocol/objects/record.js';
import { openSigned, signObject } from '../../../../protocol/objects/signed-object.js';
import { checkBinding, type ClaimBinding } from '../../../../protocol/verify/binding.js';
import { checkContinuity, type ChainFacts } from '../../../../protocol/verify/continuity.js';
import { History } from '../../../../protocol/verify/history.js';
import { isMediaOf } from '../../../../protocol/verify/media.js';
import { NAMES, signerOf } from '../../../../scripts/vectors/keyring.js';
import { VectorWorld } from '../../../../scripts/vectors/signed.js';

const world = new VectorWorld(nodeSuite);
const hash = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const record = world.record(5, hash(4), { kind: 'scene', scene: { class: 'stall' } });
const row: ClaimBinding = {
  device: world.deviceId,
  account: world.account,
  epoch: 1,
  claimHash: world.claim.hash,
  state: 'open',
  closedAtSeq: null,
};

describe('binding to the claim row', () => {
  it('binds a record to the row of its epoch', () => {
    expect(checkBinding(record, row)).toBe('bound');
  });

  it.each([
    ['no row', undefined],
    ['another device', { ...row, device: hash(9) }],
    ['another account: the mix-up of the incident', { ...row, account: new Uint8Array(16).fill(9) }],
    ['another epoch', { ...row, epoch: 2 }],
    ['another claim', { ...row, claimHash: hash(9) }],
  ])('refuses %s as foreign', (_, other) => {
    expect(checkBinding(record, other)).toBe('foreign');
  });

  it('refuses records after the end of the epoch', () => {
    expect(checkBinding(record, { ...row, state: 'revoked' })).toBe('revoked');
    expect(checkBinding(record, { ...row, state: 'closed', closedAtSeq: 4 })).toBe('revoked');
    expect(checkBinding(record, { ...row, state: 'closed', closedAtSeq: null })).toBe('revoked');
    expect(checkBinding(record, { ...row, state: 'closed', closedAtSeq: 5 })).toBe('bound');
  });
});

describe('continuity', () => {
  const facts: ChainFacts = { predecessor: hash(4), missing: 0, missingSigned: false, drainedUpTo: 0 };
  const missing = { ...facts, predecessor: undefined, missing: 2 };

  it('is intact after its predecessor', () => {
    expect(checkContinuity(record, facts)).toEqual({ verdict: 'intact' });
  });
  it('is pending while a predecessor can still arrive', () => {
    expect(checkContinuity(record, missing)).toEqual({ verdict: 'pending' });
  });
  it('is an equivocation after another predecessor', () => {
    expect(checkContinuity(record, { ...facts, predecessor: hash(3) })).toEqual({ verdict: 'equivocation' });
  });
  it('is a signed gap when the loss is signed', () => {
    expect(checkContinuity(record, { ...missing, missingSigned: true })).toEqual({
      verdict: 'gap',
      missing: 2,
      signed: true,
    });
  });
  it('is an unexplained gap once the camera has reported an empty outbox', () => {
    expect(checkContinuity(record, { ...missing, drainedUpTo: 9 })).toEqual({
      verdict: 'gap',
      missing: 2,
      signed: false,
    });
    expect(checkContinuity(record, { ...missing, drainedUpTo: 4 })).toEqual({ verdict: 'pending' });
  });
});

describe('a history', () => {
  it('counts the records missing before a record, however many', () => {
    const counts = { produced: 1, receipted: 1, queued: 0, quarantined: 0, lost: 0 };
    const frames = { framesSeen: 1, framesDropped: 0, framesCorrupt: 0, privacy: false, connects: 1 };
    const health = { agent: '0', uptimeS: 1, freeBytes: 1, ...counts, ...frames, camera: 'ok' } as const;
    // Each reports an empty outbox, so no record before it can still arrive.
    const records = [3, 5, 100, 2 ** 53 - 1].map((seq) =>
      signObject(
        recordKind,
        nodeSuite,
        world.device,
        world.record(seq, hash(7), { kind: 'health', health, time: record.time }),
      ),
    );
    const history = new History();
    for (const item of records) history.add(item);
    const missing = records.map((item) => history.continuityOf(item));
    expect(missing).toEqual(
      [3, 1, 94, 2 ** 53 - 102].map((count) => ({ verdict: 'gap', missing: count, signed: false })),
    );
  });
});

describe('receipts', () => {
  const value = { device: world.deviceId, epoch: 1, claimHash: world.claim.hash, ranges: [] };

  it('count only if a receipt key of the claim signed them for that claim', () => {
    const good = signObject(receiptKind, nodeSuite, signerOf(nodeSuite, NAMES.receiptNext), value);
    expect(() => checkReceiptAgainstClaim(good, world.claim)).not.toThrow();
    const others = [
      signObject(receiptKind, nodeSuite, signerOf(nodeSuite, NAMES.stranger), value),
      signObject(receiptKind, nodeSuite, signerOf(nodeSuite, NAMES.owner), value),
      signObject(receiptKind, nodeSuite, signerOf(nodeSuite, NAMES.receipt), { ...value, epoch: 2 }),
      signObject(receiptKind, nodeSuite, signerOf(nodeSuite, NAMES.receipt), { ...value, device: hash(1) }),
      signObject(receiptKind, nodeSuite, signerOf(nodeSuite, NAMES.receipt), { ...value, claimHash: hash(1) }),
    ];
    for (const other of others) expect(() => checkReceiptAgainstClaim(other, world.claim)).toThrow(/not of this claim/);
  });
});

describe('verified bytes', () => {
  it('cannot be changed later through the buffer they arrived in', () => {
    const buffer = signObject(recordKind, nodeSuite, world.device, record).bytes.slice();
    const opened = openSigned(recordKind, nodeSuite, buffer);
    const before = opened.bytes.slice();
    const account = opened.value.account.slice();
    buffer.fill(0);
    expect(opened.bytes).toEqual(before);
    expect(opened.value.account).toEqual(account);
    expect(openSigned(recordKind, nodeSuite, opened.bytes).hash).toEqual(opened.hash);
  });
});

describe('media', () => {
  it('belongs to a record only with exactly the bytes it names', () => {
    const sealed = { header: hash(1), body: hash(2) };
    const named = {
      id: world.id('media'),
      role: 'thumbnail' as const,
      length: 32,
      bodyHash: nodeSuite.sha256(sealed.body),
      headerHash: nodeSuite.sha256(sealed.header),
    };
    expect(isMediaOf(nodeSuite, named, sealed)).toBe(true);
    expect(isMediaOf(nodeSuite, named, { ...sealed, body: hash(3) })).toBe(false);
    expect(isMediaOf(nodeSuite, named, { ...sealed, header: hash(3) })).toBe(false);
    expect(isMediaOf(nodeSuite, { ...named, length: 31 }, sealed)).toBe(false);
  });
});

describe('claim code', () => {
  const code = formatClaimCode(tweetnaclSuite, { device: world.deviceId, secret: world.secret });

  it('is parsed as typed, in a link, and in any case', () => {
    const link = claimLink('https://app.example/?x=1', code);
    for (const typed of [code, code.toLowerCase(), code.replaceAll('-', ' '), link]) {
      expect(parseClaimCode(nodeSuite, typed)).toEqual({ device: world.deviceId, secret: world.secret });
    }
    expect(new URL(link).search).toBe('?x=1');
  });

  it('detects typing errors', () => {
    const wrong = `${code.startsWith('A') ? 'B' : 'A'}${code.slice(1)}`;
    expect(() => parseClaimCode(nodeSuite, wrong)).toThrow(/typing error/);
    expect(() => parseClaimCode(nodeSuite, code.slice(0, -1))).toThrow(/not a code of this kind/);
    expect(() => parseClaimCode(nodeSuite, '')).toThrow(/not a code of this kind/);
    expect(() => parseClaimCode(nodeSuite, code.replace(/.$/, '0'))).toThrow();
  });
});
