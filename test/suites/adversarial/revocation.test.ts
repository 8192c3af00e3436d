import type { Revocation } from '../../../protocol/objects/revocation.js';
import { attacks } from '../../support/attack.js';
import { DAY_MS, listOf, maker, MakerListWorld } from '../../support/worlds/maker-list-world.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { asyncCodeOf } from '../../support/codes.js';

/** Imports the maker's lists one after the other. Returns the cloud's answer to a record of a claimed camera. */
async function answerUnder(
  lists: (world: MakerListWorld) => readonly Partial<Revocation>[],
  options: { readonly maxAgeMs?: number; readonly laterMs?: number } = {},
): Promise<string> {
  const world = new MakerListWorld(options.maxAgeMs ?? 0);
  const fresh = { issuedAtMs: world.clock.wallMs() };
  await world.store.revocations.put(listOf(maker, { ...fresh, listVersion: 1 }), 1);
  await world.accepts();
  for (const [i, list] of lists(world).entries()) {
    await world.store.revocations.put(listOf(maker, { ...fresh, listVersion: 2 + i, ...list }), 1);
  }
  world.clock.advance(options.laterMs ?? 0);
  const sent = await world.record();
  return sent.includes('receipt') ? 'receipted' : 'no receipt';
}

const named = (world: MakerListWorld): Partial<Revocation> => ({ entries: [{ device: world.world.deviceId }] });

async function putBy(isMaker: boolean): Promise<string> {
  const world = new MakerListWorld(DAY_MS);
  const signer = isMaker ? maker : new CameraWorld().owner;
  const issuedAtMs = world.clock.wallMs();
  await asyncCodeOf(() => world.store.revocations.put(listOf(signer, { issuedAtMs }), 1));
  await world.accepts();
  return world.sent.includes('receipt') ? 'receipted' : 'no receipt';
}

attacks('revocation', 'Stolen keys', [
  {
    name: 'a camera with a stolen key that the maker revoked',
    expected: 'no receipt',
    observed: () => answerUnder((world) => [named(world)]),
    control: { name: 'a list without it', expected: 'receipted', observed: () => answerUnder(() => [{}]) },
  },
  {
    name: 'a newer list without the revoked key',
    expected: 'no receipt',
    observed: () => answerUnder((world) => [named(world), {}]),
    control: { name: 'never revoked', expected: 'receipted', observed: () => answerUnder(() => [{}, {}]) },
  },
  {
    name: 'a list withheld until the present one is too old',
    expected: 'no receipt',
    observed: () => answerUnder(() => [], { maxAgeMs: DAY_MS, laterMs: DAY_MS + 1000 }),
    control: {
      name: 'a current list',
      expected: 'receipted',
      observed: () => answerUnder(() => [], { maxAgeMs: DAY_MS, laterMs: 1000 }),
    },
  },
  {
    name: "a current list signed by another key than the maker's",
    expected: 'no receipt',
    observed: () => putBy(false),
    control: { name: "signed by the maker's key", expected: 'receipted', observed: () => putBy(true) },
  },
]);
