import { createCipheriv, diffieHellman, generateKeyPairSync } from 'node:crypto';
import { realRandom } from '../../common/adapters/real-random.js';
import { concat } from '../../common/bytes.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { xwingKeys } from '../../protocol/crypto/xwing.js';
import { openBody, sealBody } from '../../protocol/seal/body.js';
import { encodeContent } from '../../protocol/seal/content.js';
import { periodCommit, periodContextHash, wrapKey } from '../../protocol/seal/key-record.js';
import type { ObjectPlace } from '../../protocol/seal/object.js';
import { OpenedPeriod, openPeriod } from '../../protocol/seal/open-period.js';
import { Period } from '../../protocol/seal/period.js';
import { seal, unseal, type SealContext } from '../../protocol/seal/seal.js';
import { openStream, sealStream } from '../../protocol/seal/stream.js';
import { compare, type Comparison, type Figure } from './measure.js';

/** As the demo's pictures are. */
const PICTURE_BYTES = 6500;
const MEGABYTE = 1 << 20;
const LAST_INDEX = 4095;
const HOUSEHOLDS = [1, 8] as const;

const suite = nodeSuite;
const random = realRandom;

/** Measures seal suite 2 beside suite 1: a picture, a megabyte, a period, and opening each. */
export async function benchSeals(progress: (text: string) => void): Promise<Figure[]> {
  const figures: Figure[] = [];
  const add = async (comparison: Comparison): Promise<void> => {
    progress(`${comparison.name} …`);
    figures.push(await compare(comparison));
  };
  const content = { detail: { reason: 'motion', area: 40, startedMs: 0 }, jpeg: random.bytes(PICTURE_BYTES) };
  const place: ObjectPlace = { eventId: random.bytes(16), mediaId: random.bytes(16), role: 'thumbnail' };
  const household = { device: random.bytes(32), account: random.bytes(16), epoch: 1, claimHash: random.bytes(32) };
  const context: SealContext = { ...household, ...place };
  const start = random.bytes(32);
  const periodContext = { ...household, periodId: random.bytes(16) };
  const newPeriod = (): Period => new Period(suite, periodContext, start.slice());

  const secrets = Array.from({ length: 8 }, () => random.bytes(32));
  const old = secrets.map((secret) => ({ secret, publicKey: suite.x25519PublicKey(secret) }));
  const [first] = old;
  if (first === undefined) throw new Error('no recipients');
  const sealOld = (recipients: number) => () =>
    seal({
      suite,
      random,
      context,
      recipients: old.slice(0, recipients).map(({ publicKey }) => publicKey),
      content,
    });
  let period = newPeriod();
  // A period costs its recipients nothing more, so one row stands beside each household of suite 1.
  for (const recipients of HOUSEHOLDS) {
    await add({
      name: `seal in suite 2, household of ${String(recipients)}`,
      work: () => {
        if (period.isUsedUp) period = newPeriod();
        return period.seal(place, encodeContent(content));
      },
      floor: `suite 1 to ${String(recipients)}`,
      floorWork: sealOld(recipients),
    });
  }

  const megabyte = random.bytes(MEGABYTE);
  const key = random.bytes(32);
  await add({
    name: 'seal a body of 1 MiB in suite 2',
    work: () => sealStream(suite, key, megabyte),
    floor: 'suite 1: the same megabyte',
    floorWork: () => sealBody(key, megabyte),
  });
  await add({
    name: 'seal a body of 1 MiB in suite 2',
    work: () => sealStream(suite, key, megabyte),
    floor: 'node:crypto ChaCha20-Poly1305 alone',
    floorWork: () => {
      const cipher = createCipheriv('chacha20-poly1305', key, new Uint8Array(12), { authTagLength: 16 });
      return concat(cipher.update(megabyte), cipher.final(), cipher.getAuthTag());
    },
  });

  const keys = secrets.map((seed) => xwingKeys(suite, seed));
  const info = periodContextHash(suite, periodContext);
  const curve = {
    privateKey: generateKeyPairSync('x25519').privateKey,
    publicKey: generateKeyPairSync('x25519').publicKey,
  };
  for (const recipients of HOUSEHOLDS) {
    const publicKeys = keys.slice(0, recipients).map(({ publicKey }) => publicKey);
    await add({
      name: `wrap a period's key for ${String(recipients)}`,
      work: () => wrapKey(suite, random, { recipients: publicKeys, info, key }),
      floor: `a picture in suite 1 to ${String(recipients)}`,
      floorWork: sealOld(recipients),
    });
  }

  const oldSealed = sealOld(8)();
  const newSealed = newPeriod().seal(place, encodeContent(content));
  const opened = new OpenedPeriod(suite, periodContext.periodId, start);
  await add({
    name: 'open a picture in suite 2, its period opened',
    work: () => opened.open({ ...context, ...place }, newSealed),
    floor: 'suite 1, the first of 8 wraps',
    floorWork: () => unseal(suite, context, first, oldSealed),
  });
  const newBody = sealStream(suite, key, megabyte);
  const oldBody = sealBody(key, megabyte);
  await add({
    name: 'open a body of 1 MiB in suite 2',
    work: () => openStream(suite, key, newBody),
    floor: 'suite 1: the same megabyte',
    floorWork: () => openBody(key, oldBody),
  });
  const [reader] = keys;
  if (reader === undefined) throw new Error('no recipients');
  const body = wrapKey(suite, random, { recipients: keys.map(({ publicKey }) => publicKey), info, key });
  const commit = periodCommit(suite, key, info);
  await add({
    name: 'open a period',
    work: () =>
      openPeriod({
        suite,
        context: periodContext,
        commit,
        body,
        recipients: keys.length,
        own: 0,
        decapsulate: (enc) => reader.decapsulate(enc),
      }),
    floor: 'bare X25519',
    floorWork: () => diffieHellman(curve),
  });
  const last = newPeriod();
  while (last.taken < LAST_INDEX) last.seal({ ...place, role: 'mini' }, key);
  const lastSealed = last.seal(place, encodeContent(content));
  await add({
    name: 'open the last picture of a period, from its first link',
    work: () => new OpenedPeriod(suite, periodContext.periodId, start).open({ ...context, ...place }, lastSealed),
    floor: 'a picture whose link is known',
    floorWork: () => opened.open({ ...context, ...place }, newSealed),
  });
  return figures;
}
