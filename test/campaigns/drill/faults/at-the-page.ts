import { toBase64, toHex } from '../../../../common/bytes.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { anyClaimKind } from '../../../../protocol/objects/claim.js';
import { signObject } from '../../../../protocol/objects/signed-object.js';
import { periodIdOf } from '../../../support/worlds/camera-v2.js';
import type { Household } from '../household.js';
import { ownedBy, type FaultCamera, type Shot } from './camera.js';
import { request } from './at-read.js';
import type { Fault, Injection, Outcome } from './fault.js';
import type { Tamper } from './page-over.js';
import type { FaultWorld } from './world.js';

/** Opens a household's page with all its pictures. */
async function visit(world: FaultWorld, household: Household): Promise<Outcome> {
  const { view } = await household.visitPage();
  const own = new Set(world.camerasOf(household).map(({ name }) => name));
  return {
    pageAlarms: view.alarms.length,
    misbound: view.events.filter(({ device }) => !own.has(device)).length,
  };
}

/** A fault in which the API's answers are correct and are changed on their way to the page. */
function lies(name: string, tamper: (world: FaultWorld, household: Household) => Tamper): Fault {
  return {
    name,
    by: 'app',
    injections: (world) =>
      world.households.map((household): Injection => {
        return { wrong: { answers: tamper(world, household) }, act: () => visit(world, household) };
      }),
  };
}

type Item = Record<string, unknown>;

function changed(body: Item, list: 'cameras' | 'records', change: (item: Item, index: number) => Item): Item {
  const items = body[list];
  return Array.isArray(items) ? { ...body, [list]: (items as Item[]).map(change) } : body;
}

function firstOf(world: FaultWorld, household: Household): FaultCamera {
  const [camera] = world.camerasOf(household);
  if (camera === undefined) throw new Error('a household without a camera');
  return camera;
}

/** A token is taken for that of another owner, whose list, records and ciphertexts the caller then gets. */
export const crossedSessions: Fault = {
  name: 'crossed sessions',
  by: 'app',
  injections: (world) =>
    world.households.map((household) => {
      const neighbour = world.neighbour(household);
      return {
        wrong: { session: (session) => ({ ...session, key: neighbour.keys.signer.publicKey }) },
        act: async () => {
          const outcome = await visit(world, household);
          // The page refused the list; a curious caller would request everything in it.
          for (const camera of world.camerasOf(neighbour)) await request(household, camera);
          return outcome;
        },
      };
    }),
};

export const swappedOnTheWay: Fault = lies('swapped thumbnails on the way to the page', (world, household) => {
  const { sealed } = firstOf(world, world.neighbour(household)).shot(0);
  return { media: () => [sealed.header, sealed.body] };
});

/** The key record of another household or another period in place of the one that the page asked for, or its object alone. */
export const strangeKeys: Fault = {
  name: 'a lying cloud: another key record',
  by: 'app',
  injections: (world) =>
    world.camerasWithKeys().flatMap((camera) => {
      const own = camera.key(0);
      const others = [world.strangeCameraWithKeys(camera).key(0), camera.key(1)];
      return others.flatMap((strange) =>
        [strange, own].map((record): Injection => {
          const json: Tamper['json'] = (path, body) => (isAskedFor(path, own) ? answered(body, record, strange) : body);
          return { wrong: { answers: { json } }, act: () => visit(world, camera.owner) };
        }),
      );
    }),
};

function isAskedFor(path: string, { record }: Shot): boolean {
  return path.endsWith(`/periods/${toHex(periodIdOf(record))}`);
}

/** Returns the answer to a request for a key record, with this record and the object of another. */
function answered(body: Item, { record }: Shot, { sealed }: Shot): Item {
  return {
    ...body,
    record: { ...(body['record'] as Item), record: toBase64(record.bytes) },
    body: toBase64(sealed.body),
  };
}

export const strangeRecords: Fault = lies('a lying cloud: records of another camera', (world, household) => {
  const { record } = firstOf(world, world.neighbour(household)).shot(0);
  return {
    json: (path, body) =>
      path.endsWith('/records')
        ? changed(body, 'records', (item, i) => (i === 0 ? { ...item, record: toBase64(record.bytes) } : item))
        : body,
  };
});

export const alteredRecords: Fault = lies('a lying cloud: an altered record', (world, household) => {
  const { record } = firstOf(world, household).shot(0);
  const bytes = record.bytes.slice();
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  const good = toBase64(record.bytes);
  const bad = toBase64(bytes);
  return {
    json: (_path, body) =>
      changed(body, 'records', (item) => (item['record'] === good ? { ...item, record: bad } : item)),
  };
});

/** Withholds the newest event, as if it had never been recorded. */
export const olderHead: Fault = lies('a lying cloud: an older head', () => ({
  json: (path, body) => {
    if (path === '/v1/cameras') return changed(body, 'cameras', (item) => ({ ...item, highestSeq: 1 }));
    if (!path.endsWith('/records') || !Array.isArray(body['records'])) return body;
    const records = (body['records'] as Item[]).filter(({ seq }) => Number(seq) <= 1);
    return { ...body, records, highestSeq: 1 };
  },
}));

/** A claim for the household's camera that another owner signed, that no camera accepted, or with one byte altered. */
export const alteredClaim: Fault = {
  name: 'a lying cloud: an altered claim',
  by: 'app',
  injections: (world) =>
    world.households.flatMap((household) => {
      const { claim, name } = firstOf(world, household);
      const thief = world.neighbour(household).keys;
      const stolen = signObject(anyClaimKind, nodeSuite, thief.signer, ownedBy(claim.value, thief));
      // Signed by the owner, but never accepted by the camera.
      const renewed = signObject(anyClaimKind, nodeSuite, household.keys.signer, {
        ...claim.value,
        nonce: realRandom.bytes(16),
      });
      const altered = claim.bytes.slice();
      altered[altered.length >> 1] = (altered[altered.length >> 1] ?? 0) ^ 1;
      return [stolen.bytes, renewed.bytes, altered].map((bytes): Injection => {
        const json: Tamper['json'] = (_path, body) =>
          changed(body, 'cameras', (item) => (item['device'] === name ? { ...item, claim: toBase64(bytes) } : item));
        return { wrong: { answers: { json } }, act: () => visit(world, household) };
      });
    }),
};
