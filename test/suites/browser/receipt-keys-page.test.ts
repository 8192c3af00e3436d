import { join } from 'node:path';
import type { Browser, Locator } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { realRandom } from '../../../common/adapters/real-random.js';
import { equal, toHex } from '../../../common/bytes.js';
import { loadReceiptKeys, rotateReceiptKeys } from '../../../cloud/trust/receipt-keys.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { receiptKeyNumber } from '../../../protocol/objects/receipt.js';
import { embedded, type TestBroker } from '../../support/engines/brokers.js';
import { freePort, hostPage, launch, Visitor } from '../../support/engines/browser.js';
import { barriers } from '../../support/engines/accessibility.js';
import { keptFolder } from '../../support/runner/temp.js';
import { BUSY, TestAgent } from '../../support/worlds/test-agent.js';
import { TestCloud } from '../../support/worlds/test-cloud.js';
import { describeWith } from '../../support/engines/tools.js';
import { limitMs } from '../../support/runner/speed.js';

/** A cloud answers /v1/info with a key of somebody else's, then rotates its own. Each test continues from the one before. */
describeWith('chromium', 'receipt keys in the page', () => {
  const folder = keptFolder();
  const cameras: TestAgent[] = [];
  let browser: Browser;
  let broker: TestBroker;
  let cloud: TestCloud;
  let httpPort = 0;
  let page: { stop: () => Promise<void> };
  let pageUrl = '';
  let anna: Visitor;

  beforeAll(async () => {
    browser = await launch();
    broker = embedded(folder, await freePort());
    await broker.start();
    httpPort = await freePort();
    const pagePort = await freePort();
    pageUrl = `http://127.0.0.1:${String(pagePort)}/`;
    cloud = new TestCloud(folder, httpPort, broker, { pageOrigin: new URL(pageUrl).origin });
    await cloud.start();
    page = await hostPage(join(folder, 'page'), cloud.origin, pagePort);
    for (const name of ['first', 'second']) {
      const camera = new TestAgent(join(folder, name), broker.port, BUSY);
      camera.agent.start();
      cameras.push(camera);
    }
    anna = await Visitor.arrive(browser);
  });

  afterAll(async () => {
    await browser.close();
    await page.stop();
    for (const camera of cameras) await camera.agent.stop();
    await cloud.stop();
    await broker.stop();
  });

  const keys = (): ReturnType<typeof loadReceiptKeys> => loadReceiptKeys(join(folder, 'cloud'), nodeSuite, realRandom);
  const claimOf = (camera: number) => cameras[camera]?.agent.outbox.currentClaim()?.value;
  const tab = (name: string): Promise<void> =>
    anna.page.getByRole('navigation').getByRole('button', { name, exact: true }).click();
  const question = (where: Locator): Locator => where.locator('.note', { hasText: 'Compare the numbers' });

  it('are pinned with the first claim and shown in the settings', async () => {
    await anna.makeKey(pageUrl, 'four unrelated test words');
    await anna.page.getByRole('button', { name: 'Add a camera' }).click();
    await anna.claimCamera(cameras[0]?.code ?? '', 'Front door');
    await tab('Settings');
    const panel = anna.page.locator('.panel', { hasText: 'Receipt keys of the cloud' });
    await panel.getByText('the first that this browser saw').waitFor();
    for (const { signer } of [keys().current, keys().successor]) {
      expect(await panel.innerText()).toContain(receiptKeyNumber(signer.publicKey));
    }
    expect(await question(anna.page.locator('main')).count()).toBe(0);
  });

  it('signs no claim with a key that a lying /v1/info puts beside the known ones, and says which it is', async () => {
    const planted = nodeSuite.ed25519Signer(realRandom.bytes(32)).publicKey;
    const info = `${cloud.origin}/v1/info`;
    await anna.page.route(info, async (route) => {
      const response = await route.fetch();
      const answer = (await response.json()) as { receiptKeys: string[] };
      await route.fulfill({ response, json: { ...answer, receiptKeys: [...answer.receiptKeys, toHex(planted)] } });
    });
    await anna.page.reload();
    await anna.page.getByText('Nothing is signed with them until you accept them').waitFor();
    await tab('Cameras');
    await anna.page.getByRole('button', { name: 'Add a camera' }).click();
    const dialog = anna.page.getByRole('dialog', { name: 'Add a camera' });
    await dialog.getByLabel('Claim code').fill(cameras[1]?.code ?? '');
    await dialog.getByRole('button', { name: 'Make it mine' }).click();
    await dialog.getByText('receipt-keys-changed').waitFor({ timeout: limitMs(20_000) });
    expect(await question(dialog).innerText()).toContain(`${receiptKeyNumber(planted)}: never seen here`);
    expect(await question(dialog).innerText()).toContain('One rotation by the operator does not look like this');
    expect(await barriers(anna.page)).toEqual([]);
    await anna.screenshot('receipt-keys');
    expect(claimOf(1)).toBeUndefined();
    await anna.page.unroute(info);
    await anna.page.keyboard.press('Escape');
  });

  it('asks once after a rotation, and claims when the person has accepted the new key', async () => {
    await cloud.stop();
    rotateReceiptKeys(join(folder, 'cloud'), nodeSuite, realRandom);
    cloud = new TestCloud(folder, httpPort, broker, { pageOrigin: new URL(pageUrl).origin });
    await cloud.start();
    await anna.page.reload();
    await tab('Cameras');
    await anna.page.getByRole('button', { name: 'Add a camera' }).click();
    const dialog = anna.page.getByRole('dialog', { name: 'Add a camera' });
    await dialog.getByLabel('Claim code').fill(cameras[1]?.code ?? '');
    await dialog.getByRole('button', { name: 'Make it mine' }).click();
    const { current, successor } = keys();
    await question(dialog).waitFor({ timeout: limitMs(20_000) });
    const text = await question(dialog).innerText();
    expect(text).toContain(`${receiptKeyNumber(current.signer.publicKey)}: known here`);
    expect(text).toContain('A rotation by the operator looks like this');
    expect(text).toContain(`${receiptKeyNumber(successor.signer.publicKey)}: never seen here`);
    await dialog.getByRole('button', { name: 'accept the keys' }).click();
    await question(dialog).waitFor({ state: 'detached' });
    await dialog.getByRole('button', { name: 'Make it mine' }).click();
    await dialog.getByRole('button', { name: 'Done' }).click({ timeout: limitMs(30_000) });
    expect(claimOf(1)?.receiptKeys.some((key) => equal(key, successor.signer.publicKey))).toBe(true);
    await tab('Settings');
    await anna.page.getByText('in force, accepted by you').waitFor();
    await anna.page.getByText('replaced, the first that this browser saw').waitFor();
    expect(anna.complaints).toEqual([]);
  });
});
