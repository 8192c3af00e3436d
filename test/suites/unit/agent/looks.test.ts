import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import { SealcamError } from '../../../../common/errors.js';
import { LIMITS } from '../../../../common/limits.js';
import type { Encapsulation } from '../../../../protocol/crypto/xwing.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { decodeInitialisation, decodeUnit } from '../../../../protocol/transport/live-content.js';
import type { LiveArrival } from '../../../../protocol/transport/live-session.js';
import { openAnsweredLook } from '../../../../protocol/verify/orders.js';
import { DELTA, KEY } from '../../../support/h264-units.js';
import { jpegOf } from '../../../support/worlds/filming-world.js';
import { LookWorld } from '../../../support/worlds/look-world.js';
import { member, phone } from '../../../support/worlds/order-world.js';
import { letPromisesRun } from '../../../support/worlds/period-world.js';

const kinds = (arrivals: readonly LiveArrival[]): readonly string[] => arrivals.map(({ kind }) => kind);
const timesOf = (arrivals: readonly LiveArrival[]): readonly number[] =>
  arrivals.filter(({ kind }) => kind === 'key-unit').map(({ plaintext }) => decodeUnit(plaintext).capturedMs);

describe('a look', () => {
  it('shows frames to who ordered it, with the light on before the first one, and ends in the history', async () => {
    const world = new LookWorld();
    await world.film(1000);
    expect(world.sent).toEqual([]);
    const asked = await world.ask();
    expect(asked.code).toBe('accepted');
    const askedMs = world.clock.monotonicMs();
    expect(world.indicator.shown.at(-1)).toBe('looking');
    await world.film(2000);
    world.clock.advance(60_000);
    const seen = world.seenBy(asked);
    expect(kinds(seen)).toEqual(['initialisation', ...Array.from({ length: 8 }, () => 'key-unit'), 'end']);
    expect(decodeInitialisation(seen[0]?.plaintext ?? jpegOf())).toMatchObject({
      codec: 'jpeg',
      width: 160,
      height: 90,
    });
    expect(toHex(decodeUnit(seen[1]?.plaintext ?? jpegOf()).bytes)).toBe(toHex(jpegOf()));
    expect(Math.min(...timesOf(seen))).toBeGreaterThan(askedMs);
    expect(world.indicator.shown.at(-1)).toBe('recording');
    const [start, end] = world.answers();
    if (start === undefined) throw new Error('no answer');
    const order = openAnsweredLook(nodeSuite, start.record.value, world.orders.claim);
    expect(toHex(order?.hash ?? jpegOf())).toBe(toHex(asked.order.hash));
    expect(start.command).toMatchObject({ source: 'owner', result: 'done', look: { expiresMs: askedMs + 60_000 } });
    expect(end?.command).toMatchObject({
      source: 'owner',
      lookEnd: { framesSent: world.sent.length, framesDropped: 0, seconds: 60, reason: 'expired' },
    });
  });

  it('may be ordered by every member, and by nobody else', async () => {
    const world = new LookWorld();
    expect((await world.ask(member)).code).toBe('accepted');
    expect((await world.ask(phone)).code).toBe('accepted');
    const stranger = nodeSuite.ed25519Signer(realRandom.bytes(32));
    expect((await world.ask(stranger)).code).toBe('command-refused');
    expect((await world.ask(undefined, { device: realRandom.bytes(32) })).code).toBe('command-refused');
    expect((await world.ask(undefined, { epoch: 1 })).code).toBe('command-refused');
    expect(world.answers().map(({ command }) => command.source)).toEqual(['member', 'owner']);
  });

  it('is opened by its own viewer alone', async () => {
    const world = new LookWorld();
    const [one, two] = [await world.ask(member), await world.ask(phone)];
    await world.film(1000);
    expect(world.sent).toHaveLength(10);
    for (const viewer of [one, two]) expect(world.seenBy(viewer)).toHaveLength(5);
    // The order of one with the keys of the other.
    expect(world.seenBy({ ...one, keys: two.keys })).toEqual([]);
  });

  it('shows nothing before its record is with the broker', async () => {
    const world = new LookWorld();
    world.isHeldBack = true;
    const asked = await world.ask();
    await world.film(1000);
    expect(world.sent).toEqual([]);
    world.isHeldBack = false;
    await world.film(250);
    expect(kinds(world.seenBy(asked))).toEqual(['initialisation', 'key-unit']);
  });

  it('is not for the one who cannot be shown that it is: without its light nothing starts', async () => {
    const world = new LookWorld();
    world.indicator.works = false;
    await world.ask();
    await world.film(1000);
    expect([world.results(), world.sent]).toEqual([['gpio-unavailable'], []]);
    expect(world.indicator.shown.at(-1)).toBe('recording');
    // The control.
    world.indicator.works = true;
    await world.ask();
    await world.film(1000);
    expect(world.results()).toEqual(['gpio-unavailable', 'look']);
    expect(world.sent).toHaveLength(5);
  });

  it('keeps its light on whatever else there is to show, until the last one ends', async () => {
    const world = new LookWorld();
    await world.ask(member, { seconds: 10 });
    await world.ask(phone, { seconds: 20 });
    world.light.show('claim-window');
    expect(world.indicator.shown.at(-1)).toBe('looking');
    world.clock.advance(10_000);
    expect(world.indicator.shown.at(-1)).toBe('looking');
    world.clock.advance(10_000);
    expect(world.indicator.shown.at(-1)).toBe('claim-window');
  });
});

describe('an order to look', () => {
  it('is good once, and a renewal only with the next number', async () => {
    const world = new LookWorld();
    const asked = await world.ask();
    expect(await world.give(asked.order.bytes)).toBe('command-replayed');
    expect((await world.ask(undefined, { session: asked.order.value.session })).code).toBe('command-replayed');
    const renewed = await world.renew(asked, 1);
    expect(renewed.code).toBe('accepted');
    expect(await world.give(renewed.order.bytes)).toBe('command-replayed');
    world.clock.advance(60_000);
    // Also after its end.
    for (const { order } of [asked, renewed]) expect(await world.give(order.bytes)).toBe('command-replayed');
    expect(world.results()).toEqual(['look', 'renewal', 'expired']);
  });

  it('that is withheld and played later is refused, and may be signed once more over the refusal', async () => {
    const world = new LookWorld();
    const recent = world.orders.recentRecord() as never;
    world.clock.advance(LIMITS.commandMaxAgeMs + 1);
    const late = await world.ask(member, { recent });
    expect(late.code).toBe('command-stale');
    // What was refused is not answered a second time: the cloud could fill the history with it.
    expect(await world.give(late.order.bytes)).toBe('command-replayed');
    expect(world.results()).toEqual(['command-stale']);
    const [refusal] = world.answers();
    if (refusal === undefined) throw new Error('no refusal');
    const { seq } = refusal.record.value;
    // The control: the same session, which was not used up.
    const again = await world.ask(member, {
      session: late.order.value.session,
      recent: [seq, refusal.record.hash],
    });
    expect(again.code).toBe('accepted');
    expect((await world.ask(phone, { recent: [seq, realRandom.bytes(32)] })).code).toBe('command-stale');
  });

  it.each([
    ['privacy', 'privacy-mode'],
    ['off-schedule', 'off-schedule'],
  ] as const)('is refused under %s', async (forbidden, code) => {
    const world = new LookWorld();
    world.forbidden = forbidden;
    expect((await world.ask()).code).toBe(code);
    expect(world.indicator.shown).not.toContain('looking');
    world.forbidden = null;
    expect((await world.ask()).code).toBe('accepted');
    expect(world.results()).toEqual([code, 'look']);
  });

  it('is refused where the camera sees nothing, or two look already', async () => {
    const world = new LookWorld();
    world.isSeeing = false;
    expect((await world.ask()).code).toBe('camera-unavailable');
    world.isSeeing = true;
    await world.ask();
    await world.ask(member);
    await world.ask(phone);
    expect(world.results()).toEqual(['camera-unavailable', 'look', 'look', 'look-busy']);
  });

  it('with a key that cannot be used takes neither place nor time', async () => {
    const world = new LookWorld();
    const { encapsulate } = world;
    world.encapsulate = () => Promise.reject(new SealcamError('kem-key', 'not a key'));
    await world.ask();
    world.encapsulate = encapsulate;
    await world.ask();
    await world.ask();
    expect(world.results()).toEqual(['kem-key', 'look', 'look']);
  });

  it('is one of sixty an hour of its signer, and the others still may', async () => {
    const world = new LookWorld();
    world.forbidden = 'privacy';
    for (let i = 0; i < 60; i++) expect((await world.ask(member)).code).toBe('privacy-mode');
    expect((await world.ask(member)).code).toBe('rate-limited');
    world.forbidden = null;
    expect((await world.ask(phone)).code).toBe('accepted');
    expect(world.answers()).toHaveLength(61);
    world.clock.advance(3_600_000);
    expect((await world.ask(member)).code).toBe('accepted');
  });

  it('that is withheld while privacy begins starts nothing', async () => {
    const world = new LookWorld();
    let finish: (value: Encapsulation) => void = () => undefined;
    const { encapsulate } = world;
    world.encapsulate = (key) =>
      new Promise((resolve) => {
        void encapsulate(key).then((made) => {
          finish = () => {
            resolve(made);
          };
        });
      });
    await world.ask();
    world.looks.endAll('privacy');
    finish(await encapsulate((await world.ask(member)).keys.publicKey));
    await letPromisesRun();
    await world.film(1000);
    expect(world.sent).toEqual([]);
  });
});

describe('the budget of looks', () => {
  /** Looks as long as the camera lets this signer, and returns the seconds. */
  async function lookFor(world: LookWorld, signer = world.orders.camera.owner, minutes = 30): Promise<number> {
    const startMs = world.clock.monotonicMs();
    const asked = await world.ask(signer);
    if (world.looks.status().viewers.length === 0) return 0;
    for (let renewal = 1; renewal < 2 * minutes; renewal++) {
      world.clock.advance(30_000);
      await world.renew(asked, renewal, {}, signer);
      if (world.looks.status().viewers.length === 0) break;
    }
    world.clock.advance(60_000);
    const end =
      world.answers().at(-1)?.command.lookEnd ??
      world.answers().findLast(({ command }) => command.lookEnd)?.command.lookEnd;
    expect(world.clock.monotonicMs()).toBeGreaterThan(startMs);
    return end?.seconds ?? 0;
  }

  it('is ten minutes an hour of a signer, fifteen of all members, twenty of the camera', async () => {
    const world = new LookWorld();
    expect(await lookFor(world, member)).toBe(600);
    expect(await lookFor(world, member)).toBe(0);
    expect(await lookFor(world, phone)).toBe(600);
    expect(await lookFor(world)).toBe(0);
    world.clock.advance(3_600_000);
    expect(await lookFor(world, member)).toBe(600);
  });

  it('counts what was looked, not what was granted', async () => {
    const world = new LookWorld();
    const asked = await world.ask(member);
    world.clock.advance(5000);
    // Who leaves renews for a second.
    await world.renew(asked, 1, { seconds: 1 }, member);
    world.clock.advance(1000);
    expect(world.results()).toEqual(['look', 'renewal', 'viewer-left']);
    expect(await lookFor(world, member)).toBe(594);
  });
});

describe('a look through an encoder', () => {
  const info = { codec: 'h264', width: 320, height: 180, framesPerSecond: 10, keyIntervalMs: 1000 } as const;

  /** Frames and units side by side, ten units and four frames a second, each tenth unit a key. */
  async function filmBoth(world: LookWorld, ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 100) {
      world.clock.advance(100);
      const isKey = world.clock.monotonicMs() % 1000 === 0;
      world.encode({ bytes: isKey ? KEY : DELTA, isKey }, info);
      if (passed % 300 === 0) await world.frame();
    }
  }

  it('begins with a frame at once, and goes on with the first key unit that the light was on for', async () => {
    const world = new LookWorld();
    world.clock.advance(600 - (world.clock.monotonicMs() % 1000));
    const asked = await world.ask();
    await filmBoth(world, 3000);
    const seen = world.seenBy(asked);
    const codecs = seen.flatMap(({ kind, plaintext }) =>
      kind === 'initialisation' ? [decodeInitialisation(plaintext).codec] : [],
    );
    expect(codecs).toEqual(['jpeg', 'h264']);
    expect(kinds(seen).slice(0, 2)).toEqual(['initialisation', 'key-unit']);
    // The key unit 400 ms after the light may hold a picture from before it.
    const first = seen[seen.findLastIndex(({ kind }) => kind === 'initialisation') + 1];
    expect(decodeUnit(first?.plaintext ?? KEY).capturedMs).toBeGreaterThan(
      (world.answers()[0]?.record.value.time.monotonicMs ?? 0) + 500,
    );
    // From then on units alone.
    expect(kinds(seen).slice(-6)).toEqual(Array.from({ length: 6 }, () => 'unit'));
  });

  it('drops up to the next key unit where there is no room, and counts it', async () => {
    const world = new LookWorld();
    const asked = await world.ask();
    await filmBoth(world, 2000);
    const before = world.seenBy(asked).length;
    world.link.hasLiveRoom = false;
    await filmBoth(world, 300);
    world.link.hasLiveRoom = true;
    await filmBoth(world, 1700);
    const after = kinds(world.seenBy(asked)).slice(before);
    expect(after.slice(0, 2)).toEqual(['initialisation', 'key-unit']);
    world.looks.endAll('privacy');
    const { framesSent, framesDropped } = world.answers().at(-1)?.command.lookEnd ?? {};
    expect(framesSent).toBe(world.sent.length);
    expect(framesDropped).toBeGreaterThanOrEqual(3);
  });

  it('shows frames again where its units stop', async () => {
    const world = new LookWorld();
    const asked = await world.ask();
    await filmBoth(world, 2000);
    await world.film(5000);
    const last = world.seenBy(asked).slice(-6);
    expect(kinds(last)).toEqual(Array.from({ length: 6 }, () => 'key-unit'));
    expect(toHex(decodeUnit(last[0]?.plaintext ?? KEY).bytes)).toBe(toHex(jpegOf()));
  });
});

describe('the end of a look', () => {
  it.each([
    ['privacy', 'privacy'],
    ['off-schedule', 'schedule'],
  ] as const)('comes with the first frame under %s, of which nothing is shown', async (forbidden, reason) => {
    const world = new LookWorld();
    const asked = await world.ask();
    await world.film(500);
    const sent = world.sent.length;
    world.forbidden = forbidden;
    await world.film(500);
    expect(kinds(world.seenBy(asked)).slice(sent)).toEqual(['end']);
    expect(world.results()).toEqual(['look', reason]);
    expect(world.indicator.shown.at(-1)).toBe('recording');
  });

  it('from outside lets no frame follow that was being masked', async () => {
    const world = new LookWorld();
    await world.ask();
    let finish: () => void = () => undefined;
    world.masked = () =>
      new Promise((resolve) => {
        finish = () => {
          resolve(jpegOf());
        };
      });
    await world.film(250);
    world.looks.endAll('claim-changed');
    const sent = world.sent.length;
    finish();
    await letPromisesRun();
    expect(world.sent).toHaveLength(sent);
    expect(world.results()).toEqual(['look', 'claim-changed']);
  });

  it('counts what could not be sent', async () => {
    const world = new LookWorld();
    const asked = await world.ask();
    await world.film(500);
    world.link.hasLiveRoom = false;
    await world.film(500);
    world.link.hasLiveRoom = true;
    await world.film(500);
    world.looks.endAll('privacy');
    expect(world.answers().at(-1)?.command.lookEnd).toMatchObject({ framesSent: 7, framesDropped: 2 });
    expect(world.openerOf(asked).received).toBe(0);
    expect(kinds(world.seenBy(asked)).filter((kind) => kind === 'key-unit')).toHaveLength(4);
  });

  it('of another is not for a member to put off', async () => {
    const world = new LookWorld();
    const asked = await world.ask(member, { seconds: 10 });
    expect((await world.renew(asked, 1, {}, phone)).code).toBe('command-refused');
    world.clock.advance(10_000);
    expect((await world.renew(asked, 1, {}, member)).code).toBe('command-stale');
    expect(world.results()).toEqual(['look', 'command-refused', 'expired', 'command-stale']);
  });
});
