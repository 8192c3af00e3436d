import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Visitor } from '../../support/engines/browser.js';
import { barriers } from '../../support/engines/accessibility.js';
import { describeWith } from '../../support/engines/tools.js';
import { WholePage } from '../../support/engines/whole-page.js';
import { limitMs } from '../../support/runner/speed.js';
import { keptFolder } from '../../support/runner/temp.js';
import type { TestAgent } from '../../support/worlds/test-agent.js';

const PASSPHRASE = 'four unrelated test words';
const PATIENT = { timeout: limitMs(30_000) };

/** An owner adds a telephone to the desk that has the root key, and removes it. Each test continues from the one before. */
describeWith('chromium', 'a further browser in the page', () => {
  const folder = keptFolder();
  let world: WholePage;
  let camera: TestAgent;
  let desk: Visitor;
  let phone: Visitor;

  beforeAll(async () => {
    world = await WholePage.open(folder);
    camera = world.startCamera();
    desk = await Visitor.arrive(world.browser);
    phone = await Visitor.arrive(world.browser, { phone: true });
  });

  afterAll(() => world.stop());

  const tab = (visitor: Visitor, name: string): Promise<void> =>
    visitor.page.getByRole('navigation').getByRole('button', { name, exact: true }).click();
  const pictures = (visitor: Visitor): Locator => visitor.page.locator('.card img');
  const browsers = (): Locator => desk.page.locator('.panel', { hasText: 'Your browsers' });

  it('makes a key of its own without a recovery file, and shows its code', async () => {
    await desk.makeKey(world.url, PASSPHRASE);
    await desk.page.getByRole('button', { name: 'Add a camera' }).click();
    await desk.claimCamera(camera.code, 'Front door');
    await pictures(desk).first().waitFor(PATIENT);
    await phone.page.goto(world.url);
    await phone.page.getByRole('button', { name: 'Another browser of mine has the key' }).click();
    await phone.screenshot('further-first');
    await phone.page.getByRole('button', { name: 'Make its key' }).click();
    await phone.page.getByRole('heading', { name: 'Add this browser to yours' }).waitFor();
    await phone.page.locator('.code').waitFor();
    await phone.screenshot('further-code');
    // It stays one after a reload, before any claim names it.
    await phone.page.reload();
    await phone.page.locator('.code').waitFor();
    expect(await phone.page.getByText('Add your first camera').count()).toBe(0);
  });

  it('is added with its code and number, and asks whether it belongs to that account', async () => {
    const code = (await phone.page.locator('.code').innerText()).trim();
    await tab(desk, 'Settings');
    await browsers().getByRole('button', { name: 'Add another browser' }).click();
    const dialog = desk.page.getByRole('dialog', { name: 'Add someone to your household' });
    expect(await dialog.getByLabel('Another browser of mine').isChecked()).toBe(true);
    await dialog.getByLabel('Its code').fill(code);
    const shown = await dialog.locator('.note .mono').innerText();
    expect(shown).toBe(await phone.page.getByText('Code number').locator('.mono').innerText());
    await dialog.getByLabel('Name').fill('Telephone');
    await desk.screenshot('further-add');
    await dialog.getByRole('button', { name: 'Add this browser' }).click();
    await dialog.getByText('the camera seals its pictures to that browser too').waitFor(PATIENT);
    const account = await dialog.locator('p .mono').innerText();
    await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();
    const asked = phone.page.locator('.note', { hasText: 'made this browser one of its own' });
    await asked.waitFor(PATIENT);
    expect(await asked.innerText()).toContain(`Account ${account}`);
    expect(await pictures(phone).count()).toBe(0);
    await phone.screenshot('further-asked');
    await asked.getByRole('button', { name: 'Accept' }).click();
    await pictures(phone).first().waitFor(PATIENT);
  });

  it('gives orders, and says of the rest where the root key is', async () => {
    const { page: view } = phone;
    await tab(phone, 'Cameras');
    await view.getByRole('button', { name: 'Picture now' }).click();
    await view.getByText('The camera took a picture').waitFor(PATIENT);
    await phone.openMore();
    await view.locator('summary', { hasText: 'Household (2)' }).click();
    await view.getByText('This browser cannot change the household, release the camera or revoke it').waitFor();
    expect(await view.getByText('Give this camera away').count()).toBe(0);
    await phone.screenshot('further-camera');
    await view.getByRole('button', { name: 'Add a camera' }).click();
    await view.getByRole('dialog').getByText('This browser cannot claim cameras').waitFor();
    await view.getByRole('button', { name: 'Close' }).click();
    await tab(phone, 'Settings');
    await view.getByRole('heading', { name: 'A further browser' }).waitFor();
    await view.getByText('This browser cannot export or delete the account').waitFor();
    expect(await view.getByRole('heading', { name: 'Recovery file' }).count()).toBe(0);
    await phone.screenshot('further-settings');
    // The desk still gives orders too.
    await tab(desk, 'Cameras');
    await desk.page.getByRole('button', { name: 'Picture now' }).click();
    await desk.page.getByText('The camera took a picture').waitFor(PATIENT);
  });

  it('fits on a telephone, with enough contrast', async () => {
    const before = desk.page.viewportSize();
    const small = phone.page.viewportSize();
    if (before === null || small === null) throw new Error('no window');
    await desk.page.setViewportSize(small);
    await tab(desk, 'Settings');
    await browsers().scrollIntoViewIfNeeded();
    await desk.screenshot('further-list');
    for (const visitor of [phone, desk]) {
      for (const name of ['Events', 'Cameras', 'Settings']) {
        await tab(visitor, name);
        await visitor.page.evaluate(() => {
          for (const details of document.querySelectorAll('details')) details.open = true;
        });
        expect(await barriers(visitor.page)).toEqual([]);
        const overflow = await visitor.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow).toBeLessThanOrEqual(0);
      }
    }
    await desk.page.setViewportSize(before);
  });

  it('is listed with what it can do, renamed, and removed: then it orders nothing, and keeps what it has', async () => {
    await tab(desk, 'Settings');
    await browsers().getByText('Sees and orders: Front door').waitFor();
    await browsers().getByRole('button', { name: 'Rename' }).click();
    await browsers().getByLabel('Name of the browser').fill('Old telephone');
    await browsers().getByRole('button', { name: 'Save' }).click();
    await browsers().getByText('Old telephone').waitFor();
    await browsers().getByRole('button', { name: 'Sign out' }).click();
    await browsers()
      .getByText('Old telephone')
      .waitFor({ ...PATIENT, state: 'detached' });
    expect(camera.agent.outbox.currentClaim()?.value.recipients).toHaveLength(1);
    await tab(phone, 'Cameras');
    await phone.page.getByText('This ownership is over').waitFor(PATIENT);
    expect(await phone.page.getByRole('button', { name: 'Picture now' }).count()).toBe(0);
    await tab(phone, 'Events');
    await pictures(phone).first().waitFor(PATIENT);
  });

  it('logged no errors and raised no alarm', async () => {
    for (const { page: view, complaints } of [desk, phone]) {
      expect(await view.getByText('The cloud sent something').count()).toBe(0);
      expect(complaints).toEqual([]);
    }
  });
});
