import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import type { Random } from '../../../../common/random.js';
import { hkdf } from '../../../../protocol/crypto/hkdf.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { CryptoSuite } from '../../../../protocol/crypto/suite.js';
import { xwingKeys } from '../../../../protocol/crypto/xwing.js';
import { KEY_RECORD_BODY_MAX_BYTES, wrapKey, type WrapJob } from '../../../../protocol/seal/key-record.js';
import { PERIOD_OBJECTS_MAX, type ObjectPlace } from '../../../../protocol/seal/object.js';
import { openPeriod, type OpenedPeriod } from '../../../../protocol/seal/open-period.js';
import { openSealed } from '../../../../protocol/seal/open.js';
import { beginPeriod, type KeyRecordMedia, type Period, type PeriodRequest } from '../../../../protocol/seal/period.js';
import { encodeContent } from '../../../../protocol/seal/content.js';
import { asyncCodeOf, codeOf } from '../../../support/codes.js';

const suite = nodeSuite;
const keys = xwingKeys(suite, realRandom.bytes(32));
const context = {
  device: realRandom.bytes(32),
  account: realRandom.bytes(16),
  epoch: 1,
  claimHash: realRandom.bytes(32),
};
const place: ObjectPlace = { eventId: realRandom.bytes(16), mediaId: realRandom.bytes(16), role: 'thumbnail' };

/** Keeps what it gave, so that a test sees whether it was wiped. */
function remembering(): { readonly random: Random; readonly given: Uint8Array[] } {
  const given: Uint8Array[] = [];
  const random: Random = {
    uniform: () => 0.5,
    bytes: (length) => {
      const bytes = realRandom.bytes(length);
      given.push(bytes);
      return bytes;
    },
  };
  return { random, given };
}

const request: PeriodRequest = {
  suite,
  random: realRandom,
  context,
  recipients: [keys.publicKey],
  wrap: (job) => Promise.resolve(wrapKey(suite, realRandom, job)),
};

function read(keyRecord: KeyRecordMedia, by: CryptoSuite = suite): Promise<OpenedPeriod> {
  return openPeriod({
    suite: by,
    context: { ...context, periodId: keyRecord.periodId },
    commit: keyRecord.commit,
    body: keyRecord.sealed.body,
    recipients: 1,
    own: 0,
    decapsulate: (enc) => keys.decapsulate(enc),
  });
}

const content = new Uint8Array(100).fill(7);

describe('a period', () => {
  it('wraps K, then wipes it, also when the wrapping fails', async () => {
    for (const fails of [false, true]) {
      const { random, given } = remembering();
      let seen = '';
      const begun = beginPeriod({
        ...request,
        random,
        wrap: async (job: WrapJob) => {
          seen = toHex(job.key);
          if (fails) throw new Error('the child ended');
          return request.wrap(job);
        },
      });
      await (fails ? expect(begun).rejects.toThrow('the child ended') : begun);
      const [key] = given;
      // The control: it was there while the wraps were made.
      expect(seen).not.toBe('00'.repeat(32));
      expect(toHex(key ?? new Uint8Array(0))).toBe('00'.repeat(32));
    }
  });

  it('is not begun with a body that is not one for these recipients', async () => {
    const wrapFor = (recipients: readonly Uint8Array[]) => (job: WrapJob) =>
      Promise.resolve(wrapKey(suite, realRandom, { ...job, recipients }));
    const two = [keys.publicKey, keys.publicKey];
    expect(await asyncCodeOf(() => beginPeriod({ ...request, wrap: wrapFor(two) }))).toBe('malformed');
    expect(await asyncCodeOf(() => beginPeriod({ ...request, wrap: () => Promise.resolve(content) }))).toBe(
      'malformed',
    );
    expect(await asyncCodeOf(() => beginPeriod({ ...request, wrap: wrapFor([keys.publicKey]) }))).toBe('accepted');
  });

  it('takes each index once, also for an object that could not be sealed', async () => {
    const { keyRecord, period } = await beginPeriod(request);
    const opened = await read(keyRecord);
    expect(period.seal(place, content).index).toBe(0);
    expect(codeOf(() => period.seal(place, new Uint8Array(100_000)))).toBe('too-large');
    const third = period.seal(place, content);
    expect([third.index, period.taken]).toEqual([2, 3]);
    expect(opened.open({ ...context, ...place }, third)).toEqual(content);
    expect(keyRecord.sealed.header).toHaveLength(0);
    expect(keyRecord.sealed.body.length).toBeLessThan(KEY_RECORD_BODY_MAX_BYTES);
  });

  it('ends after 4,096 objects', async () => {
    const { keyRecord, period } = await beginPeriod(request);
    const tiny = { ...place, role: 'mini' } as const;
    let last = period.seal(tiny, content);
    while (!period.isUsedUp) last = period.seal(tiny, content);
    expect([last.index, period.taken]).toEqual([PERIOD_OBJECTS_MAX - 1, PERIOD_OBJECTS_MAX]);
    expect(codeOf(() => period.seal(tiny, content))).toBe('internal');
    expect((await read(keyRecord)).open({ ...context, ...tiny }, last)).toEqual(content);
  });

  it('seals nothing after it was wiped', async () => {
    const { period } = await beginPeriod(request);
    expect(codeOf(() => period.seal(place, content))).toBe('accepted');
    period.wipe();
    expect(codeOf(() => period.seal(place, content))).toBe('internal');
  });

  it('shows its keys in no log and no JSON, and neither does the opened one', async () => {
    let chain = '';
    const begun = await beginPeriod({
      ...request,
      wrap: (job) => {
        chain = toHex(hkdf(suite, job.key, 'chain'));
        return request.wrap(job);
      },
    });
    const shown = (value: Period | OpenedPeriod): string =>
      [inspect(value, { depth: 9, showHidden: true }), JSON.stringify(value, hexed)].join(' ');
    const all = shown(begun.period) + shown(await read(begun.keyRecord));
    // The control: what is not secret is there, in the form that is looked for.
    expect(all).toContain(toHex(begun.keyRecord.periodId));
    expect(all).not.toContain(chain);
    expect(all.replaceAll(/\s|,/g, '')).not.toContain(
      chain
        .match(/../g)
        ?.map((pair) => parseInt(pair, 16))
        .join('') ?? '-',
    );
  });
});

function hexed(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? toHex(value) : value;
}

describe('a reader', () => {
  it('walks to no link of the chain twice but for the last 63', async () => {
    const { keyRecord, period } = await beginPeriod(request);
    const objects = Array.from({ length: 1000 }, () => period.seal({ ...place, role: 'mini' }, content));
    let steps = 0;
    const counting: CryptoSuite = {
      ...suite,
      hmacSha256: (key, data) => {
        if (Buffer.from(data).includes('next')) steps++;
        return suite.hmacSha256(key, data);
      },
    };
    const opened = await read(keyRecord, counting);
    const where = { ...context, ...place, role: 'mini' } as const;
    const stepsOf = (index: number): number => {
      steps = 0;
      const object = objects[index];
      if (object === undefined) throw new Error('no object');
      expect(opened.open(where, object)).toEqual(content);
      return steps;
    };
    expect(stepsOf(999)).toBe(999);
    // 999 = 15 · 64 + 39
    expect(stepsOf(999)).toBe(39);
    expect(stepsOf(0)).toBe(0);
    expect(stepsOf(127)).toBe(63);
    expect(stepsOf(128)).toBe(0);
  });

  it('decrypts nothing before the commit was compared', async () => {
    const { keyRecord, period } = await beginPeriod(request);
    const sealed = period.seal(place, content);
    let decrypted = 0;
    const counting: CryptoSuite = {
      ...suite,
      chachaOpen: (...parts) => {
        decrypted++;
        return suite.chachaOpen(...parts);
      },
    };
    const opened = await read(keyRecord, counting);
    const decryptedBy = (eventId: Uint8Array): readonly [string, number] => {
      decrypted = 0;
      return [codeOf(() => opened.open({ ...context, ...place, eventId }, sealed)), decrypted];
    };
    expect(decryptedBy(realRandom.bytes(16))).toEqual(['seal-refused', 0]);
    expect(decryptedBy(place.eventId)).toEqual(['accepted', 1]);
  });

  it('waits for a key record that has not come, and opens what it opens', async () => {
    const { keyRecord, period } = await beginPeriod(request);
    const where = { ...context, ...place };
    const sealed = period.seal(place, encodeContent({ detail: { area: 3 }, jpeg: null }));
    const opened = await read(keyRecord);
    const openedWith = (known: OpenedPeriod | undefined): unknown =>
      openSealed(suite, 2, where, { x25519: null, periodOf: () => known }, sealed);
    expect(openedWith(undefined)).toBeUndefined();
    expect(openedWith(opened)).toEqual({ detail: { area: 3 }, jpeg: null });
  });
});
