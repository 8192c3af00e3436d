import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { realRandom } from '../../../common/adapters/real-random.js';
import { memberCodesLink } from '../../../app/core/member-codes.js';
import { ownerKeys, type OwnerKeys } from '../../../app/core/owner-keys.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { wrapKey, type WrapKey } from '../../../protocol/seal/key-record.js';
import { freePort, hostPage, launch, Visitor } from '../../support/engines/browser.js';
import { answerFrom } from '../../support/engines/lying-cloud.js';
import { describeWith } from '../../support/engines/tools.js';
import { keptFolder } from '../../support/runner/temp.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { HEALTH } from '../../support/worlds/cloud-world.js';
import { PageCloud } from '../../support/worlds/page-cloud.js';
import { kemKeyOf, newPerson, SealedCloud, SealingCamera } from '../../support/worlds/sealing-camera.js';

const PASSPHRASE = 'four unrelated test words';

/** The page as it is delivered, in a real browser, over a made-up cloud with a camera in an epoch of version 2. */
describeWith('chromium', 'the page in version 2', () => {
  const folder = keptFolder();
  let browser: Browser;
  let host: { stop: () => Promise<void> };
  let pageUrl = '';
  let keys: OwnerKeys;
  const visitors: Visitor[] = [];

  beforeAll(async () => {
    browser = await launch();
    const port = await freePort();
    pageUrl = `http://127.0.0.1:${String(port)}/`;
    host = await hostPage(join(folder, 'page'), '', port);
    keys = ownerKeys(nodeSuite, realRandom.bytes(32));
  });

  afterAll(async () => {
    await browser.close();
    await host.stop();
  });

  async function open(cloud: SealedCloud | PageCloud): Promise<Visitor> {
    const visitor = await Visitor.arrive(browser);
    visitors.push(visitor);
    // A page that is left open goes on working beside the next test.
    onTestFinished(() => visitor.context.close());
    await visitor.restoreKey(pageUrl, keys.master, PASSPHRASE);
    await answerFrom(visitor.context, cloud);
    await visitor.page.goto(pageUrl);
    return visitor;
  }

  /** A camera with one picture of one period. */
  async function cloudWith(wrap?: WrapKey) {
    const camera = new SealingCamera([keys]);
    const period = await camera.begin(wrap);
    camera.addKey(period);
    camera.addPicture(period);
    return { camera, period, cloud: new SealedCloud(camera) };
  }

  it('shows a picture of suite 2, also before the worker is there and after a reload', async () => {
    const { cloud } = await cloudWith();
    const { page } = await open(cloud);
    const picture = page.locator('.card img');
    await picture.waitFor();
    expect(await picture.evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBe(2);
    await page.reload();
    await picture.waitFor();
    expect(cloud.asked).toEqual([]);
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  it('says that a picture waits for its key record, and opens it once the cloud shows that', async () => {
    const { cloud } = await cloudWith();
    cloud.hides = ({ kind }) => kind === 'key';
    const { page } = await open(cloud);
    await page.getByText('Not opened yet: the key of this time has not come').waitFor();
    cloud.hides = () => false;
    await page.locator('.card img').waitFor();
  });

  it('says that the camera did not seal to this person, or that there are two keys, and shows neither picture', async () => {
    const wrap: WrapKey = (job) =>
      Promise.resolve(wrapKey(nodeSuite, realRandom, { ...job, recipients: [kemKeyOf(newPerson())] }));
    const stranger = await open((await cloudWith(wrap)).cloud);
    await stranger.page.getByText('Not shown: the camera did not seal this to you').waitFor();
    const { camera, period, cloud } = await cloudWith();
    const other = await camera.begin();
    camera.addKey({ keyRecord: { ...other.keyRecord, periodId: period.keyRecord.periodId } });
    const twice = await open(cloud);
    await twice.page.getByText('Not shown: there are two keys for this time').waitFor();
    for (const { page } of [stranger, twice]) {
      await page.getByRole('alert').filter({ hasText: 'contradicts what your cameras signed' }).waitFor();
      expect(await page.locator('.card img').count()).toBe(0);
    }
  });

  it('says that it does not know what is in force, shows no default, and offers no button that deletes the zones', async () => {
    const { camera, cloud } = await cloudWith();
    // Two orders of another browser, whose answers say nothing.
    for (const action of ['zones', 'sensitivity'] as const) camera.addAnswer({ action }, { period: null });
    const visitor = await open(cloud);
    const { page } = visitor;
    await page.locator('.card img').waitFor();
    await page.getByRole('navigation').getByRole('button', { name: 'Cameras', exact: true }).click();
    const card = page.locator('.camera');
    await visitor.openMore(card);
    await card.locator('summary', { hasText: 'In force' }).click();
    for (const setting of ['zones', 'sensitivity', 'masks', 'schedules']) {
      expect(await card.locator(`[data-setting="${setting}"]`).innerText()).toContain('not known yet');
    }
    await card.locator('summary', { hasText: 'Motion' }).click();
    await card.getByText('does not know which zones are in force').waitFor();
    await card.getByText('Sensitivity: not known here').waitFor();
    expect(await card.getByRole('button', { name: 'Set: everywhere' }).count()).toBe(0);
    expect(await card.getByRole('button', { name: 'Set the zones' }).isDisabled()).toBe(true);
    // What deletes them is a choice of its own, and says so.
    await card.getByRole('button', { name: 'Count motion everywhere' }).click();
    await card.getByText('This replaces the zones in force').waitFor();
    await card.getByText('This replaces the zones in force').scrollIntoViewIfNeeded();
    await visitor.screenshot('zones-unknown');
  });

  it('warns of a camera that could do more than its ownership says, and of no older one, and adds no browser to either', async () => {
    for (const agent of ['1.1.0', '0.1.0']) {
      const world = new CameraWorld({ owner: keys.signer, ownerSecret: keys.recipient.secret });
      const cloud = new PageCloud(
        0,
        (_, claim) => {
          const [accept] = world.chain(claim, 0);
          const event = { id: realRandom.bytes(16), phase: 'start', revision: 0 } as const;
          const motion = world.record(claim, 1, accept?.hash ?? null, { kind: 'motion', event });
          const health = { ...HEALTH, agent };
          const records = [motion, world.record(claim, 2, motion.hash, { kind: 'health', health })];
          return accept === undefined ? records : [accept, ...records];
        },
        world,
      );
      const { page } = await open(cloud);
      await page.locator('.card-button').first().waitFor();
      const warning = page.getByText('sealed in the old way, though the camera knows the new one');
      if (agent === '1.1.0') await warning.waitFor();
      else expect(await warning.count()).toBe(0);
      // All browsers of an owner share one key there.
      await page.getByRole('navigation').getByRole('button', { name: 'Settings', exact: true }).click();
      // Said of the root key, which cannot rest then, and of further browsers.
      const old = page.getByText('claimed in version 1, in which all your browsers share the root key');
      await old.first().waitFor();
      expect(await old.count()).toBe(2);
      expect(await page.getByRole('button', { name: 'Add another browser' }).count()).toBe(0);
    }
  });

  it('offers further browsers for a camera of version 2', async () => {
    const { page } = await open((await cloudWith()).cloud);
    await page.locator('.card img').waitFor();
    await page.getByRole('navigation').getByRole('button', { name: 'Settings', exact: true }).click();
    await page.getByRole('button', { name: 'Add another browser' }).waitFor();
    expect(await page.getByText('claimed in version 1').count()).toBe(0);
  });

  it('shows the codes of both versions, with the numbers that other pages show', async () => {
    const { cloud } = await cloudWith();
    const { page } = await open(cloud);
    await page.locator('.card img').waitFor();
    await page.getByRole('navigation').getByRole('button', { name: 'Settings', exact: true }).click();
    await page.getByText('Show my code').click();
    const codes = (await page.locator('.code').innerText()).trim();
    expect(codes.replace(/[\s-]/g, '')).toHaveLength(602);
    const number = (await page.locator('p', { hasText: 'Code number' }).locator('.mono').innerText()).trim();
    await page.goto(memberCodesLink(pageUrl, codes));
    const dialog = page.getByRole('dialog', { name: 'Add someone to your household' });
    await dialog.getByText('Is this the number on their screen?').waitFor();
    expect(await dialog.locator('.note .mono').innerText()).toBe(number);
  });

  it('logged no errors', () => {
    expect(visitors.flatMap(({ complaints }) => complaints)).toEqual([]);
  });
});
