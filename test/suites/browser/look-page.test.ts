import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { realRandom } from '../../../common/adapters/real-random.js';
import { ownerKeys, type OwnerKeys } from '../../../app/core/owner-keys.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { decodeLive, encodeLive } from '../../../protocol/transport/live.js';
import { encodeUnit } from '../../../protocol/transport/live-content.js';
import { LiveSealer } from '../../../protocol/transport/live-session.js';
import { HEALTH } from '../../../scripts/vectors/signed.js';
import { freePort, hostPage, launch, Visitor } from '../../support/engines/browser.js';
import { barriers } from '../../support/engines/accessibility.js';
import { LookServer } from '../../support/engines/look-server.js';
import { describeWith } from '../../support/engines/tools.js';
import { keptFolder } from '../../support/runner/temp.js';
import { limitMs } from '../../support/runner/speed.js';
import { until } from '../../support/runner/wait.js';
import { liveVideo, scenePictures } from '../../support/worlds/filmed-clip.js';
import { addAnswer, renewLook, startLook, type CameraLook } from '../../support/worlds/looking-camera.js';
import { SealedCloud, SealingCamera } from '../../support/worlds/sealing-camera.js';

const PASSPHRASE = 'four unrelated test words';
const POLL = { timeout: limitMs(30_000) };
const SIZE = { width: 320, height: 180 };
/** Colours that survive JPEG: what is on the screen tells which frame it is. */
const COLOURS = { red: '#e00000', green: '#00c000', blue: '#0000e0' } as const;
type Colour = keyof typeof COLOURS;

/** A look in the page as it is delivered, in a real browser, over a made-up cloud. The camera's end is the protocol's own. */
describeWith('chromium', 'a look in the page', () => {
  const folder = keptFolder();
  let browser: Browser;
  let host: { stop: () => Promise<void> };
  let pageUrl = '';
  let keys: OwnerKeys;
  const jpegs = new Map<Colour, Uint8Array>();
  const visitors: Visitor[] = [];

  beforeAll(async () => {
    browser = await launch();
    const port = await freePort();
    pageUrl = `http://127.0.0.1:${String(port)}/`;
    host = await hostPage(join(folder, 'page'), '', port);
    keys = ownerKeys(nodeSuite, realRandom.bytes(32));
    for (const colour of Object.keys(COLOURS) as Colour[]) {
      const image = sharp({ create: { ...SIZE, channels: 3, background: COLOURS[colour] } });
      jpegs.set(colour, new Uint8Array(await image.jpeg().toBuffer()));
    }
  });

  afterAll(async () => {
    await browser.close();
    await host.stop();
  });

  const jpegOf = (colour: Colour): Uint8Array => jpegs.get(colour) ?? new Uint8Array(0);

  interface Looking {
    readonly visitor: Visitor;
    readonly page: Page;
    readonly camera: SealingCamera;
    readonly server: LookServer;
    readonly look: CameraLook;
  }

  /** Opens the page, and a look that the camera has answered. */
  async function begin(options: Parameters<typeof Visitor.arrive>[1] = {}, hasLight = true): Promise<Looking> {
    const camera = new SealingCamera([keys]);
    camera.firstMs = Date.now() - 60_000;
    const { temperatureDeciC: _, ...health } = HEALTH;
    const own = {
      agent: '1.1.0',
      receipted: 1,
      queued: 0,
      memoryBytes: 2 ** 26,
      restarts: 0,
      light: hasLight,
    } as const;
    camera.add({ kind: 'health', health: { ...health, ...own, privacy: false } });
    const server = await LookServer.start(new SealedCloud(camera));
    const visitor = await Visitor.arrive(browser, options);
    visitors.push(visitor);
    onTestFinished(() => visitor.context.close());
    const { page } = visitor;
    await visitor.restoreKey(pageUrl, keys.master, PASSPHRASE);
    await server.serve(visitor.context);
    await page.goto(pageUrl);
    await page.getByRole('navigation').getByRole('button', { name: 'Cameras', exact: true }).click();
    await page.getByRole('button', { name: 'Look', exact: true }).click();
    await until('an order', () => server.orders.length === 1);
    const look = startLook(camera, server.orders[0] ?? new Uint8Array(0));
    server.pushRecord(look.answer);
    return { visitor, page, camera, server, look };
  }

  /** The frames that were painted, and the colour of what is on the screen. */
  async function painted(page: Page): Promise<{ readonly frames: number; readonly colour: string }> {
    return page.locator('.look-stage').evaluate((stage) => {
      const source = stage.querySelector<HTMLCanvasElement | HTMLVideoElement>('canvas, video');
      const context = new OffscreenCanvas(1, 1).getContext('2d');
      if (source === null || context === null) return { frames: 0, colour: '' };
      context.drawImage(source, 0, 0, 1, 1);
      const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data;
      const names: readonly (readonly [string, number])[] = [
        ['red', red],
        ['green', green],
        ['blue', blue],
      ];
      const [[name, value] = ['', 0]] = [...names].sort(([, a], [, b]) => b - a);
      return { frames: Number((stage as HTMLElement).dataset['painted'] ?? 0), colour: value > 100 ? name : 'dark' };
    });
  }

  it('paints JPEG frames on a canvas, says that the light is on, and lists the look when it is over', async () => {
    const { visitor, page, camera, server, look } = await begin();
    await page.getByText('You are seen: the light on the camera is on.').waitFor();
    server.pass(...look.initialisation(), ...look.unit(jpegOf('red'), 100));
    await expect.poll(() => painted(page), POLL).toEqual({ frames: 1, colour: 'red' });
    server.pass(...look.unit(jpegOf('green'), 300));
    await expect.poll(() => painted(page), POLL).toEqual({ frames: 2, colour: 'green' });
    expect(Number(await page.locator('.look-stage').getAttribute('data-captured-ms'))).toBe(look.startMs + 300);
    await page.getByText(/\d+ s left · at most \d+\.\d s behind/).waitFor();
    // A lost frame is counted.
    look.unit(jpegOf('red'), 400);
    server.pass(...look.unit(jpegOf('blue'), 500));
    await expect.poll(() => painted(page), POLL).toEqual({ frames: 3, colour: 'blue' });
    await page.getByText('1 message did not come').waitFor();
    expect(await page.getByRole('button', { name: 'Look', exact: true }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Go on for a minute' }).click();
    await until('a renewal', () => server.orders.length === 2);
    server.pushRecord(renewLook(camera, server.orders[1] ?? new Uint8Array(0), 120));
    await page.getByText(/1(20|1\d) s left/).waitFor();
    server.pass(...look.unit((await scenePictures(5)).at(-1) ?? jpegOf('red'), 600));
    await expect.poll(async () => (await painted(page)).frames, POLL).toBe(4);
    await visitor.screenshot('look');
    server.pass(...look.last());
    server.pushRecord(look.end());
    await page.getByText('The time that you ordered is over.').waitFor();
    await visitor.openMore();
    await page.locator('summary', { hasText: 'Who looked' }).click();
    await page.getByText(/^You looked for 42 s today at \d\d:\d\d\.$/).waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    await until('the page left the stream', () => server.left === 1);
  });

  const LIES = ['of another session', 'that was altered', 'that another key sealed'] as const;

  /** Passes a red frame on after a green one: as it was sealed, or as a lie. */
  async function passRed(lie: (typeof LIES)[number] | null): Promise<Looking> {
    const looking = await begin();
    const { page, server, look } = looking;
    server.pass(...look.initialisation(), ...look.unit(jpegOf('green'), 100));
    await expect.poll(() => painted(page), POLL).toEqual({ frames: 1, colour: 'green' });
    const [real = new Uint8Array(0)] = look.unit(jpegOf('red'), 200);
    const parts = decodeLive(real);
    const sealed = (session: Uint8Array): Uint8Array => {
      const plaintext = encodeUnit({ capturedMs: 1, bytes: jpegOf('red') });
      const sealer = new LiveSealer(nodeSuite, session, realRandom.bytes(32));
      // Its number is the one that is due.
      for (let n = 0; n < parts.n; n++) sealer.seal('unit', plaintext);
      return sealer.seal('key-unit', plaintext)[0] ?? real;
    };
    if (lie === null) server.pass(real);
    else if (lie === 'of another session') server.pass(sealed(realRandom.bytes(16)));
    else if (lie === 'that another key sealed') server.pass(sealed(parts.session));
    else
      server.pass(
        encodeLive({ ...parts, ciphertext: parts.ciphertext.map((byte, i) => (i === 20 ? byte ^ 1 : byte)) }),
      );
    return looking;
  }

  const alarmOn = (page: Page) => page.getByRole('alert').filter({ hasText: 'contradicts what your cameras signed' });

  it.each(LIES)('never shows a frame %s, and raises an alarm', async (lie) => {
    const { page, server, look } = await passRed(lie);
    await alarmOn(page).waitFor();
    expect(await painted(page)).toEqual({ frames: 1, colour: 'green' });
    // What follows is shown, so the refused frame had its turn.
    server.pass(...look.unit(jpegOf('blue'), 300));
    await expect.poll(() => painted(page), POLL).toEqual({ frames: 2, colour: 'blue' });
  });

  it('control: the same frame as the camera sealed it is shown, without an alarm', async () => {
    const { page } = await passRed(null);
    await expect.poll(() => painted(page), POLL).toEqual({ frames: 2, colour: 'red' });
    expect(await alarmOn(page).count()).toBe(0);
  });

  it('changes from JPEG to H.264 in the middle, also where there is ManagedMediaSource alone, as on an iPhone', async () => {
    const { segment, fragmentOf } = liveVideo(await scenePictures(4));
    for (const isPhone of [false, true]) {
      const { page, server, look } = await begin();
      if (isPhone) {
        await page.evaluate(() => {
          const { MediaSource: plain } = window;
          Object.defineProperty(window, 'MediaSource', { value: undefined });
          Object.defineProperty(window, 'ManagedMediaSource', { value: plain });
        });
      }
      server.pass(...look.initialisation(), ...look.unit(jpegOf('green'), 100));
      await expect.poll(() => painted(page), POLL).toEqual({ frames: 1, colour: 'green' });
      let next = 0;
      const film = (count: number): void => {
        for (const endAt = next + count; next < endAt; next++) {
          const { bytes, isKey } = fragmentOf(next);
          // A camera repeats it at key units.
          if (isKey) server.pass(...look.initialisation('h264', segment));
          server.pass(...look.unit(bytes, 200 + 100 * next, isKey));
        }
      };
      // As long as it takes, as a camera does.
      const filming = setInterval(film, 100, 1);
      onTestFinished(() => {
        clearInterval(filming);
      });
      await expect.poll(async () => (await painted(page)).frames, POLL).toBeGreaterThan(12);
      const video = page.locator('.look-stage video');
      expect(await video.evaluate((element) => (element as HTMLVideoElement).videoWidth)).toBe(640);
      expect(await page.locator('.look-stage > *').count()).toBe(1);
      const captured = async (): Promise<number> =>
        Number(await page.locator('.look-stage').getAttribute('data-captured-ms')) - look.startMs;
      expect((await captured()) % 100).toBe(0);
      // A long pause of the network, after which all comes at once: it does not play that, and jumps to what is live.
      film(100);
      await expect.poll(captured, POLL).toBeGreaterThan(100 * next - 1000);
      expect(await page.getByRole('alert').count()).toBe(0);
      clearInterval(filming);
    }
  });

  it('says that a camera has no light, and that nothing came, and looks again on request', async () => {
    const { page, server, look } = await begin({ phone: true }, false);
    await page.getByText('This camera has no light: nobody beside it sees that you look.').waitFor();
    server.pass(...look.initialisation(), ...look.unit(jpegOf('green'), 100));
    await expect.poll(() => painted(page), POLL).toEqual({ frames: 1, colour: 'green' });
    expect(await barriers(page)).toEqual([]);
    const { scrollWidth, clientWidth } = await page.locator('body').evaluate((element) => ({
      scrollWidth: element.scrollWidth,
      clientWidth: element.clientWidth,
    }));
    expect(scrollWidth).toBe(clientWidth);
    await page.getByRole('button', { name: 'End', exact: true }).click();
    await page.getByText('You ended it here.').waitFor();
    await until('the page left the stream', () => server.left === 1);
    await until('the camera hears of it', () => server.orders.length === 2);
    await page.getByRole('button', { name: 'Look again' }).click();
    await until('a second look', () => server.orders.length === 3);
    await page.getByRole('navigation').getByRole('button', { name: 'Events', exact: true }).click();
    await until('the page left the second stream', () => server.left === 2);
  });

  it('raises an alarm over a look that nobody of the household ordered, and lists it', async () => {
    const { visitor, page, camera, server } = await begin();
    server.pushRecord(addAnswer(camera, realRandom.bytes(40), null));
    await page.getByRole('alert').filter({ hasText: 'let somebody look without an order' }).waitFor();
    await visitor.openMore();
    await page.locator('summary', { hasText: 'Who looked' }).click();
    await page.getByText('and nobody of your household ordered it').waitFor();
  });

  it('logged no errors', () => {
    expect(visitors.flatMap(({ complaints }) => complaints)).toEqual([]);
  });
});
