import { realRandom } from '../../../common/adapters/real-random.js';
import { concat, utf8 } from '../../../common/bytes.js';
import { LIMITS } from '../../../common/limits.js';
import type { Random } from '../../../common/random.js';
import { Sealer } from '../../../agent/record/sealer.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { secretbox, tweetnaclSuite } from '../../../protocol/crypto/tweetnacl.js';
import { claimKind } from '../../../protocol/objects/claim.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import type { SealedContent } from '../../../protocol/seal/content.js';
import { sealBox } from '../../../protocol/seal/sealed-box.js';
import {
  contextHash,
  seal,
  sealHeader,
  unseal,
  type RecipientKeys,
  type SealContext,
  type SealedObject,
} from '../../../protocol/seal/seal.js';
import { decodeCbor, encodeCbor } from '../../../protocol/wire/cbor.js';
import { Forge } from '../../../scripts/vectors/forge.js';
import { attacks, type Attack } from '../../support/attack.js';
import { evidenceAttacks } from '../../support/evidence-attacks.js';
import { periodAttacks } from '../../support/period-attacks.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { asyncCodeOf, codeOf } from '../../support/codes.js';
import { hex, readVectors } from '../../support/vectors.js';

function recipient(): RecipientKeys {
  const secret = realRandom.bytes(32);
  return { secret, publicKey: nodeSuite.x25519PublicKey(secret) };
}

function contextFor(eventId = realRandom.bytes(16)): SealContext {
  return {
    device: realRandom.bytes(32),
    claimHash: realRandom.bytes(32),
    eventId,
    account: realRandom.bytes(16),
    epoch: 1,
    mediaId: realRandom.bytes(16),
  };
}

const owner = recipient();
const member = recipient();
const here = contextFor();
const elsewhere = contextFor();
const content = { detail: {}, jpeg: utf8('the picture') };
const both = [owner.publicKey, member.publicKey];

function sealTo(recipients: readonly Uint8Array[], context: SealContext, what: SealedContent = content): SealedObject {
  return seal({ suite: nodeSuite, random: realRandom, context, recipients, content: what });
}

const sealed = sealTo(both, here);
const other = sealTo(both, elsewhere);
/** Two chunks: 64 KiB and the rest. */
const large = sealTo(both, here, { detail: {}, jpeg: realRandom.bytes(70_000) });

function opens(keys: RecipientKeys, object: SealedObject, context = here): string {
  return codeOf(() => unseal(nodeSuite, context, keys, object)).replace('accepted', 'opened');
}

const ownEvent = { name: 'its own header, body and event', expected: 'opened', observed: () => opens(owner, sealed) };
const CHUNK_BYTES = 64 * 1024 + 16;
const first = large.body.slice(0, CHUNK_BYTES);
const second = large.body.slice(CHUNK_BYTES);

function chunks(name: string, body: Uint8Array, expected = 'seal-refused'): Attack {
  return {
    name,
    expected,
    observed: () => opens(owner, { ...large, body }),
    control: { name: 'both chunks, in order', expected: 'opened', observed: () => opens(owner, large) },
  };
}

/**
 * XSalsa20-Poly1305 does not commit to its key, so a malicious sealer could make a body that decrypts under two keys and
 * wrap another key for each recipient. The header's MAC covers all wraps with one key, so at most one of them opens.
 */
function twoKeys(): SealedObject {
  const wrapOf = (key: Uint8Array, to: Uint8Array): Uint8Array =>
    sealBox(nodeSuite, realRandom, to, concat(key, contextHash(nodeSuite, here)));
  const raw = decodeCbor(sealed.header, { maxBytes: 4096, maxDepth: 3, maxItems: 16 });
  const [suite, [mine], mac] = sealHeader.fromCbor(raw, 'seal');
  if (mine === undefined) throw new Error('no wrap');
  return { ...sealed, header: encodeCbor([suite, [mine, wrapOf(realRandom.bytes(32), member.publicKey)], mac]) };
}

const claims = readVectors<readonly { name: string; object: string }[]>('bad');

function lowOrderClaim(): string {
  const { object = '' } = claims.find(({ name }) => name === 'claim-recipient-low-order') ?? {};
  return codeOf(() => openSigned(claimKind, nodeSuite, hex(object)));
}

/** A random source that repeats itself after this many draws. */
function repeatingAfter(draws: number): Random {
  let drawn = 0;
  const firstBytes = realRandom.bytes(64);
  return {
    bytes: (length) => (drawn++ % draws === 1 ? firstBytes.slice(0, length) : realRandom.bytes(length)),
    uniform: () => 0.5,
  };
}

const FULL_HOUSE = Array.from({ length: LIMITS.recipientsMax - 1 }, () => new CameraWorld());
/** Draws for one object: a media id, the key, and an ephemeral key per recipient of a full household. */
const DRAWS_OF_AN_OBJECT = 2 + LIMITS.recipientsMax;

/** Seals 70 objects for a full household. Returns the error code if the sealer notices the source. */
async function sealsWith(random: Random): Promise<string> {
  const sealer = new Sealer(nodeSuite, random, () => Promise.resolve());
  const world = new CameraWorld();
  const recipients = [world, ...FULL_HOUSE].map(({ owner: signer, ownerSecret }) => ({
    x25519: nodeSuite.x25519PublicKey(ownerSecret),
    ed25519: signer.publicKey,
  }));
  const claim = world.claim(1, null, { recipients });
  return asyncCodeOf(async () => {
    for (let i = 0; i < 70; i++) await sealer.seal(claim, realRandom.bytes(16), 'detail', { detail: {}, jpeg: null });
  });
}

/** Whether two boxes reveal the XOR of their plaintexts, as boxes with one key and nonce do. */
function nonceTwice(isTwice: boolean): string {
  const key = realRandom.bytes(32);
  const nonces = isTwice ? [new Uint8Array(24), new Uint8Array(24)] : [new Uint8Array(24), realRandom.bytes(24)];
  const texts = [utf8('one picture'), utf8('two picture')];
  const [a, b] = nonces.map((nonce, i) => secretbox.seal(texts[i] ?? utf8(''), nonce, key).slice(16));
  const leaks = (a ?? utf8('')).every(
    (byte, i) => (byte ^ (b?.[i] ?? 0)) === ((texts[0]?.[i] ?? 0) ^ (texts[1]?.[i] ?? 0)),
  );
  return leaks ? 'the XOR of both leaks' : 'nothing';
}

attacks('seal', 'Sealed pictures', [
  {
    name: 'the seal header of another object for the same owner',
    expected: 'seal-refused',
    observed: () => opens(owner, { ...sealed, header: other.header }),
    control: ownEvent,
  },
  {
    name: 'a sealed picture filed under another event',
    expected: 'seal-refused',
    observed: () => opens(owner, other),
    control: { name: 'under its own event', expected: 'opened', observed: () => opens(owner, other, elsewhere) },
  },
  {
    name: "a stranger's key",
    expected: 'seal-refused',
    observed: () => opens(recipient(), sealed),
    control: { name: "the member's key", expected: 'opened', observed: () => opens(member, sealed) },
  },
  {
    name: 'sealing to a low-order recipient key',
    expected: 'seal-refused',
    observed: () => codeOf(() => sealTo([new Uint8Array(32)], here)),
    control: {
      name: "the owner's key",
      expected: 'accepted',
      observed: () => codeOf(() => sealTo([owner.publicKey], here)),
    },
  },
  {
    name: 'a low-order recipient key in a claim',
    expected: 'malformed',
    observed: lowOrderClaim,
    control: {
      name: 'a claim without it',
      expected: 'accepted',
      observed: () => codeOf(() => openSigned(claimKind, nodeSuite, new Forge(nodeSuite).claim([]))),
    },
  },
  {
    name: 'a low-order ephemeral key in a wrap, which gives an all-zero shared secret',
    expected: 'refused on both paths',
    observed: () =>
      [nodeSuite, tweetnaclSuite].every(
        (suite) => codeOf(() => suite.x25519(owner.secret, new Uint8Array(32))) === 'seal-refused',
      )
        ? 'refused on both paths'
        : 'zeros',
    control: {
      name: "the member's key",
      expected: 'accepted',
      observed: () => codeOf(() => tweetnaclSuite.x25519(owner.secret, member.publicKey)),
    },
  },
  {
    name: 'one body with two plaintexts: another key in one of two wraps',
    expected: 'owner seal-refused, member seal-refused',
    observed: () => `owner ${opens(owner, twoKeys())}, member ${opens(member, twoKeys())}`,
    control: {
      name: 'one key in both wraps',
      expected: 'owner opened, member opened',
      observed: () => `owner ${opens(owner, sealed)}, member ${opens(member, sealed)}`,
    },
  },
  chunks('the last chunk dropped', first),
  chunks('the first chunk dropped', second),
  chunks('the chunks swapped', concat(second, first)),
  chunks('the last chunk truncated', large.body.slice(0, -16)),
  {
    name: 'a random source that repeats a key after 64 objects, with eight recipients',
    expected: 'randomness-repeats',
    observed: () => sealsWith(repeatingAfter(64 * DRAWS_OF_AN_OBJECT)),
    control: { name: 'the real source', expected: 'accepted', observed: () => sealsWith(realRandom) },
  },
  {
    name: 'two boxes under one key',
    expected: 'nothing',
    observed: () => nonceTwice(false),
    control: {
      name: 'with the same nonce twice',
      expected: 'the XOR of both leaks',
      observed: () => nonceTwice(true),
    },
  },
  ...periodAttacks(),
  ...evidenceAttacks(),
]);
