import { concat } from '../../../../common/bytes.js';
import { isSealcamError } from '../../../../common/errors.js';
import type { Random } from '../../../../common/random.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { CryptoSuite } from '../../../../protocol/crypto/suite.js';
import { tweetnaclSuite } from '../../../../protocol/crypto/tweetnacl.js';
import { decodeEvidence, encodeEvidence } from '../../../../protocol/evidence/evidence-file.js';
import { makeEvidence } from '../../../../protocol/evidence/make.js';
import { verifyEvidence } from '../../../../protocol/evidence/verify.js';
import { decodeCborSequence, encodeCbor, type Cbor } from '../../../../protocol/wire/cbor.js';
import { EvidenceWorld } from '../../../../scripts/vectors/evidence-world.js';
import type { Target } from '../harness.js';
import { below, mutateBytes, mutateCbor, noise, oneOf } from '../mutate.js';

const worlds = [new EvidenceWorld(nodeSuite, 1), new EvidenceWorld(nodeSuite, 2)];
const files = worlds.map((world) => makeEvidence(nodeSuite, world.source, world.id('event 3')));
const LIMITS = { maxBytes: 1 << 20, maxDepth: 4, maxItems: 4096 };

function itemsOf(file: Uint8Array): Uint8Array[] {
  return decodeCborSequence(file, LIMITS).map((item) => encodeCbor(item as Cbor));
}

/** Returns a file with a byte, an item, or the order of its items changed; the head counts them where it can. */
function changedFile(random: Random): Uint8Array {
  const file = oneOf(random, files);
  if (below(random, 4) === 0) return mutateBytes(random, file);
  const [, ...items] = itemsOf(file);
  const at = below(random, items.length);
  const item = items[at] ?? noise(random);
  switch (below(random, 5)) {
    case 0:
      items.splice(at, 1);
      break;
    case 1:
      items.splice(below(random, items.length), 0, item);
      break;
    case 2:
      items[at] = oneOf(random, itemsOf(oneOf(random, files)));
      break;
    case 3:
      items[at] = mutateCbor(random, item);
      break;
    default:
      break;
  }
  return concat(encodeCbor(['sealcam/evidence', below(random, 20) === 0 ? 2 : 1, items.length]), ...items);
}

const decoding: Target = {
  name: 'evidence file',
  input: changedFile,
  run: (input) => encodeEvidence(decodeEvidence(input)),
};

function outcomeOf(suite: CryptoSuite, input: Uint8Array): string {
  try {
    const { records, pictures } = verifyEvidence(suite, input);
    return `${String(records.length)} records, ${String(pictures.length)} pictures`;
  } catch (error) {
    if (isSealcamError(error)) return error.code;
    throw error;
  }
}

const verifying: Target = {
  name: 'evidence verified by both suites',
  input: changedFile,
  run: (input) => {
    const [node, browser] = [nodeSuite, tweetnaclSuite].map((suite) => outcomeOf(suite, input));
    if (node !== browser) throw new Error(`node:crypto gives ${node ?? ''}, the browser ${browser ?? ''}`);
    verifyEvidence(nodeSuite, input);
    return undefined;
  },
};

export const EVIDENCE_TARGETS: readonly Target[] = [decoding, verifying];
