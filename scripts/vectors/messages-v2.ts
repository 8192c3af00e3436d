import type { ErrorCode } from '../../common/error-codes.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { claimMac } from '../../protocol/objects/claim.js';
import { keyBodyBytes } from '../../protocol/objects/key-record.js';
import { encodeLive, LIVE_FLAGS, type LiveMessage } from '../../protocol/transport/live.js';
import { encodeDown, encodeUp, type DownMessage } from '../../protocol/transport/messages.js';
import { topicOf, type TopicLeaf } from '../../protocol/transport/topics.js';
import { encodeCbor, type Cbor } from '../../protocol/wire/cbor.js';
import type { BadMessage, MessageVector } from './messages.js';
import { VectorWorldV2 } from './signed-v2.js';

/** Returns the content of messages-v2.json: what version 2 adds to the messages, and the topic of looks. */
export function messageVectorsV2(suite: CryptoSuite): {
  readonly good: readonly MessageVector[];
  readonly bad: readonly BadMessage[];
} {
  const world = new VectorWorldV2(suite);
  return { good: goodMessages(world), bad: badMessages(world) };
}

function goodMessages(world: VectorWorldV2): readonly MessageVector[] {
  const topic = (leaf: TopicLeaf): string => topicOf(world.deviceId, leaf);
  const down = (name: string, message: DownMessage): MessageVector => ({
    name,
    topic: topic('down'),
    message,
    payload: encodeDown(message),
  });
  const live = (name: string, n: number, flags: number): MessageVector => {
    const message: LiveMessage = {
      session: world.id('session'),
      n,
      flags,
      ciphertext: new Uint8Array(20).fill(n % 251),
    };
    return { name, topic: topic('live'), message, payload: encodeLive(message) };
  };
  const key = {
    record: Uint8Array.of(1),
    media: [{ header: new Uint8Array(0), body: new Uint8Array(keyBodyBytes(3)) }],
  };
  const up = { type: 'records', records: [key] } as const;
  const claim = { type: 'claim', claim: world.claimV2.bytes, kemKeys: world.kemKeys } as const;
  const offer = { type: 'offer', offer: Uint8Array.of(1), offerV2: Uint8Array.of(2) } as const;
  return [
    { name: 'up-key-record', topic: topic('up'), message: up, payload: encodeUp(up) },
    down('down-claim-kem-keys', { ...claim, mac: null }),
    down('down-claim-kem-keys-and-mac', { ...claim, mac: claimMac(world.suite, world.secret, world.claimV2) }),
    down('down-hello', { type: 'hello', versions: [1, 2] }),
    down('down-hello-of-the-future', { type: 'hello', versions: [2, 3, 255] }),
    down('down-look', { type: 'look', order: Uint8Array.of(5) }),
    live('live-initialisation', 0, LIVE_FLAGS.initialisation),
    live('live-key-unit-continued', 1, LIVE_FLAGS.keyUnit + LIVE_FLAGS.continued),
    live('live-above-2-32', 4_294_967_301, 0),
    live('live-end', 4_294_967_302, LIVE_FLAGS.end),
    { name: 'up-offer-in-both-versions', topic: topic('up'), message: offer, payload: encodeUp(offer) },
  ];
}

function badMessages(world: VectorWorldV2): readonly BadMessage[] {
  const of = (name: string, leaf: TopicLeaf, expect: ErrorCode, value: Cbor): BadMessage => ({
    name,
    leaf,
    expect,
    payload: encodeCbor(value),
  });
  const claim = Uint8Array.of(1);
  const session = world.id('session');
  const cipher = new Uint8Array(16);
  const [key = claim] = world.kemKeys;
  const nine: Cbor = Array.from({ length: 9 }, () => key);
  return [
    of('down-claim-no-kem-keys', 'down', 'malformed', [2, claim, null, []]),
    of('down-claim-nine-kem-keys', 'down', 'malformed', [2, claim, null, nine]),
    of('down-claim-kem-key-1215-bytes', 'down', 'malformed', [2, claim, null, [key.slice(1)]]),
    of('down-claim-kem-keys-null', 'down', 'malformed', [2, claim, null, null]),
    of('down-claim-of-five', 'down', 'malformed', [2, claim, null, [key], 0]),
    of('down-hello-nothing', 'down', 'malformed', [6, []]),
    of('down-hello-version-0', 'down', 'malformed', [6, [0]]),
    of('down-hello-text', 'down', 'malformed', [6, ['1']]),
    of('down-hello-nine', 'down', 'malformed', [6, [1, 2, 3, 4, 5, 6, 7, 8, 9]]),
    of('down-look-over-2-kib', 'down', 'malformed', [7, new Uint8Array(2049)]),
    of('down-type-8', 'down', 'unsupported', [8]),
    of('live-type-2', 'live', 'unsupported', [2, session, 0, 0, cipher]),
    of('live-flags-16', 'live', 'malformed', [1, session, 0, 16, cipher]),
    of('live-n-negative', 'live', 'malformed', [1, session, -1, 0, cipher]),
    of('live-session-15-bytes', 'live', 'malformed', [1, session.slice(1), 0, 0, cipher]),
    of('live-shorter-than-a-tag', 'live', 'malformed', [1, session, 0, 0, cipher.slice(1)]),
    of('live-of-six', 'live', 'malformed', [1, session, 0, 0, cipher, 0]),
    of('live-map', 'live', 'malformed', new Map([[0, 1]])),
    of('live-ciphertext-over-its-limit', 'live', 'malformed', [1, session, 0, 0, new Uint8Array(131_009)]),
    of('up-offer-second-null', 'up', 'malformed', [2, claim, null]),
    of('up-offer-of-four', 'up', 'malformed', [2, claim, claim, claim]),
  ];
}
