import { describe, expect, it } from 'vitest';
import { toHex } from '../../../../common/bytes.js';
import { LIMITS } from '../../../../common/limits.js';
import { decodeNotice, encodeNotice, type Notice } from '../../../../protocol/transport/notice.js';
import { encodeCbor, type Cbor } from '../../../../protocol/wire/cbor.js';
import { codeOf } from '../../../support/codes.js';

const device = new Uint8Array(32).fill(7);
const signed = new Uint8Array(3).fill(1);
const mini = { header: new Uint8Array(2).fill(2), body: new Uint8Array(2).fill(3) };
/** The longest record of a picture and its mini: 56 bytes of header, one chunk of 2,560 with its tag. */
const largest = { header: new Uint8Array(LIMITS.sealHeaderMaxBytes), body: new Uint8Array(2560 + 16) };

/** Each with its bytes: version, kind, and what follows, deterministic CBOR. */
const VECTORS: readonly (readonly [name: string, notice: Notice, hex: string])[] = [
  ['a record with its picture', { type: 'record', record: signed, mini }, '8501004301010142020242' + '0303'],
  ['a record alone', { type: 'record', record: signed, mini: null }, '85010043010101f6f6'],
  ['a summary', { type: 'summary', device, count: 300 }, `8401015820${toHex(device)}19012c`],
  [
    'a silent camera',
    { type: 'silent', device, sinceMs: 1_771_234_860_000 },
    `8401025820${toHex(device)}1b0000019c65d31be0`,
  ],
];

describe('a notice', () => {
  it.each(VECTORS)('%s has these bytes, and comes back', (_, notice, hex) => {
    expect(toHex(encodeNotice(notice))).toBe(`${hex}80`.padEnd(2 * LIMITS.noticeBytes, '0'));
    expect(decodeNotice(encodeNotice(notice))).toEqual(notice);
  });

  it('has room for a record of a thousand bytes with the largest mini, and no more than the limit', () => {
    const record = new Uint8Array(1000);
    const encoded = encodeNotice({ type: 'record', record, mini: largest });
    expect(encoded.length).toBe(LIMITS.noticeBytes);
    expect(decodeNotice(encoded)).toEqual({ type: 'record', record, mini: largest });
    const over = codeOf(() => encodeNotice({ type: 'record', record: new Uint8Array(1400), mini: largest }));
    expect(over).toBe('too-large');
  });

  const id: Cbor = device;
  it.each<readonly [code: string, name: string, raw: Cbor]>([
    ['unsupported', 'a later version', [2, 0, signed, null, null]],
    ['unsupported', 'a later version of another shape', [2]],
    ['unsupported', 'a later kind', [1, 3, device, 1]],
    ['malformed', 'no array', new Map([[0, 1]])],
    ['malformed', 'nothing', []],
    ['malformed', 'a version in words', ['1', 0, signed, null, null]],
    ['malformed', 'no kind', [1]],
    ['malformed', 'a kind in words', [1, 'record', signed, null, null]],
    ['malformed', 'a header without its body', [1, 0, signed, mini.header, null]],
    ['malformed', 'a body without its header', [1, 0, signed, null, mini.body]],
    ['malformed', 'an empty record', [1, 0, new Uint8Array(0), null, null]],
    ['malformed', 'a header that is too long', [1, 0, signed, new Uint8Array(57), mini.body]],
    ['malformed', 'an item more', [1, 0, signed, null, null, null]],
    ['malformed', 'a short device', [1, 1, device.slice(1), 1]],
    ['malformed', 'a count of nothing', [1, 1, id, 0]],
    ['malformed', 'a time before 1970', [1, 2, id, -1]],
  ])('is %s: %s', (code, _, raw) => {
    expect(codeOf(() => decodeNotice(Uint8Array.of(...encodeCbor(raw), 0x80, 0, 0)))).toBe(code);
  });

  it('is refused without its end, in another encoding, with bytes behind it, or above the length', () => {
    const cbor = encodeCbor([1, 1, device, 1]);
    const padded = (...more: number[]): string => codeOf(() => decodeNotice(Uint8Array.of(...cbor, ...more)));
    expect([padded(0x80), padded(0x80, 0, 0)]).toEqual(['accepted', 'accepted']);
    expect([padded(), padded(0), padded(0x80, 1), padded(0x80, 0x80), padded(0, 0x80)]).toEqual(
      Array.from({ length: 5 }, () => 'malformed'),
    );
    const longer = Uint8Array.of(...cbor.slice(0, -1), 0x18, 1, 0x80);
    const zeros = new Uint8Array(8);
    for (const bad of [longer, zeros, new Uint8Array(0)]) expect(codeOf(() => decodeNotice(bad))).toBe('malformed');
    const whole = encodeNotice({ type: 'summary', device, count: 1 });
    expect(codeOf(() => decodeNotice(Uint8Array.of(...whole, 0)))).toBe('malformed');
  });
});
