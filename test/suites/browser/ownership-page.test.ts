import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { anyRecordKind } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import { Visitor } from '../../support/engines/browser.js';
import { barriers } from '../../support/engines/accessibility.js';
import { WholePage } from '../../support/engines/whole-page.js';
import { keptFolder } from '../../support/runner/temp.js';
import type { TestAgent } from '../../support/worlds/test-agent.js';
import { describeWith } from '../../support/engines/tools.js';
import { until } from '../../support/runner/wait.js';
import { limitMs } from '../../support/runner/speed.js';

const PASSPHRASE = 'four unrelated test words';

/** A camera is claimed, ordered about, shared, unshared and given away. Each test continues from the one before. */
describeWith('chromium', 'an ownership in the page', () => {
  const folder = keptFolder();
  let world: WholePage;
  let camera: TestAgent;
  let anna: Visitor;
  let ben: Visitor;
  let recovery = '';

  beforeAll(async () => {
    world = await WholePage.open(folder);
    camera = world.startCamera();
    anna = await Visitor.arrive(world.browser);
    ben = await Visitor.arrive(world.browser, { dark: true, phone: true });
  });

  afterAll(() => world.stop());

  const tab = (visitor: Visitor, name: string): Promise<void> =>
    visitor.page.getByRole('navigation').getByRole('button', { name, exact: true }).click();
  const alarms = async (): Promise<number> => (await world.cloud.store.alarms.since(0, 1000)).length;
  const pictures = (visitor: Visitor): Locator => visitor.page.locator('.card img');

  it('reports an order as done when the camera has carried it out', async () => {
    recovery = await anna.makeKey(world.url, PASSPHRASE);
    await anna.page.getByRole('button', { name: 'Add a camera' }).click();
    await anna.claimCamera(camera.code, 'Front door');
    await pictures(anna)
      .first()
      .waitFor({ timeout: limitMs(20_000) });
    await tab(anna, 'Cameras');
    await anna.page.getByRole('button', { name: 'Picture now' }).click();
    await anna.page.getByText('The camera took a picture').waitFor({ timeout: limitMs(20_000) });
    await tab(anna, 'Events');
    await anna.page.locator('.card', { hasText: 'Snapshot' }).first().locator('img').waitFor();
  });

  it('switches privacy mode on, shows it, and switches it off again', async () => {
    await tab(anna, 'Cameras');
    await anna.page.getByRole('button', { name: 'Privacy mode' }).click();
    await anna.page.getByText('The camera sees nothing').waitFor({ timeout: limitMs(20_000) });
    await anna.page.getByText('Privacy mode · last heard').waitFor({ timeout: limitMs(20_000) });
    expect(camera.agent.isPrivate).toBe(true);
    expect(camera.indicator.shown.at(-1)).toBe('privacy');
    expect(await anna.page.getByRole('button', { name: 'Picture now' }).isDisabled()).toBe(true);
    await anna.screenshot('privacy');
    await anna.page.getByRole('button', { name: 'End privacy mode' }).click();
    await anna.page.getByText('The camera sees again').waitFor({ timeout: limitMs(20_000) });
    expect(camera.agent.isPrivate).toBe(false);
  });

  it('sends zones drawn on the picture to the camera', async () => {
    const { page: view } = anna;
    await anna.openMore();
    await view.locator('summary', { hasText: 'Motion' }).click();
    const box = view.locator('.zone-picture svg');
    await view.locator('.zone-picture img').waitFor({ timeout: limitMs(20_000) });
    for (const position of [
      { x: 20, y: 20 },
      { x: 200, y: 20 },
      { x: 110, y: 120 },
    ]) {
      await box.click({ position });
    }
    await view.getByLabel('Name of the zone').fill('door');
    await view.getByRole('button', { name: 'Close the zone' }).click();
    await view.getByRole('button', { name: 'Set 1 zone' }).click();
    await view.getByText('Motion counts in door').waitFor({ timeout: limitMs(20_000) });
    await view.getByLabel('Sensitivity').fill('70');
    await view.getByRole('button', { name: 'Set the sensitivity' }).click();
    await view.getByText('Sensitivity is now 70').waitFor({ timeout: limitMs(20_000) });
    await anna.screenshot('controls');
    // Motion counts everywhere again, so that the tests below have events.
    await view.getByRole('button', { name: 'Remove all' }).click();
    await view.getByRole('button', { name: 'Set: everywhere' }).click();
    await view.getByText('Motion counts everywhere').waitFor({ timeout: limitMs(20_000) });
  });

  it('adds a member by the code on their screen, who sees only what is recorded later', async () => {
    await ben.makeKey(world.url, PASSPHRASE);
    await tab(ben, 'Settings');
    await ben.page.getByText('Show my code').click();
    const code = (await ben.page.locator('.code').innerText()).trim();
    await ben.page.locator('.qr').scrollIntoViewIfNeeded();
    await ben.screenshot('member-code');
    await anna.page.goto(`${world.url}#member=${code}`);
    const dialog = anna.page.getByRole('dialog', { name: 'Add someone to your household' });
    await dialog.getByText('Is this the number on their screen?').waitFor();
    // A code with another key in it, as a cloud could send one, signing or sealing, has another number.
    const shown = await dialog.locator('.note .mono').innerText();
    const own = await ben.page.getByText('Code number').locator('.mono').innerText();
    expect(shown).toBe(own);
    await dialog.getByLabel('Name').fill('Ben');
    await dialog.getByRole('button', { name: 'Add to my household' }).click();
    await dialog
      .getByText('From now on the camera seals its pictures to both of you')
      .waitFor({ timeout: limitMs(30_000) });
    await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();
    const asked = ben.page.getByText('wants to show you a camera');
    await asked.waitFor({ timeout: limitMs(20_000) });
    expect(await pictures(ben).count()).toBe(0);
    await ben.page.getByRole('button', { name: 'Accept' }).click();
    await tab(ben, 'Events');
    await pictures(ben)
      .first()
      .waitFor({ timeout: limitMs(20_000) });
    expect(await asked.count()).toBe(0);
    await tab(ben, 'Cameras');
    await ben.page.getByText('Shared with you by account').waitFor();
    expect(await ben.page.getByRole('button', { name: 'Picture now' }).count()).toBe(0);
  });

  it('removes a member, who keeps what was recorded before and receives nothing more', async () => {
    await tab(anna, 'Cameras');
    await anna.openMore();
    await anna.page.locator('summary', { hasText: 'Household (2)' }).click();
    await anna.page.getByText('Ben').waitFor();
    await anna.page.getByRole('button', { name: 'Remove', exact: true }).click();
    await anna.page.locator('summary', { hasText: 'Household (1)' }).waitFor({ timeout: limitMs(30_000) });
    const epoch = camera.agent.outbox.currentClaim()?.value.epoch;
    expect(epoch).toBe(3);
    const device = camera.agent.identity.device;
    const pictured = async (): Promise<boolean> =>
      (await world.cloud.store.records.page(device, 3, 1e9, 50)).some(
        ({ bytes }) => openSigned(anyRecordKind, nodeSuite, bytes).value.kind === 'motion',
      );
    await until('an event of the third epoch', pictured, 20_000);
    await tab(anna, 'Events');
    await ben.page.reload();
    await tab(ben, 'Events');
    await pictures(ben)
      .first()
      .waitFor({ timeout: limitMs(20_000) });
    await ben.page.locator('.card-button').first().click();
    await ben.page.getByText('How this page knows').click();
    expect(await ben.page.getByRole('dialog').innerText()).toContain('epoch 2');
    await ben.page.keyboard.press('Escape');
    expect(await ben.page.getByText('The cloud sent something').count()).toBe(0);
  });

  it('restores everything in a second browser with the recovery file', async () => {
    const second = await Visitor.arrive(world.browser);
    const path = join(folder, 'recovery.json');
    writeFileSync(path, recovery);
    await second.page.goto(world.url);
    await second.page.getByRole('button', { name: 'I have a recovery file' }).click();
    await second.page.getByLabel('File').setInputFiles(path);
    await second.page.getByLabel('Passphrase').fill('not these words at all');
    await second.page.getByRole('button', { name: 'Restore my key' }).click();
    await second.page.getByRole('alert').waitFor({ timeout: limitMs(20_000) });
    await second.page.getByLabel('Passphrase').fill(PASSPHRASE);
    await second.page.getByRole('button', { name: 'Restore my key' }).click();
    await pictures(second)
      .first()
      .waitFor({ timeout: limitMs(30_000) });
    // Both browsers give orders, and neither blocks the other.
    for (const visitor of [second, anna, second]) {
      await tab(visitor, 'Cameras');
      await visitor.page.getByRole('button', { name: 'Picture now' }).click();
      await visitor.page.getByText('The camera took a picture').waitFor({ timeout: limitMs(20_000) });
      await tab(visitor, 'Events');
    }
    expect(second.complaints).toEqual([]);
    await second.context.close();
  });

  it('is given away: the next owner claims the camera, and neither owner sees the events of the other', async () => {
    await tab(anna, 'Cameras');
    await anna.openMore();
    await anna.page.getByText('Give this camera away').click();
    const release = anna.page.getByRole('button', { name: 'Release it' });
    expect(await release.isDisabled()).toBe(true);
    await anna.page.getByLabel('Type “release” to confirm').fill('release');
    await release.click();
    await anna.page.getByText('This ownership is over').waitFor({ timeout: limitMs(30_000) });
    expect(camera.agent.outbox.currentClaim()).toBeNull();
    const before = await (async () => {
      await tab(anna, 'Events');
      await pictures(anna).first().waitFor();
      return anna.page.locator('.card').count();
    })();
    const carl = await Visitor.arrive(world.browser);
    await carl.makeKey(world.url, PASSPHRASE);
    camera.button.press(200);
    await carl.page.getByRole('button', { name: 'Add a camera' }).click();
    await carl.claimCamera(camera.code, 'Hall');
    await pictures(carl)
      .first()
      .waitFor({ timeout: limitMs(20_000) });
    await anna.page.reload();
    // The page opens one event after the other, and loads older ones as they come into view.
    const older = anna.page.getByRole('button', { name: 'Show older events' });
    const shown = async (): Promise<number> => {
      await older.evaluateAll((all) => {
        for (const one of all) (one as HTMLElement).click();
      });
      return anna.page.locator('.card').count();
    };
    await expect.poll(shown).toBe(before);
    for (const visitor of [anna, carl]) {
      expect(await visitor.page.getByText('The cloud sent something').count()).toBe(0);
    }
    await tab(carl, 'Cameras');
    await carl.openMore();
    await carl.page.getByText('It was stolen').click();
    await carl.page.getByLabel('Type “stolen” to confirm').fill('stolen');
    const alarmsBefore = await alarms();
    await carl.page.getByRole('button', { name: 'Revoke it' }).click();
    await carl.page.getByText('This ownership is over').waitFor({ timeout: limitMs(20_000) });
    // The camera may have sent something between the click and the answer.
    await until('what it sends is refused', async () => (await alarms()) > alarmsBefore, 20_000);
    await carl.page.reload();
    await tab(carl, 'Events');
    await carl.page.getByRole('heading', { name: 'Add your first camera' }).waitFor({ timeout: limitMs(20_000) });
    expect(carl.complaints).toEqual([]);
    await carl.context.close();
  });

  it('has enough contrast in light and dark, and logs no errors', async () => {
    for (const visitor of [anna, ben]) {
      for (const name of ['Cameras', 'Settings']) {
        await tab(visitor, name);
        await visitor.page.evaluate(() => {
          for (const details of document.querySelectorAll('details')) details.open = true;
        });
        expect(await barriers(visitor.page)).toEqual([]);
        const overflow = await visitor.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow).toBeLessThanOrEqual(0);
      }
      expect(visitor.complaints).toEqual([]);
    }
  });
});
