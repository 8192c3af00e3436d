/** The content of live.json: a look from the viewer's side: its key, its messages as they left the camera, and as a cloud may alter them. */
import { concat, utf8 } from '../../common/bytes.js';
import type { ErrorCode } from '../../common/error-codes.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { encapsulate } from '../../protocol/crypto/xwing.js';
import { liveKey } from '../../protocol/seal/live-key.js';
import { encodeInitialisation, encodeUnit } from '../../protocol/transport/live-content.js';
import { decodeLive, encodeLive } from '../../protocol/transport/live.js';
import { LiveSealer, type LiveKind } from '../../protocol/transport/live-session.js';
import { encodeCbor } from '../../protocol/wire/cbor.js';
import { vectorRandom } from './keyring.js';
import { kemKeysOf, kemSeedOf } from './seal2-shapes.js';
import { VectorWorld } from './signed.js';

interface LiveShown {
  readonly kind: LiveKind;
  readonly plaintext: Uint8Array;
}

export interface LiveVectors {
  /** Seed of the viewer's X-Wing key, which is made for one look. */
  readonly viewerSeed: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly secret: Uint8Array;
  readonly orderHash: Uint8Array;
  readonly claimHash: Uint8Array;
  readonly answerHash: Uint8Array;
  readonly key: Uint8Array;
  readonly session: Uint8Array;
  /** In the order in which they were sent. */
  readonly messages: readonly Uint8Array[];
  readonly cases: readonly LiveCase[];
  /** Content of an initialisation or of a picture that must be refused. */
  readonly bad: readonly BadLive[];
}

interface LiveCase {
  readonly name: string;
  /** Which of the messages arrive, in this order. */
  readonly arrive: readonly number[];
  readonly shown: readonly LiveShown[];
  readonly received: number;
  readonly missing: number;
  readonly repeated: number;
}

interface BadLive {
  readonly name: string;
  readonly of: 'initialisation' | 'picture' | 'message';
  readonly bytes: Uint8Array;
  readonly expect: ErrorCode;
}

/** Returns the content of live.json. */
export function liveVectors(suite: CryptoSuite): LiveVectors {
  const world = new VectorWorld(suite);
  const viewer = kemKeysOf(suite, 'stranger');
  const { enc, shared } = encapsulate(suite, vectorRandom(suite, 'live encapsulation'), viewer.publicKey);
  const hash = (label: string): Uint8Array => suite.sha256(utf8(`sealcam test vector: live ${label}`));
  const context = { orderHash: hash('order'), claimHash: world.claim.hash, answerHash: hash('answer') };
  const key = liveKey(suite, shared, context);
  const session = world.id('session');
  const sealer = new LiveSealer(suite, session, key.slice());
  // A broker with a small limit, so that a picture of a kilobyte needs several messages.
  const smallMessageBytes = 600;
  const picture = (fill: number, bytes: number, capturedMs: number): Uint8Array =>
    encodeUnit({ capturedMs, bytes: new Uint8Array(bytes).fill(fill) });
  const parts: readonly LiveShown[] = [
    {
      kind: 'initialisation',
      plaintext: encodeInitialisation({ codec: 'jpeg', width: 640, height: 360, segment: new Uint8Array(0) }),
    },
    { kind: 'key-unit', plaintext: picture(1, 1200, 2 ** 33 + 7) },
    {
      kind: 'initialisation',
      plaintext: encodeInitialisation({ codec: 'h264', width: 1280, height: 720, segment: hash('segment') }),
    },
    { kind: 'key-unit', plaintext: picture(2, 100, 2 ** 33 + 500) },
    { kind: 'unit', plaintext: picture(3, 700, 2 ** 33 + 540) },
    { kind: 'unit', plaintext: picture(4, 50, 2 ** 33 + 580) },
    { kind: 'key-unit', plaintext: picture(5, 60, 2 ** 33 + 620) },
    { kind: 'end', plaintext: new Uint8Array(0) },
  ];
  const messages = parts.flatMap(({ kind, plaintext }) => sealer.seal(kind, plaintext, smallMessageBytes));
  const arriving = (name: string, arrive: readonly number[], shown: readonly number[], repeated = 0): LiveCase => ({
    name,
    arrive,
    shown: shown.map((index) => parts[index] ?? { kind: 'end', plaintext: new Uint8Array(0) }),
    received: arrive.length - repeated,
    missing: Math.max(...arrive) + 1 - (arrive.length - repeated),
    repeated,
  });
  const all = messages.map((_, n) => n);
  const without = (...lost: readonly number[]): readonly number[] => all.filter((n) => !lost.includes(n));
  // Messages 1 to 3 are the first picture, 6 and 7 the second unit of H.264.
  return {
    viewerSeed: kemSeedOf(suite, 'stranger'),
    ciphertext: enc,
    secret: shared,
    ...context,
    key,
    session,
    messages,
    cases: [
      arriving('all', all, [0, 1, 2, 3, 4, 5, 6, 7]),
      arriving('first-piece-lost', without(1), [0, 2, 3, 4, 5, 6, 7]),
      arriving('middle-piece-lost', without(2), [0, 2, 3, 4, 5, 6, 7]),
      arriving('key-unit-lost', without(5), [0, 1, 2, 6, 7]),
      arriving('unit-lost', without(6, 7), [0, 1, 2, 3, 6, 7]),
      arriving(
        'twice',
        all.flatMap((n) => [n, n]),
        [0, 1, 2, 3, 4, 5, 6, 7],
        all.length,
      ),
      arriving('back-in-time', [0, 1, 2, 3, 9, 4, 5, 10], [0, 1, 6, 7], 2),
    ],
    bad: badLive(messages[0] ?? session),
  };
}

function badLive(message: Uint8Array): readonly BadLive[] {
  const none = new Uint8Array(0);
  const parts = decodeLive(message);
  const of = (name: string, ...items: readonly (number | Uint8Array)[]): BadLive => ({
    name,
    of: 'initialisation',
    bytes: encodeCbor(items),
    expect: 'malformed',
  });
  const altered = (name: string, change: Partial<typeof parts>): BadLive => ({
    name,
    of: 'message',
    bytes: encodeLive({ ...parts, ...change }),
    expect: 'seal-refused',
  });
  return [
    { ...of('version-2', 2, 7), expect: 'unsupported' },
    { ...of('codec-2', 1, 2, 640, 360, none), expect: 'unsupported' },
    of('width-0', 1, 1, 0, 360, none),
    of('width-16385', 1, 1, 16_385, 360, none),
    of('no-segment', 1, 1, 640, 360),
    { name: 'time-alone', of: 'picture', bytes: new Uint8Array(8), expect: 'malformed' },
    { name: 'time-above-2-53', of: 'picture', bytes: new Uint8Array(9).fill(255), expect: 'malformed' },
    altered('number', { n: 1 }),
    altered('flags', { flags: 0 }),
    altered('ciphertext', { ciphertext: parts.ciphertext.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) }),
    altered('cut', { ciphertext: parts.ciphertext.slice(1) }),
    { ...altered('session', { session: parts.session.map((byte) => byte ^ 1) }), expect: 'foreign' },
    { name: 'trailing', of: 'message', bytes: concat(message, none, Uint8Array.of(0)), expect: 'malformed' },
  ];
}
