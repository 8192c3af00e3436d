import { describe, expect, it } from 'vitest';
import { toHex } from '../../../../common/bytes.js';
import type { ChachaOpenLater } from '../../../../protocol/crypto/suite.js';
import { xwingKeys } from '../../../../protocol/crypto/xwing.js';
import { wrapKey, type PeriodContext } from '../../../../protocol/seal/key-record.js';
import { openWithE, sealWithE, type ObjectContext, type SealRole } from '../../../../protocol/seal/object.js';
import { openPeriod, type OpenedPeriod } from '../../../../protocol/seal/open-period.js';
import { suites } from '../../../support/runner/suites.js';
import { asyncCodeOf, codeOf } from '../../../support/codes.js';
import { hex, readVectors } from '../../../support/vectors.js';

type Json<T> = { readonly [K in keyof T]: T[K] extends number ? number : string };
interface PeriodJson {
  readonly name: string;
  readonly context: Json<PeriodContext>;
  readonly contextHash: string;
  readonly recipients: readonly string[];
  readonly key: string;
  readonly randomness: readonly string[];
  readonly commit: string;
  readonly body: string;
}
interface BadPeriodJson {
  readonly name: string;
  readonly of: string;
  readonly recipient: string;
  readonly own: number;
  readonly recipients: number;
  readonly context?: Json<PeriodContext>;
  readonly commit?: string;
  readonly body?: string;
  readonly expect: string;
}
interface ObjectJson {
  readonly name: string;
  readonly period: string;
  readonly context: Json<ObjectContext>;
  readonly index: number;
  readonly content: string;
  readonly key: string;
  readonly header: string;
  readonly body: string;
}
interface BadObjectJson {
  readonly name: string;
  readonly of: string;
  readonly context?: Json<ObjectContext>;
  readonly key?: string;
  readonly header?: string;
  readonly body?: string;
  readonly bodySlices?: readonly (readonly [number, number])[];
  readonly expect: string;
}

const vectors = readVectors<{
  readonly kem: Readonly<Record<string, { readonly seed: string; readonly publicKey: string }>>;
  readonly periods: readonly PeriodJson[];
  readonly badPeriods: readonly BadPeriodJson[];
  readonly objects: readonly ObjectJson[];
  readonly badObjects: readonly BadObjectJson[];
}>('seal2');

function named<T extends { readonly name: string }>(list: readonly T[], name: string): T {
  const found = list.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no vector ${name}`);
  return found;
}

function periodContext(raw: Json<PeriodContext>): PeriodContext {
  return {
    device: hex(raw.device),
    account: hex(raw.account),
    epoch: raw.epoch,
    claimHash: hex(raw.claimHash),
    periodId: hex(raw.periodId),
  };
}

function objectContext(raw: Json<ObjectContext>): ObjectContext {
  return {
    device: hex(raw.device),
    account: hex(raw.account),
    epoch: raw.epoch,
    claimHash: hex(raw.claimHash),
    eventId: hex(raw.eventId),
    mediaId: hex(raw.mediaId),
    role: raw.role as SealRole,
  };
}

const seedOf = (name: string): Uint8Array => hex(vectors.kem[name]?.seed ?? '');

describe.each(suites)('golden vectors of seal suite 2 with $name', (suite) => {
  const later: ChachaOpenLater = (key, nonce, box) => Promise.resolve(suite.chachaOpen(key, nonce, box));

  function open(period: PeriodJson, own = 0): Promise<OpenedPeriod> {
    const keys = xwingKeys(suite, seedOf(period.recipients[own] ?? ''));
    return openPeriod({
      suite,
      context: periodContext(period.context),
      commit: hex(period.commit),
      body: hex(period.body),
      recipients: period.recipients.length,
      own,
      decapsulate: (enc) => keys.decapsulate(enc),
    });
  }

  it.each(vectors.periods)(
    'wraps the key of the $name to the same bytes, and every recipient opens it',
    async (period) => {
      let draws = 0;
      const random = { bytes: () => hex(period.randomness[draws++] ?? ''), uniform: () => 0.5 };
      const recipients = period.recipients.map((name) => xwingKeys(suite, seedOf(name)).publicKey);
      expect(recipients.map(toHex)).toEqual(period.recipients.map((name) => vectors.kem[name]?.publicKey));
      const body = wrapKey(suite, random, { recipients, info: hex(period.contextHash), key: hex(period.key) });
      expect(toHex(body)).toBe(period.body);
      // As DESIGN has it: 9,395 bytes for 8.
      if (recipients.length === 8) expect(body).toHaveLength(9395);
      const [object] = vectors.objects.filter((one) => one.period === period.name);
      if (object === undefined) throw new Error('a period without objects');
      for (const own of period.recipients.keys()) {
        const opened = await open(period, own);
        expect(toHex(opened.keyOf(objectContext(object.context), hex(object.header)))).toBe(object.key);
      }
    },
  );

  it('opens every object, from the last index to the first and back, and each with its own key alone', async () => {
    for (const period of vectors.periods) {
      const objects = vectors.objects.filter((one) => one.period === period.name);
      const opened = await open(period);
      const backwards = [...objects].sort((a, b) => b.index - a.index);
      for (const object of [...backwards, ...objects]) {
        const sealed = { header: hex(object.header), body: hex(object.body) };
        const context = objectContext(object.context);
        expect(toHex(opened.open(context, sealed))).toBe(object.content);
        expect(toHex(openWithE(suite, hex(object.key), context, sealed))).toBe(object.content);
        expect(toHex(await opened.openLater(later, context, sealed))).toBe(object.content);
      }
    }
  });

  it.each(vectors.objects)('seals $name to the same bytes', (object) => {
    const period = named(vectors.periods, object.period);
    const where = { periodId: hex(period.context.periodId), index: object.index };
    const sealed = sealWithE(suite, hex(object.key), objectContext(object.context), where, hex(object.content));
    expect(toHex(sealed.header)).toBe(object.header);
    expect(toHex(sealed.body)).toBe(object.body);
    expect(sealed.header.length).toBeLessThanOrEqual(56);
  });

  it('opens nothing else with the key of one object, an index that was used twice included', () => {
    for (const { name, key } of vectors.objects) {
      for (const other of vectors.objects.filter((one) => one.name !== name)) {
        const sealed = { header: hex(other.header), body: hex(other.body) };
        expect(codeOf(() => openWithE(suite, hex(key), objectContext(other.context), sealed))).toBe('seal-refused');
      }
    }
  });

  it.each(vectors.badPeriods)('refuses the key record $name as $expect', async (bad) => {
    const good = named(vectors.periods, bad.of);
    const keys = xwingKeys(suite, seedOf(bad.recipient));
    const refused = openPeriod({
      suite,
      context: periodContext(bad.context ?? good.context),
      commit: hex(bad.commit ?? good.commit),
      body: hex(bad.body ?? good.body),
      recipients: bad.recipients,
      own: bad.own,
      decapsulate: (enc) => keys.decapsulate(enc),
    });
    expect(await asyncCodeOf(() => refused)).toBe(bad.expect);
  });

  it.each(vectors.badObjects)('refuses the object $name as $expect', async (bad) => {
    const good = named(vectors.objects, bad.of);
    const goodBody = hex(good.body);
    const slices = bad.bodySlices?.map(([from, to]) => goodBody.slice(from, to));
    const body = slices === undefined ? hex(bad.body ?? good.body) : new Uint8Array(Buffer.concat(slices));
    const sealed = { header: hex(bad.header ?? good.header), body };
    const context = objectContext(bad.context ?? good.context);
    const opened = await open(named(vectors.periods, good.period));
    const key = bad.key === undefined ? undefined : hex(bad.key);
    const openNow = (): unknown =>
      key === undefined ? opened.open(context, sealed) : openWithE(suite, key, context, sealed);
    expect(codeOf(openNow)).toBe(bad.expect);
    if (key === undefined) expect(await asyncCodeOf(() => opened.openLater(later, context, sealed))).toBe(bad.expect);
  });
});
