import type { CDPSession, Page, Worker } from 'playwright-core';
import { toBase64 } from '../../../common/bytes.js';
import { until } from '../runner/wait.js';
import type { Visitor } from './browser.js';

/** A notification as it was given to the browser. */
export interface ShownNotice {
  readonly title: string;
  readonly body: string;
  readonly tag: string;
  /** A data URL; empty without a picture. */
  readonly image: string;
  readonly address: string | null;
}

/**
 * What the worker's surroundings lack here. The developer tools carry a push as text, and a push service bytes. The headless shell
 * has no service that shows notifications, so one stands in that keeps what it is given, as a system's own does.
 */
const STAND_INS = `
PushMessageData.prototype.arrayBuffer = function () {
  return Uint8Array.from(atob(this.text()), (letter) => letter.charCodeAt(0)).buffer;
};
if (Notification.permission !== 'granted' && self.kept === undefined) {
  self.kept = [];
  ServiceWorkerRegistration.prototype.showNotification = async (title, options) => {
    const notice = { ...options, title, close: () => { self.kept = self.kept.filter((one) => one !== notice); } };
    self.kept = [...self.kept.filter(({ tag }) => tag !== notice.tag), notice];
  };
  ServiceWorkerRegistration.prototype.getNotifications = async () => self.kept;
}
0`;

const SHOWN = `registration.getNotifications().then((all) => all.map(({ title, body, tag, image = '', data }) => {
  return { title, body, tag, image, address: data?.address ?? null };
}))`;

const CLOSE = `registration.getNotifications().then((all) => { for (const shown of all) shown.close(); })`;

/** A click that a test makes opens no window. */
const CLICK = `(async () => {
  const opened = [];
  clients.openWindow = async (url) => { opened.push(url); return null; };
  clients.matchAll = async () => [];
  const [notification] = await registration.getNotifications();
  const done = [];
  const waitUntil = (work) => { done.push(work); };
  self.dispatchEvent(Object.defineProperties(new Event('notificationclick'), {
    notification: { value: notification }, waitUntil: { value: waitUntil },
  }));
  await Promise.all(done);
  return opened;
})()`;

/** The service worker of a page in a real browser, and the push service in front of it. */
export class PushedPage {
  readonly page: Page;
  private readonly devtools: CDPSession;
  private readonly worker: () => Worker;
  private registrationId = '';

  private constructor(page: Page, devtools: CDPSession, worker: () => Worker) {
    this.page = page;
    this.devtools = devtools;
    this.worker = worker;
  }

  /** Waits for the worker of the page that this visitor has open. */
  static async of({ context, page }: Visitor): Promise<PushedPage> {
    await page.evaluate(async () => {
      await navigator.serviceWorker.ready;
    });
    const devtools = await context.newCDPSession(page);
    const pushed = new PushedPage(page, devtools, () => {
      const [worker] = context.serviceWorkers();
      if (worker === undefined) throw new Error('the worker is not there');
      return worker;
    });
    devtools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      for (const { registrationId, scopeURL } of registrations) {
        if (page.url().startsWith(scopeURL)) pushed.registrationId = registrationId;
      }
    });
    await devtools.send('ServiceWorker.enable');
    await until('the registration', () => pushed.registrationId !== '');
    return pushed;
  }

  /** Hands a push to the worker, and returns what it shows of that. */
  async deliver(payload: Uint8Array): Promise<ShownNotice> {
    await this.worker().evaluate(STAND_INS);
    await this.worker().evaluate(CLOSE);
    await this.devtools.send('ServiceWorker.deliverPushMessage', {
      origin: new URL(this.page.url()).origin,
      registrationId: this.registrationId,
      data: toBase64(payload),
    });
    let shown: ShownNotice | undefined;
    await until('a notification', async () => {
      [shown] = await this.worker().evaluate<ShownNotice[]>(SHOWN);
      return shown !== undefined;
    });
    if (shown === undefined) throw new Error('nothing is shown');
    return shown;
  }

  /** Clicks the notification that is shown, and returns the addresses that the worker opened. */
  click(): Promise<string[]> {
    return this.worker().evaluate<string[]>(CLICK);
  }

  /** Returns the colour of a picture's pixel, red, green and blue, as the browser draws it. */
  pixel(image: string, x: number, y: number): Promise<number[]> {
    return this.page.evaluate(
      async (asked) => {
        const bytes = Uint8Array.from(atob(asked.image.split(',')[1] ?? ''), (letter) => letter.charCodeAt(0));
        const drawn = await createImageBitmap(new Blob([bytes], { type: 'image/jpeg' }));
        const canvas = new OffscreenCanvas(drawn.width, drawn.height).getContext('2d');
        canvas?.drawImage(drawn, 0, 0);
        return [...(canvas?.getImageData(asked.x, asked.y, 1, 1).data ?? [])].slice(0, 3);
      },
      { image, x, y },
    );
  }
}
