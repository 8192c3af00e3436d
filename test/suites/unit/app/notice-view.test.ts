import { describe, expect, it } from 'vitest';
import { accountNumber } from '../../../../app/core/account-number.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { KEM_CIPHERTEXT_BYTES } from '../../../../protocol/objects/ids.js';
import type { AnyRecord } from '../../../../protocol/objects/record.js';
import type { Verified } from '../../../../protocol/objects/signed-object.js';
import { addAnswer, orderBy } from '../../../support/worlds/looking-camera.js';
import { PushedBrowser, pushingCamera, pushOf } from '../../../support/worlds/push-world.js';
import { newPerson, SealedCloud, SealingCamera } from '../../../support/worlds/sealing-camera.js';

const owner = newPerson();
const anna = newPerson();
const bert = newPerson();
const suite = nodeSuite;
const ciphertext = new Uint8Array(KEM_CIPHERTEXT_BYTES);

async function world() {
  const made = await pushingCamera([owner, anna, bert]);
  const browser = await new PushedBrowser(owner, made.cloud, made.clock, { suite }).visit();
  await browser.storage.saveName(toHex(made.camera.world.deviceId), 'Front door');
  await browser.storage.saveName(toHex(anna.signer.publicKey), 'Anna');
  const show = (record: Pick<Verified<AnyRecord>, 'bytes'>) => browser.receive(pushOf(record));
  return { ...made, browser, show };
}

const eventOf = () => ({ id: realRandom.bytes(16), phase: 'single', revision: 0 }) as const;

describe('what a notification says', () => {
  it('of what a camera signs: tampering, a loss, and nothing of what is no news for a person', async () => {
    const { camera, show } = await world();
    const tamper = camera.add({ kind: 'scene', scene: { class: 'tamper' }, event: eventOf() });
    expect(await show(tamper)).toMatchObject({ title: 'Front door was touched or covered', jpeg: null });
    const gap = camera.add({ kind: 'gap', loss: [{ reason: 'full', seqs: [2, 2] }] });
    expect(await show(gap)).toMatchObject({ title: 'Front door lost some of its records', address: null });
    const key = camera.addKey(await camera.begin());
    expect(await show(key)).toMatchObject({ title: 'Something new at Front door', address: null });
  });

  it('one notification of each event, whatever comes of it', async () => {
    const { camera, show } = await world();
    const event = { id: realRandom.bytes(16), phase: 'start', revision: 0 } as const;
    const start = await show(camera.add({ kind: 'motion', event }));
    const end = await show(camera.add({ kind: 'motion', event: { ...event, phase: 'end', revision: 1 } }));
    const other = await show(camera.add({ kind: 'motion', event: { ...event, id: realRandom.bytes(16) } }));
    expect(end.tag).toBe(start.tag);
    expect(other.tag).not.toBe(start.tag);
  });

  it('who looks: by name, by the number of a browser that has none, and of this browser itself', async () => {
    const { camera, show } = await world();
    const session = realRandom.bytes(16);
    const begun = await show(addAnswer(camera, orderBy(camera, anna, { session }), ciphertext));
    expect(begun.title).toBe('Anna is looking through Front door');
    const renewed = await show(addAnswer(camera, orderBy(camera, anna, { session, kemKey: null, renewal: 1 }), null));
    expect(renewed.tag).toBe(begun.tag);
    const own = await show(addAnswer(camera, orderBy(camera, owner), ciphertext));
    expect(own.title).toBe('You are looking through Front door');
    const unnamed = await show(addAnswer(camera, orderBy(camera, bert), ciphertext));
    expect(unnamed.title).toBe(`The browser ${accountNumber(bert.signer.publicKey)} is looking through Front door`);
    // What no member ordered has no words here; the page raises that alarm.
    const stranger = await show(addAnswer(camera, orderBy(camera, newPerson()), ciphertext));
    expect(stranger.title).toBe('Something new at Front door');
  });

  it('who was added, once this browser has the claim', async () => {
    const { camera, browser, clock } = await world();
    const previous = camera.claim.hash;
    const carla = newPerson();
    const next = new SealingCamera([owner, anna, bert, carla], { epoch: 2, previous }, camera.world);
    const learning = new PushedBrowser(owner, new SealedCloud(next), clock, { suite, storage: browser.storage });
    const [accept] = next.records;
    await browser.storage.saveName(toHex(carla.signer.publicKey), 'Carla');
    const added = await learning.receive(pushOf(accept ?? { bytes: new Uint8Array(0) }));
    expect(added.title).toBe('Carla was added at Front door');
  });

  it('a time that cannot be is not shown, and one of another day has its date', async () => {
    const { camera, clock, show } = await world();
    const at = (wallMs: number | null) =>
      camera.add({ kind: 'motion', event: { ...eventOf(), phase: 'start' }, time: camera.world.time(1000, wallMs) });
    for (const wallMs of [null, 2 ** 53 - 1])
      expect((await show(at(wallMs))).body).toBe('The camera had no clock then.');
    const yesterday = await show(at(clock.wallMs() - 86_400_000));
    expect(yesterday.body).toContain(String(new Date(clock.wallMs() - 86_400_000).getFullYear()));
  });
});
