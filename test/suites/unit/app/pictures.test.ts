import { describe, expect, it } from 'vitest';
import { Pictures, PICTURES_MAX, type PictureState } from '../../../../app/core/pictures.js';
import type { SessionView } from '../../../../app/core/session-view.js';
import type { EventPicture } from '../../../../app/core/timeline.js';
import { SealcamError } from '../../../../common/errors.js';
import type { PeriodState } from '../../../../protocol/verify/history.js';
import type { SealedContent } from '../../../../protocol/seal/content.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';

const JPEG: SealedContent = { detail: {}, jpeg: Uint8Array.of(0xff, 0xd8) };
const SCREEN = 12;

function picture(number: number): EventPicture {
  const id = new Uint8Array(16);
  id[0] = number % 256;
  id[1] = Math.floor(number / 256);
  return { device: new Uint8Array(32), epoch: 1, media: { id } } as unknown as EventPicture;
}

/** A page that draws every picture it shows after every change, as components do. */
function pageOf(open: () => Promise<SealedContent> = () => Promise.resolve(JPEG)) {
  const clock = new VirtualClock();
  const live = new Set<string>();
  let opened = 0;
  let keyState: PeriodState['state'] | null = null;
  let setConnection = (_view: SessionView): void => undefined;
  const missing: Uint8Array[] = [];
  const refused: string[] = [];
  const pictures = new Pictures({
    clock,
    keyStateOf: () => keyState,
    open: () => {
      opened++;
      return open();
    },
    session: {
      subscribe: (listener) => {
        setConnection = listener;
        return () => undefined;
      },
      markPictureMissing: (id) => missing.push(id),
      refusePicture: (message) => refused.push(message),
    },
    urls: {
      create: () => {
        const url = `blob:${String(opened)}-${String(live.size)}-${String(Math.random())}`;
        live.add(url);
        return url;
      },
      revoke: (url) => live.delete(url),
    },
  });
  const shown = new Map<number, () => void>();
  return {
    pictures,
    clock,
    live,
    missing,
    refused,
    opened: () => opened,
    /** What is known of the key record of every picture from now on. */
    keys: (state: PeriodState['state'] | null) => {
      keyState = state;
      setConnection({ connection: 'live' } as SessionView);
    },
    show: (...numbers: readonly number[]) => {
      for (const number of numbers) if (!shown.has(number)) shown.set(number, pictures.show(picture(number)));
    },
    hideOthers: (...numbers: readonly number[]) => {
      for (const [number, hide] of [...shown]) {
        if (numbers.includes(number)) continue;
        hide();
        shown.delete(number);
      }
    },
    stateOf: (number: number): PictureState => pictures.stateOf(picture(number)),
    connection: (connection: SessionView['connection']) => {
      setConnection({ connection } as SessionView);
    },
  };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('pictures', () => {
  it('opens each of 250 once, even if all are on the screen', async () => {
    const page = pageOf();
    page.show(...range(0, 250));
    await page.clock.run(1000);
    expect(page.opened()).toBe(250);
    expect(range(0, 250).every((number) => page.stateOf(number).type === 'ready')).toBe(true);
    await page.clock.run(60_000, 1000);
    expect(page.opened()).toBe(250);
    page.hideOthers(...range(0, SCREEN));
    expect(page.live.size).toBe(PICTURES_MAX);
  });

  it('keeps the last 200 while a person scrolls through 250, and opens an older one again once', async () => {
    const page = pageOf();
    for (let top = 0; top + SCREEN <= 250; top++) {
      page.show(...range(top, top + SCREEN));
      page.hideOthers(...range(top, top + SCREEN));
      await page.clock.run(10);
    }
    expect([page.opened(), page.live.size]).toEqual([250, PICTURES_MAX]);
    page.show(...range(0, SCREEN));
    page.hideOthers(...range(0, SCREEN));
    await page.clock.run(60_000, 1000);
    expect([page.opened(), page.live.size]).toEqual([250 + SCREEN, PICTURES_MAX]);
  });

  it('does not open what left the screen before its turn', async () => {
    const page = pageOf();
    page.show(...range(0, 50));
    page.hideOthers(49);
    await page.clock.run(100);
    // Four were being opened already.
    expect(page.opened()).toBe(5);
    expect(page.stateOf(49).type).toBe('ready');
  });

  it('says why one is not opened while the page is offline or reading is paused, and opens it afterwards', async () => {
    const page = pageOf();
    for (const why of ['offline', 'paused'] as const) {
      page.connection(why);
      page.show(1);
      await page.clock.run(60_000, 1000);
      expect(page.stateOf(1)).toEqual({ type: 'waiting', why });
      page.connection('connecting');
      expect(page.stateOf(1)).toEqual({ type: 'waiting', why });
    }
    expect(page.opened()).toBe(0);
    page.connection('live');
    await page.clock.run(10);
    expect(page.stateOf(1).type).toBe('ready');
  });

  it('tries one that failed a few times, then when asked', async () => {
    let isBroken = true;
    const page = pageOf(() =>
      isBroken ? Promise.reject(new SealcamError('store-unavailable', 'the store is busy')) : Promise.resolve(JPEG),
    );
    page.show(1);
    await page.clock.run(10);
    expect(page.stateOf(1)).toEqual({ type: 'failed', message: 'the store is busy' });
    await page.clock.run(600_000, 1000);
    expect(page.opened()).toBe(4);
    isBroken = false;
    page.pictures.retry(picture(1));
    expect(page.stateOf(1).type).toBe('loading');
    await page.clock.run(10);
    expect(page.stateOf(1).type).toBe('ready');
    // Nothing happens to one that is open.
    page.pictures.retry(picture(1));
    expect(page.opened()).toBe(5);
  });

  it('never opens again what is missing or was refused', async () => {
    for (const [code, type] of [
      ['not-found', 'none'],
      ['seal-refused', 'refused'],
    ] as const) {
      const page = pageOf(() => Promise.reject(new SealcamError(code, 'no')));
      page.show(1);
      await page.clock.run(600_000, 1000);
      expect([page.opened(), page.stateOf(1).type]).toEqual([1, type]);
      expect([page.missing.length, page.refused.length]).toEqual(type === 'none' ? [1, 0] : [0, 1]);
    }
  });
});
