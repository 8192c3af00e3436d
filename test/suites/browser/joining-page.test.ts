import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRecoveryFile } from '../../../app/core/recovery-file.js';
import { toBase64, toHex } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { ownerSecrets } from '../../../protocol/owner/secrets.js';
import { Visitor } from '../../support/engines/browser.js';
import { barriers } from '../../support/engines/accessibility.js';
import { storedInPage } from '../../support/engines/stored-secrets.js';
import { describeWith } from '../../support/engines/tools.js';
import { WholePage } from '../../support/engines/whole-page.js';
import { limitMs } from '../../support/runner/speed.js';
import { keptFolder } from '../../support/runner/temp.js';
import { until } from '../../support/runner/wait.js';
import { BUSY, TestAgent } from '../../support/worlds/test-agent.js';

const PASSPHRASE = 'four unrelated test words';
const ROOT_PASSPHRASE = 'quite another set of words';
const PATIENT = { timeout: limitMs(30_000) };

/** An owner puts the root key under a passphrase, and changes the household with it. Each test continues from the one before. */
describeWith('chromium', 'a protected root key in the page', () => {
  const folder = keptFolder();
  let world: WholePage;
  let camera: TestAgent;
  let garden: TestAgent;
  let desk: Visitor;
  let master: Uint8Array;

  beforeAll(async () => {
    world = await WholePage.open(folder);
    camera = world.startCamera();
    desk = await Visitor.arrive(world.browser);
    ({ master } = await openRecoveryFile(await desk.makeKey(world.url, PASSPHRASE), PASSPHRASE));
  });

  afterAll(() => world.stop());

  const tab = (visitor: Visitor, name: string): Promise<void> =>
    visitor.page.getByRole('navigation').getByRole('button', { name, exact: true }).click();
  const pictures = (visitor: Visitor): Locator => visitor.page.locator('.card img');
  const cameraNames = (visitor: Visitor): Promise<string[]> => visitor.page.locator('.camera h2').allInnerTexts();
  const recipients = (of = camera): number => of.agent.outbox.currentClaim()?.value.recipients.length ?? 0;
  /** Time of day of the newest event that shows its picture. */
  const newest = (visitor: Visitor): Promise<string> =>
    visitor.page
      .locator('.card', { has: visitor.page.locator('img') })
      .locator('.card-time')
      .first()
      .innerText();
  const browsers = (): Locator => desk.page.locator('.panel', { hasText: 'Your browsers' });
  const open = (): Locator => desk.page.locator('[data-root-open]');
  const unlock = async (within: Locator, passphrase = ROOT_PASSPHRASE): Promise<void> => {
    await within.getByLabel('Passphrase of your root key').fill(passphrase);
    await within.getByRole('button', { name: 'Open my root key' }).click();
  };

  /** Whether a secret of the root key is anywhere in what the page stores, in the clear or under a key beside it. */
  async function holdsRoot(): Promise<boolean> {
    const stored = (await desk.page.evaluate(storedInPage, 'sealcam')).join('\n');
    const { x25519Secret, kemSeed } = ownerSecrets(nodeSuite, master);
    return [master, x25519Secret, kemSeed].some((key) => stored.includes(toHex(key)) || stored.includes(toBase64(key)));
  }

  it('is put under a passphrase, and the browser gets a key of its own, which the camera then seals to', async () => {
    await desk.page.getByRole('button', { name: 'Add a camera' }).click();
    await desk.claimCamera(camera.code, 'Front door');
    await pictures(desk).first().waitFor(PATIENT);
    // The control of what follows.
    expect(await holdsRoot()).toBe(true);
    await tab(desk, 'Settings');
    const panel = desk.page.locator('[data-protect-root]');
    await panel.getByLabel('Passphrase of your root key').fill(ROOT_PASSPHRASE);
    await panel.getByLabel('The same again').fill('something else entirely');
    await panel.getByRole('button', { name: 'Protect my root key' }).click();
    await panel.getByRole('alert').getByText('The two passphrases differ').waitFor();
    await desk.screenshot('protect-root');
    await panel.getByLabel('The same again').fill(ROOT_PASSPHRASE);
    await panel.getByRole('button', { name: 'Protect my root key' }).click();
    await open().waitFor(PATIENT);
    await open().getByText('You can lock the root key').waitFor(PATIENT);
    expect(recipients()).toBe(2);
    await desk.screenshot('root-open');
  });

  it('rests when it is locked: nothing that the browser stores holds it, and the page goes on without it', async () => {
    await open().getByRole('button', { name: 'Lock it now' }).click();
    await open().waitFor({ ...PATIENT, state: 'detached' });
    expect(await holdsRoot()).toBe(false);
    await desk.page.reload();
    await tab(desk, 'Events');
    await pictures(desk).first().waitFor(PATIENT);
    await tab(desk, 'Cameras');
    await desk.page.getByRole('button', { name: 'Picture now' }).click();
    await desk.page.getByText('The camera took a picture').waitFor(PATIENT);
  });

  it('is asked for where the household changes, opens with its passphrase alone, and changes it', async () => {
    garden = new TestAgent(join(folder, 'garden'), world.broker.port, BUSY);
    garden.agent.start();
    await desk.page.getByRole('button', { name: 'Add a camera' }).click();
    const dialog = desk.page.getByRole('dialog', { name: 'Add a camera' });
    expect(await dialog.getByLabel('Claim code').count()).toBe(0);
    await unlock(dialog, PASSPHRASE);
    await dialog.getByRole('alert').getByText('The passphrase does not open this file').waitFor(PATIENT);
    await desk.screenshot('unlock-root');
    await unlock(dialog);
    await dialog.getByLabel('Claim code').waitFor(PATIENT);
    await desk.claimCamera(garden.code, 'Garden');
    // It names this browser's own key from the start.
    expect(recipients(garden)).toBe(2);
    await open().getByRole('button', { name: 'Lock it now' }).click();
    await open().waitFor({ ...PATIENT, state: 'detached' });
    await tab(desk, 'Events');
    await desk.page.locator('.card', { hasText: 'Garden' }).locator('img').first().waitFor(PATIENT);
  });

  it('fits on a telephone, with enough contrast', async () => {
    await desk.page.setViewportSize({ width: 360, height: 800 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await desk.page.emulateMedia({ colorScheme });
      await tab(desk, 'Settings');
      await desk.page.getByRole('heading', { name: 'Your root key' }).waitFor();
      expect(await barriers(desk.page)).toEqual([]);
      expect(await desk.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      await desk.screenshot(`root-locked-${colorScheme}`);
    }
    await unlock(desk.page.locator('[data-unlock-root]'));
    await open().waitFor(PATIENT);
    expect(await barriers(desk.page)).toEqual([]);
    expect(await desk.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  });

  it('signs a telephone out alone: it opens nothing newer, and a camera that is away is finished when it is back', async () => {
    await desk.page.setViewportSize({ width: 1280, height: 860 });
    const phone = await Visitor.arrive(world.browser, { phone: true });
    await phone.page.goto(world.url);
    await phone.page.getByRole('button', { name: 'Another browser of mine has the key' }).click();
    await phone.page.getByRole('button', { name: 'Make its key' }).click();
    const code = (await phone.page.locator('.code').innerText()).trim();
    await tab(desk, 'Cameras');
    await desk.openMore();
    const before = await cameraNames(desk);
    await desk.page.getByRole('button', { name: 'Move up' }).last().click();
    await expect.poll(() => cameraNames(desk)).toEqual(before.toReversed());
    await tab(desk, 'Settings');
    await browsers().getByRole('button', { name: 'Add another browser' }).click();
    const dialog = desk.page.getByRole('dialog', { name: 'Add someone to your household' });
    await dialog.getByLabel('Its code').fill(code);
    await dialog.getByLabel('Name').fill('Telephone');
    await dialog.getByRole('button', { name: 'Add this browser' }).click();
    await dialog.getByText('the camera seals its pictures to that browser too').waitFor(PATIENT);
    await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();
    await phone.page.getByRole('button', { name: 'Accept' }).click(PATIENT);
    await pictures(phone).first().waitFor(PATIENT);
    expect([recipients(), recipients(garden)]).toEqual([3, 3]);
    // Names and order follow to the new browser.
    await tab(phone, 'Cameras');
    await expect.poll(() => cameraNames(phone)).toEqual(before.toReversed());
    await tab(phone, 'Events');
    await garden.agent.stop();
    const row = browsers().locator('li', { hasText: 'Telephone' });
    expect(await row.innerText()).toMatch(/Added on \d/);
    await row.getByRole('button', { name: 'Sign out' }).click();
    await until('the camera that is there has accepted', () => recipients() === 2, 30_000);
    await browsers().getByText('Accepted.').waitFor(PATIENT);
    await browsers().getByText('Asking the camera').or(browsers().getByText('which is away')).waitFor(PATIENT);
    await desk.screenshot('signing-out');
    await open().getByRole('button', { name: 'Lock it now' }).click();
    await open().waitFor({ ...PATIENT, state: 'detached' });
    // The control: the desk opens what is recorded now. The telephone knows nothing of it.
    await tab(desk, 'Events');
    await pictures(desk).first().waitFor(PATIENT);
    let last = await newest(phone);
    await until('the desk has a newer picture', async () => (await newest(desk)) > last, 60_000);
    last = await newest(phone);
    const next = await newest(desk);
    await until('and another one', async () => (await newest(desk)) > next, 60_000);
    expect(await newest(phone)).toBe(last);
    await phone.page.reload();
    await pictures(phone).first().waitFor(PATIENT);
    expect(await newest(phone)).toBe(last);
    await tab(desk, 'Settings');
    await desk.page.getByText('Not signed out yet: Telephone at Garden').waitFor(PATIENT);
    expect(phone.complaints).toEqual([]);
  });

  it('logged no errors and raised no alarm', async () => {
    await until('the page is live', () => desk.page.getByText('Live', { exact: true }).isVisible());
    expect(await desk.page.getByText('The cloud sent something').count()).toBe(0);
    expect(desk.complaints).toEqual([]);
  });
});
