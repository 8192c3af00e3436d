import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import * as v from '../../../../common/schema.js';

const SECRET = 'a passphrase of four words';

/** Returns everything that a log or a crash report could show of a refusal. */
function refusal(schema: v.GenericSchema, input: unknown): string {
  try {
    v.parse(schema, input);
  } catch (error) {
    return inspect(error, { depth: null });
  }
  throw new Error('it was accepted');
}

describe('a refusal', () => {
  const nested = v.strictObject({ keys: v.array(v.object({ master: v.base64Bytes })) });

  it.each([
    ['another type', v.int(), SECRET],
    ['another form', v.pipe(v.string(), v.regex(/^\d+$/)), SECRET],
    ['none of a list', v.picklist(['a', 'b']), SECRET],
    ['another literal', v.literal('a'), SECRET],
    ['no base64', v.object({ master: v.base64Bytes }), { master: SECRET }],
    ['no hex', v.hexBytes(4), SECRET],
    ['none of a union', v.union([v.boolean(), v.int()]), SECRET],
    ['none of the variants', v.variant('type', [v.object({ type: v.literal('a') })]), { type: SECRET }],
    ['an unknown key', v.strictObject({}), { a: SECRET }],
    ['a nested value', nested, { keys: [{ master: SECRET }] }],
    [
      'a check',
      v.pipe(
        v.string(),
        v.check(() => false),
      ),
      SECRET,
    ],
  ] as const)('of %s repeats nothing of the input', (_, schema, input) => {
    expect(refusal(schema, input)).not.toContain('passphrase');
  });

  it('says where, and what was expected', () => {
    expect(refusal(nested, { keys: [{ master: 7 }] })).toContain('keys.0.master: expected string');
    expect(refusal(v.int(1, 4), 5)).toContain('input: expected <=4');
  });
});

describe('the forms of this project', () => {
  it('take whole numbers that JavaScript holds exactly, within bounds', () => {
    for (const value of [0, -1, Number.MAX_SAFE_INTEGER]) expect(v.safeParse(v.int(), value).success).toBe(true);
    for (const value of [0.5, Infinity, NaN, 2 ** 53, '1', null]) {
      expect(v.safeParse(v.int(), value).success).toBe(false);
    }
    expect([0, 1, 4, 5].map((value) => v.safeParse(v.int(1, 4), value).success)).toEqual([false, true, true, false]);
  });

  it('read bytes', () => {
    expect(v.parse(v.base64Bytes, 'AQI=')).toEqual(new Uint8Array([1, 2]));
    expect(v.parse(v.hexBytes(2), '0102')).toEqual(new Uint8Array([1, 2]));
    for (const text of ['AQI', 'A*==', 7]) expect(v.safeParse(v.base64Bytes, text).success).toBe(false);
    for (const text of ['010', '010203', 'zz01']) expect(v.safeParse(v.hexBytes(2), text).success).toBe(false);
  });
});
