import { describe, expect, it } from 'vitest';
import { copyOf, toHex } from '../../../../common/bytes.js';
import { NO_EVENT } from '../../../../protocol/objects/ids.js';
import { decodeContent } from '../../../../protocol/seal/content.js';
import { decodeInForce, encodeInForce } from '../../../../protocol/seal/in-force.js';
import { openWithE, type ObjectContext } from '../../../../protocol/seal/object.js';
import { toJson } from '../../../../scripts/vectors/keyring.js';
import { suites } from '../../../support/runner/suites.js';
import { codeOf } from '../../../support/codes.js';
import { hex, readVectors } from '../../../support/vectors.js';

interface ObjectJson {
  readonly context: Readonly<Record<'device' | 'account' | 'claimHash' | 'eventId' | 'mediaId', string>> & {
    readonly epoch: number;
  };
  readonly content: string;
  readonly key: string;
  readonly header: string;
  readonly body: string;
}
const vectors = readVectors<{
  readonly good: readonly { readonly name: string; readonly value: unknown; readonly object: ObjectJson }[];
  readonly bad: readonly { readonly name: string; readonly content: string; readonly expect: string }[];
}>('in-force');

function contextOf({ device, account, claimHash, eventId, mediaId, epoch }: ObjectJson['context']): ObjectContext {
  return {
    device: hex(device),
    account: hex(account),
    epoch,
    claimHash: hex(claimHash),
    eventId: hex(eventId),
    mediaId: hex(mediaId),
    role: 'detail',
  };
}

describe('what is in force', () => {
  it.each(vectors.good)('is decoded, and encoded to the same bytes: $name', ({ value, object }) => {
    const inForce = decodeInForce(hex(object.content));
    expect(toJson(inForce)).toEqual(value);
    expect(toHex(encodeInForce(inForce))).toBe(object.content);
  });

  it.each(vectors.bad)('is refused: $name', ({ content, expect: code }) => {
    expect(codeOf(() => decodeInForce(hex(content)))).toBe(code);
  });

  it('is no content of a picture, nor the other way round', () => {
    for (const { object } of vectors.good) expect(codeOf(() => decodeContent(hex(object.content)))).toBe('malformed');
  });

  it('is one unit of padding long, whatever it is', () => {
    expect(new Set(vectors.good.map(({ object }) => object.body.length / 2))).toEqual(new Set([4096 + 16]));
  });
});

describe.each(suites)('an answer sealed in a period, by the suite $name', (suite) => {
  it.each(vectors.good)('opens with 16 zero bytes for an event, and with no other event: $name', ({ object }) => {
    const context = contextOf(object.context);
    expect(context.eventId).toEqual(NO_EVENT);
    const sealed = { header: hex(object.header), body: hex(object.body) };
    const opens = (change: Partial<ObjectContext>): string =>
      codeOf(() => decodeInForce(openWithE(suite, hex(object.key), { ...context, ...change }, sealed)));
    expect(opens({})).toBe('accepted');
    const eventId = copyOf(NO_EVENT);
    eventId[15] = 1;
    expect([opens({ eventId }), opens({ role: 'thumbnail' })]).toEqual(['seal-refused', 'seal-refused']);
  });
});
