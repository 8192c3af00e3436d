import { equal } from '../../../../common/bytes.js';
import { isSealcamError } from '../../../../common/errors.js';
import { hpkeOpen } from '../../../../protocol/crypto/hpke.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { ChachaOpenLater, CryptoSuite } from '../../../../protocol/crypto/suite.js';
import { tweetnaclSuite } from '../../../../protocol/crypto/tweetnacl.js';
import { checkKemKey, encapsulate } from '../../../../protocol/crypto/xwing.js';
import { pad, unpad } from '../../../../protocol/seal/content.js';
import { decodeKeyRecordBody, keyRecordBody } from '../../../../protocol/seal/key-record.js';
import { decodeInForce, encodeInForce } from '../../../../protocol/seal/in-force.js';
import {
  decodeObjectHeader,
  openWithE,
  openWithELater,
  sealHeader2,
  type SealRole,
} from '../../../../protocol/seal/object.js';
import { openPeriod } from '../../../../protocol/seal/open-period.js';
import { openStream, sealStream } from '../../../../protocol/seal/stream.js';
import { decodeCbor, encodeCbor } from '../../../../protocol/wire/cbor.js';
import { inForceVectors } from '../../../../scripts/vectors/in-force.js';
import { seedOf, vectorRandom } from '../../../../scripts/vectors/keyring.js';
import { seal2Vectors } from '../../../../scripts/vectors/seal2.js';
import { kemKeysOf } from '../../../../scripts/vectors/seal2-shapes.js';
import type { Target } from '../harness.js';
import { below, mutateBytes, mutateCbor, noise, oneOf } from '../mutate.js';

const vectors = seal2Vectors(nodeSuite);
const objects = vectors.objects.filter(({ body }) => body.length < 8192);
const owner = kemKeysOf(nodeSuite, 'owner');
const ownerInBrowser = kemKeysOf(tweetnaclSuite, 'owner');
const ROLES: readonly SealRole[] = ['thumbnail', 'detail', 'segment', 'mini'];

/** The outcome of a call as text; what is not a typed error is thrown on. */
function outcomeOf(action: () => Uint8Array | undefined): string {
  try {
    return Buffer.from(action() ?? []).toString('hex');
  } catch (error) {
    if (isSealcamError(error)) return error.code;
    throw error;
  }
}

function rethrow(error: unknown): never {
  throw error;
}

/** As WebCrypto's, which Node 20 does not have. */
const chachaLater: ChachaOpenLater = (key, nonce, box) => Promise.resolve(nodeSuite.chachaOpen(key, nonce, box));

/** Runs on both suites, which must agree, and returns or throws as the first does. */
function onBoth(run: (suite: CryptoSuite) => Uint8Array | undefined): Uint8Array | undefined {
  const [node, browser] = [nodeSuite, tweetnaclSuite].map((suite) => outcomeOf(() => run(suite)));
  if (node !== browser) throw new Error(`node:crypto gives ${node ?? ''}, the browser ${browser ?? ''}`);
  return run(nodeSuite);
}

const headerTarget: Target = {
  name: 'seal 2 header',
  input: (random) => {
    const { header } = oneOf(random, objects);
    return below(random, 2) === 0 ? mutateCbor(random, header) : mutateBytes(random, header);
  },
  run: (input) => {
    const { periodId, index, commit } = decodeObjectHeader(input);
    return encodeCbor(sealHeader2.toCbor([2, periodId, index, commit]));
  },
};

const objectTarget: Target = {
  name: 'seal 2 header and body, both suites',
  input: (random) => {
    const at = below(random, objects.length);
    const { header, body, context } = objects[at] ?? oneOf(random, objects);
    const role = ROLES.indexOf(below(random, 6) === 0 ? oneOf(random, ROLES) : context.role);
    switch (below(random, 5)) {
      case 0:
        return encodeCbor([at, role, header, body]);
      case 1:
        return encodeCbor([at, role, mutateBytes(random, header), body]);
      case 2:
        return encodeCbor([at, role, mutateCbor(random, header), body]);
      case 3:
        return encodeCbor([at, role, header, mutateBytes(random, body)]);
      default:
        return encodeCbor([at, role, oneOf(random, objects).header, noise(random)]);
    }
  },
  run: async (input) => {
    const raw = decodeCbor(input, { maxBytes: 1 << 20, maxDepth: 3, maxItems: 8 });
    const [at, role, header, body] = raw as [number, number, Uint8Array, Uint8Array];
    const object = objects[at];
    if (object === undefined) throw new Error('no such object');
    const context = { ...object.context, role: ROLES[role] ?? 'thumbnail' };
    const opened = outcomeOf(() => openWithE(nodeSuite, object.key, context, { header, body }));
    const later = await openWithELater(nodeSuite, chachaLater, object.key, context, { header, body }).then(
      (content) => outcomeOf(() => content),
      (error: unknown) => outcomeOf(() => rethrow(error)),
    );
    if (later !== opened) throw new Error(`${later} through WebCrypto, ${opened} without`);
    onBoth((suite) => openWithE(suite, object.key, context, { header, body }));
    return undefined;
  },
};

const streamKey = seedOf(nodeSuite, 'fuzz stream');

const streamTarget: Target = {
  name: 'seal 2 body, both suites',
  input: (random) => {
    const body = sealStream(nodeSuite, streamKey, random.bytes(1 + below(random, 200)));
    return below(random, 3) === 0 ? body : mutateBytes(random, body);
  },
  run: (input) => {
    onBoth((suite) => openStream(suite, streamKey, input));
    return sealStream(nodeSuite, streamKey, openStream(nodeSuite, streamKey, input));
  },
};

const paddingTarget: Target = {
  name: 'seal 2 padding',
  input: (random) => {
    const padded = pad(noise(random, 3000), 2560);
    return below(random, 3) === 0 ? padded : mutateBytes(random, padded);
  },
  run: (input) => pad(unpad(input, 2560), 2560),
};

const bodies = vectors.periods.map(({ body }) => body);

const keyRecordTarget: Target = {
  name: 'key record body',
  input: (random) => {
    const body = oneOf(random, bodies);
    return below(random, 2) === 0 ? mutateCbor(random, body) : mutateBytes(random, body);
  },
  run: (input) => {
    const wraps = decodeKeyRecordBody(input, 2);
    return encodeCbor(keyRecordBody.toCbor([2, wraps.map(({ enc, ct }) => [enc, ct] as const)]));
  },
};

const inForceContents = inForceVectors(nodeSuite).good.map(({ object }) => object.content);

const inForceTarget: Target = {
  name: 'what is in force',
  input: (random) => {
    const content = oneOf(random, inForceContents);
    return below(random, 3) === 0 ? mutateBytes(random, content) : mutateCbor(random, content);
  },
  run: (input) => encodeInForce(decodeInForce(input)),
};

/** Opening is slow, so the entries themselves are mutated, not the CBOR around them. */
const wrapTarget: Target = {
  name: 'key record entry, both suites',
  input: (random) => {
    const [period] = vectors.periods;
    const body = period?.body.slice() ?? new Uint8Array(0);
    for (let i = below(random, 3); i > 0; i--) {
      const at = 8 + below(random, 1170);
      body[at] = (body[at] ?? 0) ^ (1 << below(random, 8));
    }
    return body;
  },
  run: async (input) => {
    const [period] = vectors.periods;
    if (period === undefined) throw new Error('no periods');
    const [mine] = decodeKeyRecordBody(input, 2);
    if (mine === undefined) throw new Error('no wraps');
    const shared = [owner, ownerInBrowser].map((keys) => outcomeOf(() => keys.decapsulate(mine.enc)));
    if (shared[0] !== shared[1]) throw new Error('the suites decapsulate to different secrets');
    await openPeriod({
      suite: nodeSuite,
      context: period.context,
      commit: period.commit,
      body: input,
      recipients: 2,
      own: 0,
      decapsulate: (enc) => owner.decapsulate(enc),
    });
    const opened = hpkeOpen(nodeSuite, owner.decapsulate(mine.enc), period.contextHash, mine.ct);
    if (opened === undefined || !equal(opened, period.key)) throw new Error('opened to another key');
    return undefined;
  },
};

/** The check of a KEM key beside what the library says when it is used. */
const kemKeyTarget: Target = {
  name: 'KEM public key',
  input: (random) => {
    const key = owner.publicKey.slice();
    if (below(random, 8) === 0) return mutateBytes(random, key);
    key.set(random.bytes(1 + below(random, 8)), below(random, key.length - 8));
    return key;
  },
  run: (input) => {
    const used = outcomeOf(() => {
      encapsulate(nodeSuite, vectorRandom(nodeSuite, 'fuzz'), input);
      return undefined;
    });
    const checked = outcomeOf(() => {
      checkKemKey(nodeSuite, input);
      return undefined;
    });
    if (used !== checked) throw new Error(`checked: ${checked}, used: ${used}`);
    checkKemKey(nodeSuite, input);
    return input;
  },
};

export const SEAL2_TARGETS: readonly Target[] = [
  headerTarget,
  objectTarget,
  streamTarget,
  paddingTarget,
  keyRecordTarget,
  wrapTarget,
  inForceTarget,
  kemKeyTarget,
];
