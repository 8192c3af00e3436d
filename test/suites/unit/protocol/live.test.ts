import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex, utf8 } from '../../../../common/bytes.js';
import { LIMITS } from '../../../../common/limits.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { tweetnaclSuite } from '../../../../protocol/crypto/tweetnacl.js';
import { encapsulate, xwingKeys } from '../../../../protocol/crypto/xwing.js';
import { liveKey } from '../../../../protocol/seal/live-key.js';
import {
  decodeInitialisation,
  decodeUnit,
  encodeInitialisation,
  encodeUnit,
} from '../../../../protocol/transport/live-content.js';
import { decodeLive, encodeLive, LIVE_FLAGS } from '../../../../protocol/transport/live.js';
import { LiveOpener, LiveSealer } from '../../../../protocol/transport/live-session.js';
import { encodeCbor } from '../../../../protocol/wire/cbor.js';
import { codeOf } from '../../../support/codes.js';

const suite = nodeSuite;
const session = realRandom.bytes(16);
const key = realRandom.bytes(32);
const large = realRandom.bytes(2 * LIMITS.liveMaxBytes + 1);

function ends(): { readonly sealer: LiveSealer; readonly opener: LiveOpener } {
  return { sealer: new LiveSealer(suite, session, key.slice()), opener: new LiveOpener(suite, session, key.slice()) };
}

/** Takes messages, and returns the text of each picture that is whole. */
function shown(opener: LiveOpener, messages: readonly Uint8Array[]): readonly string[] {
  return messages.flatMap((message) => {
    const arrival = opener.open(message);
    return arrival === null ? [] : [Buffer.from(arrival.plaintext).toString()];
  });
}

describe('the key of a look', () => {
  const context = {
    orderHash: realRandom.bytes(32),
    claimHash: realRandom.bytes(32),
    answerHash: realRandom.bytes(32),
  };

  it('is the same at both ends, and another one for another order, claim or answer', () => {
    const viewer = xwingKeys(suite, realRandom.bytes(32));
    const { enc, shared } = encapsulate(suite, realRandom, viewer.publicKey);
    const camera = liveKey(suite, shared, context);
    expect(toHex(liveKey(tweetnaclSuite, viewer.decapsulate(enc), context))).toBe(toHex(camera));
    const others = (['orderHash', 'claimHash', 'answerHash'] as const).map((changed) =>
      toHex(liveKey(suite, shared, { ...context, [changed]: realRandom.bytes(32) })),
    );
    expect(new Set([toHex(camera), ...others]).size).toBe(4);
  });
});

describe('the messages of a look', () => {
  it('arrive whole and in order, also one that needs several messages', () => {
    const { sealer, opener } = ends();
    const messages = [
      ...sealer.seal('initialisation', utf8('init')),
      ...sealer.seal('key-unit', large),
      ...sealer.seal('unit', utf8('b')),
      ...sealer.seal('end', new Uint8Array(0)),
    ];
    expect(messages).toHaveLength(6);
    expect(messages.map((message) => decodeLive(message).flags)).toEqual([2, 1 + 8, 8, 0, 0, 4]);
    for (const message of messages) expect(message.length).toBeLessThanOrEqual(LIMITS.messageMaxBytes);
    const arrivals = messages.map((message) => opener.open(message));
    expect(arrivals.map((arrival) => arrival?.kind)).toEqual([
      'initialisation',
      undefined,
      undefined,
      'key-unit',
      'unit',
      'end',
    ]);
    expect(toHex(arrivals[3]?.plaintext ?? key)).toBe(toHex(large));
    expect([opener.received, opener.missing, sealer.messages]).toEqual([6, 0, 6]);
  });

  it('after a hole wait for a key unit', () => {
    const { sealer, opener } = ends();
    const messages = ['key-unit', 'unit', 'unit', 'unit', 'key-unit', 'unit'].flatMap((kind, n) =>
      sealer.seal(kind as 'unit', utf8(String(n))),
    );
    expect(
      shown(
        opener,
        messages.filter((_, n) => n !== 2),
      ),
    ).toEqual(['0', '1', '4', '5']);
    expect([opener.received, opener.missing]).toEqual([5, 1]);
    const whole = ends().opener;
    expect(shown(whole, messages)).toEqual(['0', '1', '2', '3', '4', '5']);
  });

  it.each([0, 1, 2])('show nothing of a picture without its piece %i', (lost) => {
    const { sealer, opener } = ends();
    const messages = [...sealer.seal('key-unit', large), ...sealer.seal('unit', utf8('builds on it'))];
    const after = sealer.seal('key-unit', utf8('next'));
    expect(shown(opener, [...messages.filter((_, n) => n !== lost), ...after])).toEqual(['next']);
  });

  it('are taken once and never back in time', () => {
    const { sealer, opener } = ends();
    const [a, b, c] = ['a', 'b', 'c'].flatMap((text) => sealer.seal('key-unit', utf8(text)));
    if (a === undefined || b === undefined || c === undefined) throw new Error('three messages');
    expect(shown(opener, [a, a, c, b, c])).toEqual(['a', 'c']);
    expect([opener.received, opener.missing, opener.repeated]).toEqual([2, 1, 3]);
  });

  it('are refused with another key, session, number or flag, and change nothing', () => {
    const { sealer, opener } = ends();
    const [message] = sealer.seal('key-unit', utf8('a'));
    if (message === undefined) throw new Error('one message');
    const parts = decodeLive(message);
    const forged = [
      { ...parts, n: 1 },
      { ...parts, flags: LIVE_FLAGS.end },
      { ...parts, ciphertext: parts.ciphertext.map((byte) => byte ^ 1) },
    ];
    for (const each of forged) expect(codeOf(() => opener.open(encodeLive(each)))).toBe('seal-refused');
    const other = new LiveSealer(suite, session, realRandom.bytes(32));
    expect(codeOf(() => opener.open(other.seal('end', utf8(''))[0] ?? message))).toBe('seal-refused');
    const elsewhere = { ...parts, session: realRandom.bytes(16) };
    expect(codeOf(() => opener.open(encodeLive(elsewhere)))).toBe('foreign');
    expect(opener.received).toBe(0);
    expect(shown(opener, [message])).toEqual(['a']);
  });

  it('have a limit, at both ends', () => {
    const { sealer } = ends();
    expect(codeOf(() => sealer.seal('unit', new Uint8Array(LIMITS.liveUnitMaxBytes + 1)))).toBe('too-large');
    expect(sealer.messages).toBe(0);
    const { sealer: endless, opener } = ends();
    // A camera that never ends a picture.
    const pieces = Array.from({ length: 12 }, () => endless.seal('key-unit', large).slice(0, 1)).flat();
    expect(shown(opener, pieces)).toEqual([]);
  });

  it('hide their key, and forget it', () => {
    const own = key.slice();
    const sealer = new LiveSealer(suite, session, own);
    expect(Object.values(sealer)).not.toContain(own);
    sealer.wipe();
    expect(toHex(own)).toBe('00'.repeat(32));
    // Neither end goes on with a key of zeros, which anybody has.
    expect(codeOf(() => sealer.seal('end', new Uint8Array(0)))).toBe('seal-refused');
    const { opener } = ends();
    opener.wipe();
    const [forged = session] = new LiveSealer(suite, session, new Uint8Array(32)).seal('key-unit', utf8('a'));
    expect(codeOf(() => opener.open(forged))).toBe('seal-refused');
    // The control: the same message opens where zeros are the key.
    expect(new LiveOpener(suite, session, new Uint8Array(32)).open(forged)).not.toBeNull();
  });
});

describe('what the messages hold', () => {
  const initialisation = { codec: 'h264', width: 1280, height: 720, segment: Uint8Array.of(1, 2) } as const;

  it('comes back as it was', () => {
    expect(decodeInitialisation(encodeInitialisation(initialisation))).toEqual(initialisation);
    const unit = { capturedMs: 2 ** 40 + 5, bytes: Uint8Array.of(9) };
    expect(decodeUnit(encodeUnit(unit))).toEqual(unit);
  });

  it('is refused where it is nothing of the kind', () => {
    const init = (...parts: readonly (number | Uint8Array)[]): string =>
      codeOf(() => decodeInitialisation(encodeCbor(parts)));
    expect(init(2, 0, 1, 1)).toBe('unsupported');
    expect(init(1, 2, 640, 480, Uint8Array.of())).toBe('unsupported');
    expect(init(1, 1, 0, 480, Uint8Array.of())).toBe('malformed');
    expect(init(1, 1, 640, 480)).toBe('malformed');
    expect(codeOf(() => decodeUnit(new Uint8Array(8)))).toBe('malformed');
    expect(codeOf(() => decodeUnit(new Uint8Array(9).fill(255)))).toBe('malformed');
  });
});
