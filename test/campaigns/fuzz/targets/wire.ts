import { utf8 } from '../../../../common/bytes.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { openBody, sealBody } from '../../../../protocol/seal/body.js';
import { padContent, unpadContent } from '../../../../protocol/seal/content.js';
import { unseal, type RecipientKeys, type SealContext } from '../../../../protocol/seal/seal.js';
import { decodeLive, encodeLive } from '../../../../protocol/transport/live.js';
import {
  decodeDown,
  decodeStatus,
  decodeUp,
  encodeDown,
  encodeStatus,
  encodeUp,
} from '../../../../protocol/transport/messages.js';
import { parseTopic, topicOf, type TopicLeaf } from '../../../../protocol/transport/topics.js';
import { decodeCbor, encodeCbor, type Cbor } from '../../../../protocol/wire/cbor.js';
import { messageVectors } from '../../../../scripts/vectors/messages.js';
import { messageVectorsV2 } from '../../../../scripts/vectors/messages-v2.js';
import { NAMES, seedOf } from '../../../../scripts/vectors/keyring.js';
import { sealVectors } from '../../../../scripts/vectors/seals.js';
import type { Target } from '../harness.js';
import { below, mutateBytes, mutateCbor, mutateText, noise, oneOf } from '../mutate.js';

const messages = [...messageVectors(nodeSuite).good, ...messageVectorsV2(nodeSuite).good];

function messageTarget(leaf: TopicLeaf, again: (payload: Uint8Array) => Uint8Array): Target {
  const seeds = messages.filter(({ topic }) => topic.endsWith(`/${leaf}`)).map(({ payload }) => payload);
  return {
    name: `message ${leaf}`,
    input: (random) => {
      const choice = below(random, 8);
      if (choice === 0) return noise(random);
      const seed = oneOf(random, seeds);
      if (choice === 1) return seed;
      return choice < 5 ? mutateCbor(random, seed) : mutateBytes(random, seed);
    },
    run: again,
  };
}

const seals = sealVectors(nodeSuite).good;
const ownerSecret = seedOf(nodeSuite, `${NAMES.owner} x25519`);
const owner: RecipientKeys = { secret: ownerSecret, publicKey: nodeSuite.x25519PublicKey(ownerSecret) };

/** Joins header and body in one CBOR array, since an input is one byte string. */
const pair = (header: Uint8Array, body: Uint8Array): Uint8Array => encodeCbor([header, body]);

const sealTarget: Target = {
  name: 'seal header and body',
  input: (random) => {
    // The third seal, with two chunks, is long and reaches no other code.
    const { header, body } = oneOf(random, seals.slice(0, 2));
    switch (below(random, 6)) {
      case 0:
        return pair(header, body);
      case 1:
        return pair(mutateBytes(random, header), body);
      case 2:
        return pair(mutateCbor(random, header), body);
      case 3:
        return pair(header, mutateBytes(random, body));
      case 4:
        return pair(noise(random), noise(random));
      default:
        return pair(oneOf(random, seals).header, body);
    }
  },
  run: (input) => {
    const [header, body] = decodeCbor(input, { maxBytes: 1 << 20, maxDepth: 3, maxItems: 8 }) as Uint8Array[];
    const context: SealContext = seals[0]?.context ?? { ...emptyContext };
    unseal(nodeSuite, context, owner, { header: header ?? input, body: body ?? input });
    return undefined;
  },
};

const emptyContext = {
  device: new Uint8Array(32),
  account: new Uint8Array(16),
  epoch: 1,
  claimHash: new Uint8Array(32),
  eventId: new Uint8Array(16),
  mediaId: new Uint8Array(16),
};

const bodyKey = seedOf(nodeSuite, 'fuzz body');

/** Mutated plaintext of a seal: encryption would keep most mutations from the parser. */
const contentTarget: Target = {
  name: 'sealed content',
  input: (random) => {
    const plain = oneOf(random, seals.slice(0, 2)).plaintext;
    const choice = below(random, 4);
    if (choice === 0) return plain;
    if (choice === 1) return noise(random, 9000);
    if (choice === 2) return mutateBytes(random, plain);
    const length = new DataView(plain.buffer, plain.byteOffset).getUint32(0);
    const cbor = mutateCbor(random, plain.slice(4, 4 + length));
    const padded = new Uint8Array(4096 * Math.ceil((4 + cbor.length) / 4096));
    new DataView(padded.buffer).setUint32(0, cbor.length);
    padded.set(cbor, 4);
    return padded;
  },
  run: (input) => (input.length === 0 ? undefined : padContent(unpadContent(input))),
};

const chunkTarget: Target = {
  name: 'seal body',
  input: (random) => {
    const body = sealBody(bodyKey, random.bytes(1 + below(random, 200)));
    return below(random, 3) === 0 ? body : mutateBytes(random, body);
  },
  run: (input) => {
    if (input.length === 0) return undefined;
    return sealBody(bodyKey, openBody(bodyKey, input));
  },
};

const cborTarget: Target = {
  name: 'CBOR',
  input: (random) => {
    const seed = oneOf(random, messages).payload;
    return below(random, 2) === 0 ? mutateBytes(random, seed) : noise(random, 60);
  },
  run: (input) => encodeCbor(decodeCbor(input, { maxBytes: 1 << 17, maxDepth: 8, maxItems: 1024 }) as Cbor),
};

const topics = [...new Set(messages.map(({ topic }) => topic))];

const topicTarget: Target = {
  name: 'topic',
  input: (random) => utf8(below(random, 5) === 0 ? oneOf(random, topics) : mutateText(random, oneOf(random, topics))),
  run: (input) => {
    const { device, leaf } = parseTopic(Buffer.from(input).toString('utf8'));
    return utf8(topicOf(device, leaf));
  },
};

export const WIRE_TARGETS: readonly Target[] = [
  messageTarget('up', (payload) => encodeUp(decodeUp(payload))),
  messageTarget('down', (payload) => encodeDown(decodeDown(payload))),
  messageTarget('status', (payload) => encodeStatus(decodeStatus(payload))),
  messageTarget('live', (payload) => encodeLive(decodeLive(payload))),
  sealTarget,
  contentTarget,
  chunkTarget,
  cborTarget,
  topicTarget,
];
