import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LookFrameParser, lookFrames, type LookFrame } from '../../../../app/core/look-frames.js';
import { concat, u32be, utf8 } from '../../../../common/bytes.js';
import { LIMITS } from '../../../../common/limits.js';
import { asyncCodeOf, codeOf } from '../../../support/codes.js';
import { closing, framed } from '../../../support/worlds/look-page.js';

const BODY = concat(framed(utf8('one')), framed(new Uint8Array(0)), framed(utf8('two')), closing('revoked', 'over'));
const FRAMES: readonly LookFrame[] = [
  { type: 'message', bytes: utf8('one') },
  { type: 'keep-alive' },
  { type: 'message', bytes: utf8('two') },
  { type: 'closed', code: 'revoked', message: 'over' },
];

describe('what the cloud passes on of a look', () => {
  it('is the same frames, wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(BODY.length)), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), BODY.length];
        const parser = new LookFrameParser();
        const frames = at.slice(1).flatMap((end, i) => parser.push(BODY.slice(at[i], end)));
        expect(frames).toEqual(FRAMES);
      }),
    );
  });

  it('has limits, and a reason that can be read', () => {
    const parse = (...parts: readonly Uint8Array[]): string =>
      codeOf(() => new LookFrameParser().push(concat(...parts)));
    expect(parse(u32be(LIMITS.messageMaxBytes))).toBe('accepted');
    expect(parse(u32be(LIMITS.messageMaxBytes + 1))).toBe('too-large');
    expect(parse(u32be(0xffff_ffff), u32be(4097))).toBe('too-large');
    for (const text of ['', '[]', '{"code":1,"message":""}', '{"code":"a"}', '\u0000']) {
      expect(parse(u32be(0xffff_ffff), u32be(text.length), utf8(text))).toBe('malformed');
    }
    expect(parse(u32be(0xffff_ffff), u32be(1), Uint8Array.of(0xff))).toBe('malformed');
  });

  it('is no longer read once the signal fires, and its loss is an error', async () => {
    const read = (body: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<string> =>
      asyncCodeOf(async () => {
        for await (const frame of lookFrames(body, (wait) => wait, signal)) expect(frame.type).toBe('keep-alive');
      });
    let isLeft = false;
    const endless = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(framed(new Uint8Array(0)));
      },
      cancel: () => {
        isLeft = true;
      },
    });
    const over = new AbortController();
    const reading = read(endless, over.signal);
    over.abort();
    expect([await reading, isLeft]).toEqual(['accepted', true]);
    const broken = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.error(new Error('reset'));
      },
    });
    expect(await read(broken, new AbortController().signal)).toBe('cloud-unreachable');
  });
});
