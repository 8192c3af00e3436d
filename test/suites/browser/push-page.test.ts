import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { realRandom } from '../../../common/adapters/real-random.js';
import { fromBase64, toHex } from '../../../common/bytes.js';
import { firstChoices, type PushChoices } from '../../../app/core/push-choices.js';
import type { SubscriptionJson } from '../../../app/core/push-client.js';
import { ownerKeys, type OwnerKeys } from '../../../app/core/owner-keys.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { freePort, hostPage, launch, Visitor } from '../../support/engines/browser.js';
import { answerFrom } from '../../support/engines/lying-cloud.js';
import { PushedPage, type ShownNotice } from '../../support/engines/pushed-page.js';
import { describeWith } from '../../support/engines/tools.js';
import { keptFolder } from '../../support/runner/temp.js';
import { pushOf } from '../../support/worlds/push-world.js';
import { newPerson, SealedCloud, SealingCamera } from '../../support/worlds/sealing-camera.js';

const PASSPHRASE = 'four unrelated test words';
const AT_DOOR = { title: 'Something new at Front door', isEvent: false, hasPicture: false };
const SOMEWHERE = { ...AT_DOOR, title: 'Something new at one of your cameras' };
const EVENT = { title: 'Motion at Front door', isEvent: true, hasPicture: true };

interface PutBody {
  readonly subscription: SubscriptionJson;
  readonly choices: PushChoices;
}

/** A browser that subscribes: headless ones have no push service. */
const BROWSER_WITH_PUSH = `
Object.defineProperty(Notification, 'permission', { get: () => window.given ?? 'default' });
Notification.requestPermission = async () => (window.given = 'granted');
let made = null;
PushManager.prototype.getSubscription = async () => made;
PushManager.prototype.subscribe = async () => (made = {
  endpoint: 'https://push.example/1',
  toJSON: () => ({ keys: { p256dh: 'p', auth: 'a' } }),
  unsubscribe: async () => ((made = null), true),
});
`;

function said({ title, address, image }: ShownNotice) {
  return { title, isEvent: address !== null, hasPicture: image !== '' };
}

function altered(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte));
}

/** Red on the left, blue on the right. */
async function picture(): Promise<Uint8Array> {
  const half = (background: string) => sharp({ create: { width: 60, height: 68, channels: 3, background } });
  const right = await half('#0000ff').png().toBuffer();
  const whole = half('#ff0000').extend({ right: 60, background: '#ff0000' });
  return new Uint8Array(
    await whole
      .composite([{ input: right, left: 60, top: 0 }])
      .jpeg({ quality: 50 })
      .toBuffer(),
  );
}

/** The page as it is delivered, in a real browser, with its worker; the cloud and the push service are made up. */
describeWith('chromium', 'a push', () => {
  const folder = keptFolder();
  let browser: Browser;
  let host: { stop: () => Promise<void> };
  let pageUrl = '';
  let keys: OwnerKeys;
  let jpeg: Uint8Array;

  beforeAll(async () => {
    browser = await launch();
    const port = await freePort();
    pageUrl = `http://127.0.0.1:${String(port)}/`;
    host = await hostPage(join(folder, 'page'), '', port);
    keys = ownerKeys(nodeSuite, realRandom.bytes(32));
    jpeg = await picture();
  });

  afterAll(async () => {
    await browser.close();
    await host.stop();
  });

  async function cameraOf(owner: OwnerKeys) {
    const camera = new SealingCamera([owner]);
    camera.firstMs = Date.now() - 60_000;
    const period = await camera.begin();
    camera.addKey(period);
    const cloud = new SealedCloud(camera);
    return { camera, period, cloud };
  }

  /** A browser whose page has been open, knows the camera, and has its worker. */
  async function browserOf(owner: OwnerKeys, cloud: SealedCloud): Promise<PushedPage> {
    const visitor = await Visitor.arrive(browser);
    onTestFinished(() => visitor.context.close());
    await visitor.restoreKey(pageUrl, owner.master, PASSPHRASE);
    await answerFrom(visitor.context, cloud);
    await visitor.page.goto(pageUrl);
    const { page } = visitor;
    await page.getByRole('navigation').getByRole('button', { name: 'Cameras', exact: true }).click();
    await visitor.openMore();
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('textbox').fill('Front door');
    await page.keyboard.press('Enter');
    await page.getByText('Front door').first().waitFor();
    return PushedPage.of(visitor);
  }

  /** Returns what says how often the worker asked for a key record. Its page asks for itself. */
  function countAsked({ page }: PushedPage): () => number {
    let asked = 0;
    page.context().on('request', (request) => {
      if (request.url().includes('/periods/') && request.serviceWorker() !== null) asked++;
    });
    return () => asked;
  }

  it('is shown with its picture, name and time, and a click opens the page at its event', async () => {
    const { camera, period, cloud } = await cameraOf(keys);
    const pushed = await browserOf(keys, cloud);
    const asked = countAsked(pushed);
    const { record, mini } = camera.addMini(period, jpeg);
    const shown = await pushed.deliver(pushOf(record, mini));
    expect(said(shown)).toEqual(EVENT);
    const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone: 'Europe/Berlin' });
    expect(shown.body).toBe(clock.format(record.value.time.wallMs ?? 0));
    // What is shown is what was sealed, and it is a picture.
    expect(fromBase64(shown.image.split(',')[1] ?? '')).toEqual(jpeg);
    const [left, right] = [await pushed.pixel(shown.image, 20, 34), await pushed.pixel(shown.image, 100, 34)];
    expect([left[0] ?? 0, right[2] ?? 0].every((value) => value > 200)).toBe(true);
    expect([left[2] ?? 255, right[0] ?? 255].every((value) => value < 60)).toBe(true);
    expect(asked()).toBe(1);
    const { device, epoch, event } = record.value;
    const address = `#event=${toHex(device)}/${String(epoch)}/${toHex(event?.id ?? device)}`;
    expect(await pushed.click()).toEqual([pageUrl + address]);
  });

  it('of another household, altered, repeated, or of nothing at all says only that there is something', async () => {
    const { camera, period, cloud } = await cameraOf(keys);
    const pushed = await browserOf(keys, cloud);
    const asked = countAsked(pushed);
    const theirs = await cameraOf(newPerson());
    const crossed = theirs.camera.addMini(theirs.period, jpeg);
    expect(said(await pushed.deliver(pushOf(crossed.record, crossed.mini)))).toEqual(SOMEWHERE);
    const { record, mini } = camera.addMini(period, jpeg);
    const { header, body } = mini;
    expect(said(await pushed.deliver(pushOf({ bytes: altered(record.bytes) }, mini)))).toEqual(SOMEWHERE);
    expect(said(await pushed.deliver(pushOf(record, { header: altered(header), body })))).toEqual(AT_DOOR);
    expect(said(await pushed.deliver(pushOf(record, { header, body: altered(body) })))).toEqual(AT_DOOR);
    expect(said(await pushed.deliver(realRandom.bytes(200)))).toEqual(SOMEWHERE);
    // The control: as the camera made it, once.
    expect(said(await pushed.deliver(pushOf(record, mini)))).toEqual(EVENT);
    expect(said(await pushed.deliver(pushOf(record, mini)))).toEqual(AT_DOOR);
    const next = camera.addMini(period, jpeg);
    expect(said(await pushed.deliver(pushOf(next.record, next.mini)))).toEqual(EVENT);
    expect(asked()).toBe(1);
  });

  it('of an event that the cloud withholds afterwards: the page raises the alarm', async () => {
    for (const isWithheld of [true, false]) {
      const { camera, period, cloud } = await cameraOf(keys);
      const pushed = await browserOf(keys, cloud);
      const { page } = pushed;
      const { record, mini } = camera.addMini(period, jpeg);
      const { seq } = record.value;
      // From here on the page is closed, and the cloud shows less than it pushed.
      if (isWithheld) cloud.hides = (one) => one.seq === seq;
      expect(said(await pushed.deliver(pushOf(record, mini)))).toEqual(EVENT);
      await page.reload();
      await page.getByRole('navigation').getByRole('button', { name: 'Events', exact: true }).click();
      const alarm = page.getByRole('alert').filter({ hasText: 'does not show everything that your cameras signed' });
      if (isWithheld) await alarm.waitFor();
      else {
        await page.locator('.card').first().waitFor();
        expect(await alarm.count()).toBe(0);
      }
    }
  });

  it('is asked for in the settings: on, chosen, tried, off, with the browsers that have it; on a phone, dark', async () => {
    const { cloud } = await cameraOf(keys);
    const visitor = await Visitor.arrive(browser, { phone: true, dark: true });
    onTestFinished(() => visitor.context.close());
    const { page, context } = visitor;
    await page.setViewportSize({ width: 360, height: 780 });
    await context.addInitScript(BROWSER_WITH_PUSH);
    await visitor.restoreKey(pageUrl, keys.master, PASSPHRASE);
    await answerFrom(context, cloud);
    const sent: PutBody[] = [];
    let others = [
      { id: 'lost', endpointHost: 'push.example', createdAtMs: 0, lastOkMs: null, choices: firstChoices('UTC') },
    ];
    await context.route('**/v1/push**', async (route) => {
      const request = route.request();
      if (request.method() === 'PUT') {
        sent.push(request.postDataJSON() as PutBody);
        return route.fulfill({ json: { id: 'this' } });
      }
      if (request.method() === 'DELETE') {
        others = [];
        return route.fulfill({ status: 204 });
      }
      const { choices } = sent.at(-1) ?? {};
      const own = { id: 'this', endpointHost: 'push.example', createdAtMs: 0, lastOkMs: null, choices };
      return route.fulfill({ json: { key: 'AQID', subscriptions: choices === undefined ? others : [own, ...others] } });
    });
    await page.goto(pageUrl);
    await page.getByRole('navigation').getByRole('button', { name: 'Settings', exact: true }).click();
    const part = page.locator('#notifications');
    await part.getByRole('button', { name: 'Turn on notifications' }).click();
    await part.getByText('On in this browser.').waitFor();
    expect(sent[0]?.subscription).toEqual({ endpoint: 'https://push.example/1', keys: { p256dh: 'p', auth: 'a' } });
    expect(sent[0]?.choices).toEqual(firstChoices('Europe/Berlin'));
    await part.getByLabel('Motion', { exact: true }).first().uncheck();
    await part.getByRole('button', { name: 'Add quiet hours' }).click();
    await part.getByLabel('From').fill('23:30');
    await part.getByText('For some cameras differently').click();
    await part.getByLabel('Nothing').check();
    await part.getByRole('button', { name: 'Save' }).click();
    await expect.poll(() => sent.length).toBe(2);
    const { device } = cloud.sealing.claim.value;
    expect(sent[1]?.choices).toEqual({
      timeZone: 'Europe/Berlin',
      quiet: [{ fromMinute: 23 * 60 + 30, toMinute: 7 * 60 }],
      kinds: ['tamper', 'loss', 'silent', 'look', 'member'],
      cameras: { [toHex(device)]: [] },
    });
    // Nothing is wider than the phone.
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    await part.scrollIntoViewIfNeeded();
    await part.getByRole('button', { name: /End/u }).first().click();
    await part.getByText('Another browser').waitFor({ state: 'detached' });
    await visitor.screenshot('notifications');
    await part.getByRole('button', { name: 'Turn off here' }).click();
    await part.getByRole('button', { name: 'Turn on notifications' }).waitFor();
    expect(await page.evaluate(async () => (await navigator.serviceWorker.ready).pushManager.getSubscription())).toBe(
      null,
    );
    expect(visitor.complaints).toEqual([]);
  });

  it.each([
    ['a browser without notifications', 'delete window.PushManager', 'This browser has no notifications'],
    [
      'an iPhone, before it is on the Home Screen',
      `delete window.PushManager; Object.defineProperty(navigator, 'userAgent', { value: 'iPhone' });
       Object.defineProperty(navigator, 'maxTouchPoints', { value: 5 });`,
      'add this page to the Home Screen first',
    ],
    ['a person who refused', '', 'does not let the page notify you'],
  ])('is not offered to %s, and the settings say why', async (_who, script, words) => {
    const { cloud } = await cameraOf(keys);
    const visitor = await Visitor.arrive(browser);
    onTestFinished(() => visitor.context.close());
    await visitor.context.addInitScript(script);
    await visitor.restoreKey(pageUrl, keys.master, PASSPHRASE);
    await answerFrom(visitor.context, cloud);
    await visitor.page.goto(pageUrl);
    await visitor.page.getByRole('navigation').getByRole('button', { name: 'Settings', exact: true }).click();
    await visitor.page.locator('#notifications').getByText(words).waitFor();
    expect(await visitor.page.getByRole('button', { name: 'Turn on notifications' }).count()).toBe(0);
  });
});
