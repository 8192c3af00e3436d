import { describe, expect, it } from 'vitest';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { commandKindV2 } from '../../../../protocol/objects/command.js';
import { signObject } from '../../../../protocol/objects/signed-object.js';
import type { InForce } from '../../../../protocol/seal/in-force.js';
import { inForcePage } from '../../../support/worlds/in-force-page.js';
import { newPerson, SealedCloud, SealingCamera } from '../../../support/worlds/sealing-camera.js';

const [owner, member] = [newPerson(), newPerson()];
const by = owner.signer.publicKey;
const SCHEDULE = { days: 31, fromMinute: 480, toMinute: 1020 };
const sensitivity = (value: number): InForce => ({ sensitivity: [value, [by, 1, value, 1000 * value]] });

async function world() {
  const camera = new SealingCamera([owner, member]);
  const period = await camera.begin();
  camera.addKey(period);
  return { camera, period, cloud: new SealedCloud(camera) };
}

describe('what is in force, by the answers of the camera', () => {
  it('is read by the owner and by a member, who ordered nothing: each setting, who set it and when', async () => {
    const { camera, period, cloud } = await world();
    const schedules = [[SCHEDULE], [by, 1, 7, null]] as const;
    camera.addAnswer({ action: 'sensitivity' }, period, { ...sensitivity(70), zones: [[], null], schedules });
    for (const [keys, household] of [
      [owner, null],
      [member, owner],
    ] as const) {
      const page = await inForcePage(keys, cloud, household);
      expect(page.inForce('sensitivity')).toEqual({ type: 'unknown' });
      expect(await page.read()).toBe('new');
      const common = { type: 'known', isCurrent: true };
      expect(page.inForce('sensitivity')).toEqual({
        ...common,
        order: { action: 'sensitivity', sensitivity: 70 },
        by,
        wallMs: 70_000,
      });
      expect(page.inForce('zones')).toEqual({
        ...common,
        order: { action: 'zones', zones: [] },
        by: null,
        wallMs: null,
      });
      expect(page.inForce('schedules')).toMatchObject({ order: { schedules: [SCHEDULE] }, wallMs: null });
      expect(page.inForce('masks')).toEqual({ type: 'absent' });
      expect(await page.read()).toBe('the same');
      expect(page.alarms()).toEqual([]);
    }
  });

  it('is not known before an answer carried it, and never guessed', async () => {
    const { camera, cloud } = await world();
    const page = await inForcePage(owner, cloud);
    expect(await page.read()).toBe('the same');
    expect(page.inForce('sensitivity')).toEqual({ type: 'unordered' });
    camera.addAnswer({ action: 'sensitivity' }, { period: null });
    expect(await page.read()).toBe('the same');
    expect(page.inForce('sensitivity')).toMatchObject({ type: 'elsewhere' });
  });

  it('follows the newest answer; one without it leaves open only what it is about', async () => {
    const { camera, period, cloud } = await world();
    const page = await inForcePage(owner, cloud);
    camera.addAnswer({ action: 'sensitivity' }, period, { ...sensitivity(70), zones: [[], null] });
    await page.read();
    camera.addAnswer({ action: 'sensitivity' }, period, { ...sensitivity(20), zones: [[], null] });
    expect(await page.read()).toBe('new');
    expect(page.inForce('sensitivity')).toMatchObject({ order: { sensitivity: 20 }, isCurrent: true });
    camera.addAnswer({ action: 'zones' }, { period: null });
    camera.addAnswer({ action: 'sensitivity', result: 'refused' }, { period: null });
    await page.read();
    expect(page.inForce('zones')).toMatchObject({ type: 'elsewhere' });
    expect(page.inForce('sensitivity')).toMatchObject({ order: { sensitivity: 20 }, isCurrent: true });
  });

  it('is what this browser ordered, where the answer to that came without', async () => {
    const { camera, period, cloud } = await world();
    const page = await inForcePage(owner, cloud);
    camera.addAnswer({ action: 'sensitivity' }, period, sensitivity(70));
    await page.read();
    const { device, epoch } = camera.claim.value;
    const order = signObject(commandKindV2, nodeSuite, owner.signer, {
      version: 2,
      action: 'sensitivity',
      sensitivity: 30,
      device,
      epoch,
      claimHash: camera.claim.hash,
      counter: 1,
      recent: [0, camera.claim.hash],
    });
    await page.standing.keep(order);
    camera.addAnswer({ action: 'sensitivity', object: order.hash }, { period: null });
    await page.read();
    expect(page.inForce('sensitivity')).toMatchObject({ order: { sensitivity: 30 }, by: 'this browser' });
  });

  it('says that it may have changed where records since the answer are held back', async () => {
    const { camera, period, cloud } = await world();
    camera.addAnswer({ action: 'sensitivity' }, period, sensitivity(70));
    const { seq } = camera.addAnswer({ action: 'sensitivity' }, period, sensitivity(20)).value;
    camera.add({ kind: 'scene', scene: { class: 'stall' } });
    cloud.hides = ({ seq: at }) => at === seq;
    const page = await inForcePage(owner, cloud);
    await page.read();
    expect(page.inForce('sensitivity')).toMatchObject({ order: { sensitivity: 70 }, isCurrent: false });
    cloud.hides = () => false;
    const whole = await inForcePage(owner, cloud);
    await whole.read();
    expect(whole.inForce('sensitivity')).toMatchObject({ order: { sensitivity: 20 }, isCurrent: true });
  });

  it('waits for a key record that has not come, and is read by the next attempt', async () => {
    const { camera, period, cloud } = await world();
    camera.addAnswer({ action: 'sensitivity' }, period, sensitivity(70));
    cloud.hides = ({ kind }) => kind === 'key';
    const page = await inForcePage(owner, cloud);
    expect(await page.read()).toBe('key-pending');
    expect(page.inForce('sensitivity')).toMatchObject({ type: 'elsewhere' });
    cloud.hides = () => false;
    expect(await page.read()).toBe('new');
    expect(page.inForce('sensitivity')).toMatchObject({ type: 'known' });
    expect(page.alarms()).toEqual([]);
  });

  it('is an alarm where the cloud sends something else, asked for once', async () => {
    const { camera, period, cloud } = await world();
    camera.addAnswer({ action: 'sensitivity' }, period, sensitivity(70));
    const [id = '', other = ''] = [...camera.media.keys()].reverse();
    const sealed = camera.media.get(other);
    if (sealed !== undefined) camera.media.set(id, sealed);
    const page = await inForcePage(owner, cloud);
    expect(await page.read()).toBe('cloud-lied');
    expect(await page.read()).toBe('the same');
    expect(page.inForce('sensitivity')).toMatchObject({ type: 'elsewhere' });
    expect(page.alarms()).toHaveLength(1);
  });
});
