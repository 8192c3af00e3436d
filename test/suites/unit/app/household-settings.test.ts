import { setImmediate as immediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import { ReviewedMarks } from '../../../../app/core/reviewed-marks.js';
import { shareMarks } from '../../../../app/core/share-marks.js';
import type { SettingsRequests } from '../../../../app/core/settings-requests.js';
import { until } from '../../../support/runner/wait.js';
import { exchangeAll, HouseholdWorld, type Browser } from '../../../support/worlds/household-world.js';

const member = realRandom.bytes(32);
let world: HouseholdWorld;

beforeEach(async () => {
  world = await HouseholdWorld.open();
  await world.claimFor(member);
});

async function two(): Promise<readonly [Browser, Browser]> {
  return [await world.browser(world.owner), await world.browser(member)];
}

async function nameIn({ page }: Browser): Promise<string | undefined> {
  return (await page.storage.names())[world.device];
}

describe("settings of a household, through the cloud's own API", () => {
  it('hold the reviewed marks of every browser, those too that were set before they were loaded', async () => {
    const [one, other] = await two();
    const event = `${world.device}/1/${'ab'.repeat(16)}`;
    await new ReviewedMarks(one.page.storage).markReviewed([event, 'elsewhere/1/00'], true);
    const [marks, theirs] = [new ReviewedMarks(one.page.storage), new ReviewedMarks(other.page.storage)];
    await marks.load();
    let changes = 0;
    theirs.subscribe(() => changes++);
    await shareMarks(marks, one.settings);
    await shareMarks(theirs, other.settings);
    expect(theirs.isReviewed(event)).toBe(false);
    const before = changes;
    await exchangeAll(one, other);
    expect([theirs.isReviewed(event), changes > before]).toEqual([true, true]);
    await theirs.markReviewed([event], false);
    await exchangeAll(other, one);
    // What a camera outside the household has is this browser's own.
    expect([marks.isReviewed(event), marks.isReviewed('elsewhere/1/00')]).toEqual([false, true]);
    const again = new ReviewedMarks(one.page.storage);
    await again.load();
    await shareMarks(again, one.settings);
    expect(again.isReviewed(event)).toBe(false);
  });

  it('come soon to a browser that was just added, once another one has sealed them to it', async () => {
    const one = await world.browser(world.owner);
    await one.settings.rename(world.device, 'Front door');
    await exchangeAll(one);
    const late = realRandom.bytes(32);
    await world.claimFor(member, late);
    const added = await world.browser(late);
    const ending = new AbortController();
    added.settings.run(ending.signal);
    const { clock } = world.api;
    clock.advance(0);
    await added.settings.exchange();
    expect(await nameIn(added)).toBeUndefined();
    await one.page.session.refresh();
    await exchangeAll(one);
    const since = clock.monotonicMs();
    await until('the added browser has the name', async () => {
      clock.advance(1000);
      await immediate();
      return (await nameIn(added)) === 'Front door';
    });
    // Without another reason they would be asked for every ten minutes.
    expect(clock.monotonicMs() - since).toBeLessThan(590_000);
    ending.abort();
  });

  it('set in one browser appear in another', async () => {
    const [one, other] = await two();
    const event = `${world.device}/1/${'ab'.repeat(16)}`;
    await one.settings.rename(world.device, '  Front door 🚪 ');
    await one.settings.markReviewed([event], true);
    await one.settings.nameZone(world.device, 'zone 1', 'Gate');
    await one.settings.setOrder([world.device]);
    await one.settings.setQuietHours({ fromMinute: 1320, toMinute: 420 });
    expect(other.settings.reviewedMark(event)).toBe(null);
    await exchangeAll(one, other);
    expect(await nameIn(other)).toBe('Front door 🚪');
    expect(other.settings.reviewedMark(event)).toBe(true);
    expect(other.settings.zoneName(world.device, 'zone 1')).toBe('Gate');
    expect(other.settings.zoneName(world.device, 'zone 2')).toBeNull();
    expect(other.settings.placeOf(world.device)).toBe(0);
    expect(other.settings.quietHours()).toEqual({ fromMinute: 1320, toMinute: 420 });
    await other.settings.markReviewed([event], false);
    await other.settings.setQuietHours(null);
    await exchangeAll(other, one);
    expect(one.settings.reviewedMark(event)).toBe(false);
    expect(one.settings.quietHours()).toBeNull();
    expect([...one.alarms(), ...other.alarms()]).toEqual([]);
    expect(one.settings.sharing()).toEqual(['shared']);
    // What nobody changes is not sent again.
    const held = await world.api.store.settings.of(one.page.keys.account);
    await exchangeAll(one, other, one);
    expect((await world.api.store.settings.of(one.page.keys.account)).map(toHex)).toEqual(held.map(toHex));
    expect(held.length).toBe(1);
  });

  it('that two browsers changed at once are both kept, also when nobody was connected', async () => {
    const [one, other] = await two();
    await exchangeAll(one, other);
    await one.settings.nameZone(world.device, 'a', 'Gate');
    await other.settings.nameZone(world.device, 'b', 'Path');
    await one.settings.rename(world.device, 'Front');
    await other.settings.rename(world.device, 'Back');
    await exchangeAll(one, other, one, other);
    for (const { settings } of [one, other]) {
      expect(settings.zoneName(world.device, 'a')).toBe('Gate');
      expect(settings.zoneName(world.device, 'b')).toBe('Path');
    }
    expect(await nameIn(one)).toBe(await nameIn(other));
    expect(['Front', 'Back']).toContain(await nameIn(one));
  });

  it('begin with the names that a browser kept for itself, which lose to any that somebody gave', async () => {
    const [one, other] = await two();
    await one.page.storage.saveName(world.device, 'Old');
    await exchangeAll(one, other);
    expect(await nameIn(other)).toBe('Old');
    await other.settings.rename(world.device, 'New');
    await exchangeAll(other, one);
    const third = await world.browser(world.owner);
    await third.page.storage.saveName(world.device, 'Older');
    await exchangeAll(third);
    expect(await nameIn(third)).toBe('New');
  });
});

describe('a cloud that lies about settings', () => {
  /** Has `liar` be served what `choose` makes of the truth. */
  async function trial(
    choose: (objects: readonly Uint8Array[], old: readonly Uint8Array[]) => readonly Uint8Array[],
  ): Promise<readonly string[]> {
    let old: readonly Uint8Array[] = [];
    let isLying = false;
    const lying = ({ settings }: SettingsRequests): Partial<SettingsRequests> => ({
      settings: async () => {
        const truth = await settings();
        return isLying ? truth.map((one) => ({ ...one, settings: [...choose(one.settings, old)] })) : truth;
      },
    });
    const one = await world.browser(world.owner);
    const victim = await world.browser(member, lying);
    await one.settings.rename(world.device, 'First');
    await exchangeAll(one, victim);
    old = await world.api.store.settings.of(one.page.keys.account);
    await one.settings.rename(world.device, 'Second');
    await exchangeAll(one);
    isLying = true;
    await exchangeAll(victim);
    return victim.alarms();
  }

  it('is noticed where it serves older settings than another browser names in its heads, or none', async () => {
    expect(await trial((objects) => objects)).toEqual([]);
    expect(await trial((_, old) => old)).toEqual(['settings-withheld']);
    expect(await trial(() => [])).toContain('settings-withheld');
  });

  it('is noticed where it serves the settings of another household', async () => {
    const other = await HouseholdWorld.open(undefined, world.api);
    await other.claimFor();
    const stranger = await other.browser(other.owner);
    await stranger.settings.rename(other.device, 'Elsewhere');
    await exchangeAll(stranger);
    const theirs = await world.api.store.settings.of(stranger.page.keys.account);
    expect(theirs.length).toBe(1);
    expect(await trial((objects) => [...objects, ...theirs])).toEqual(['settings-refused']);
  });

  it('is noticed where it hands out what a removed member wrote, which was good before', async () => {
    const written: Uint8Array[] = [];
    const removed = await world.browser(member, ({ sendSettings }) => ({
      sendSettings: (account, bytes) => {
        written.push(bytes);
        return written.length === 1 ? sendSettings(account, bytes) : Promise.resolve();
      },
    }));
    let isLying = false;
    const one = await world.browser(world.owner, ({ settings }) => ({
      settings: async () => {
        const truth = await settings();
        const late = written.slice(1);
        return isLying ? truth.map((served) => ({ ...served, settings: [...served.settings, ...late] })) : truth;
      },
    }));
    await removed.settings.rename(world.device, 'While a member');
    await exchangeAll(removed, one);
    expect(await nameIn(one)).toBe('While a member');
    expect(one.alarms()).toEqual([]);
    await removed.settings.rename(world.device, 'After that');
    await exchangeAll(removed);
    expect(written.length).toBe(2);
    await world.claimFor();
    await one.page.session.refresh();
    await exchangeAll(one);
    expect(one.alarms()).toEqual([]);
    isLying = true;
    await exchangeAll(one);
    expect(one.alarms()).toEqual(['settings-refused']);
    expect(await nameIn(one)).toBe('While a member');
  });

  it('cannot bring back what a removed member writes, and what is written next is not sealed to them', async () => {
    const [one, removed] = await two();
    await one.settings.rename(world.device, 'Front');
    await exchangeAll(one, removed);
    await world.claimFor();
    await one.page.session.refresh();
    await exchangeAll(one);
    // They do not know of the claim yet, and write; the cloud refuses it.
    await removed.settings.rename(world.device, 'Mine');
    await removed.settings.exchange();
    expect(removed.settings.problem()?.code).toMatch(/foreign|not-found/);
    const [object = new Uint8Array(0)] = await world.api.store.settings.of(one.page.keys.account);
    await exchangeAll(one);
    expect(await nameIn(one)).toBe('Front');
    expect(one.alarms()).toEqual([]);
    // A cloud that hands them the household's next object all the same shows them nothing.
    const { account } = one.page.keys;
    const spy = await world.browser(member, () => ({
      settings: () => Promise.resolve([{ account, settings: [object] }]),
      sendSettings: () => Promise.resolve(),
    }));
    await spy.settings.exchange();
    expect(await nameIn(spy)).toBeUndefined();
  });
});
