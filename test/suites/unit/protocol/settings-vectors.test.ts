import { describe, expect, it } from 'vitest';
import { toHex } from '../../../../common/bytes.js';
import { xwingKeys } from '../../../../protocol/crypto/xwing.js';
import { decodeHousehold, encodeHousehold } from '../../../../protocol/household/content.js';
import { openSettings, sealSettings, type SettingsReader } from '../../../../protocol/household/seal.js';
import { kemHash } from '../../../../protocol/objects/kem-keys.js';
import { settingsKind } from '../../../../protocol/objects/settings.js';
import { openSigned } from '../../../../protocol/objects/signed-object.js';
import { suites } from '../../../support/runner/suites.js';
import { asyncCodeOf, codeOf } from '../../../support/codes.js';
import { hex, readVectors } from '../../../support/vectors.js';

interface GoodJson {
  readonly name: string;
  readonly recipients: readonly string[];
  readonly randomness: readonly string[];
  readonly content: string;
  readonly object: string;
}
interface BadSealJson {
  readonly name: string;
  readonly of: string;
  readonly recipient: string;
  readonly kid?: string;
  readonly account?: string;
  readonly settingsVersion?: number;
  readonly parents?: readonly string[];
  readonly header?: string;
  readonly body?: string;
  readonly expect: string;
}
const vectors = readVectors<{
  readonly good: readonly GoodJson[];
  readonly badSeals: readonly BadSealJson[];
  readonly badContents: readonly { readonly name: string; readonly content: string; readonly expect: string }[];
}>('settings');
const { kem } = readVectors<{ readonly kem: Readonly<Record<string, { readonly seed: string }>> }>('seal2');

describe.each(suites)('settings.json, by the suite $name', (suite) => {
  const keysOf = (name: string) => xwingKeys(suite, hex(kem[name]?.seed ?? ''));
  const readerOf = (name: string): SettingsReader => {
    const keys = keysOf(name);
    return { kem: kemHash(suite, keys.publicKey), decapsulate: (enc) => keys.decapsulate(enc) };
  };

  it.each(vectors.good)('is opened by each recipient, and sealed to the same bytes: $name', async (vector) => {
    const { value, kid } = openSigned(settingsKind, suite, hex(vector.object));
    for (const recipient of vector.recipients) {
      const content = await openSettings(suite, { ...value, kid }, value, readerOf(recipient));
      expect(toHex(content)).toBe(vector.content);
      expect(toHex(encodeHousehold(decodeHousehold(content)))).toBe(vector.content);
    }
    const draws = vector.randomness.map(hex);
    const random = { bytes: () => draws.shift() ?? new Uint8Array(0), uniform: () => 0 };
    const publics = vector.recipients.map((recipient) => keysOf(recipient).publicKey);
    const sealed = sealSettings(suite, random, { ...value, kid }, publics, hex(vector.content));
    expect(toHex(sealed.header)).toBe(toHex(value.header));
    expect(toHex(sealed.body)).toBe(toHex(value.body));
  });

  it.each(vectors.badSeals)('is refused with $expect: $name', async ({ of, recipient, expect: code, ...change }) => {
    const good = vectors.good.find(({ name }) => name === of);
    const { value, kid } = openSigned(settingsKind, suite, hex(good?.object ?? ''));
    const context = {
      account: change.account === undefined ? value.account : hex(change.account),
      settingsVersion: change.settingsVersion ?? value.settingsVersion,
      parents: change.parents?.map(hex) ?? value.parents,
      kid: change.kid === undefined ? kid : hex(change.kid),
    };
    const sealed = {
      header: change.header === undefined ? value.header : hex(change.header),
      body: change.body === undefined ? value.body : hex(change.body),
    };
    expect(await asyncCodeOf(() => openSettings(suite, context, sealed, readerOf(recipient)))).toBe(code);
  });
});

it.each(vectors.badContents)('the content is refused with $expect: $name', ({ content, expect: code }) => {
  expect(codeOf(() => decodeHousehold(hex(content)))).toBe(code);
});
