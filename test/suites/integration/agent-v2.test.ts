import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toHex } from '../../../common/bytes.js';
import { MockKeyStore } from '../../../hal/mock/key-store.js';
import { versionOf } from '../../../protocol/objects/signed-object.js';
import { decodeContent } from '../../../protocol/seal/content.js';
import { embedded } from '../../support/engines/brokers.js';
import { until } from '../../support/runner/wait.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { cloudOf, openIn, openPeriods, type Seen } from '../../support/worlds/seen-cloud.js';
import { WholeWay } from '../../support/worlds/whole-way.js';

let way: WholeWay;
const owner = new CameraWorld();

beforeEach(async () => {
  way = await WholeWay.prepare(embedded);
  await way.broker.start();
});

afterEach(() => way.stopAll());

/** Opens every picture that the cloud has, as the owner does. */
async function openAll(seen: Seen): Promise<number> {
  const periods = await openPeriods(owner, seen);
  let opened = 0;
  for (const { record, media } of seen.sent) {
    const { device, account, epoch, claimHash, event } = record.value;
    for (const [i, sealed] of media.entries()) {
      const named = record.value.media?.[i];
      if (sealed === null || event === undefined || named?.role !== 'thumbnail') continue;
      const place = { eventId: event.id, mediaId: named.id, role: named.role } as const;
      const content = openIn(periods, { device, account, epoch, claimHash, ...place }, sealed);
      if (content !== null && (decodeContent(content).jpeg?.length ?? 0) > 500) opened++;
    }
  }
  return opened;
}

describe('a camera whose cloud announces version 2', () => {
  it('is claimed in it, seals in periods, and the owner opens every picture, also after a restart', async () => {
    const keyStore = new MockKeyStore();
    const camera = way.startAgent('a', undefined, keyStore);
    const seen: Seen = { offers: [], sent: [], claim: null };
    await cloudOf(way, owner, camera.code, [1, 2], seen);
    await until('it is claimed', () => seen.sent.length > 0);
    const pictures = (): number =>
      seen.sent.flatMap(({ record }) => record.value.media ?? []).filter(({ role }) => role === 'thumbnail').length;
    await until('two pictures came', () => pictures() >= 2);
    expect(seen.offers).toContain(2);
    expect(seen.sent.every(({ record }) => versionOf(record.value) === 2)).toBe(true);
    expect(await openAll(seen)).toBe(pictures());
    const health = seen.sent.find(({ record }) => record.value.kind === 'health');
    expect(health?.record.value.health).toMatchObject({ memoryBytes: 21 * 2 ** 20, restarts: 0, light: false });
    await until('every record has a receipt', () => camera.agent.outbox.queued().records === 0);
    await way.stop(camera.agent);

    const before = pictures();
    const again = way.startAgent('a', undefined, keyStore);
    await until('another picture came', () => pictures() > before);
    expect(await openAll(seen)).toBe(pictures());
    const periods = seen.sent.flatMap(({ record }) => record.value.key?.periodId ?? []).map(toHex);
    expect(new Set(periods).size).toBe(2);
    expect(again.log.some(({ level }) => level === 'error')).toBe(false);
  });

  it('stays at version 1 where it announces no more: the control', async () => {
    const camera = way.startAgent('b');
    const seen: Seen = { offers: [], sent: [], claim: null };
    await cloudOf(way, owner, camera.code, [1], seen);
    await until('it offered itself', () => seen.offers.length > 0);
    camera.button.press();
    await until('it offered itself again', () => seen.offers.length > 1);
    expect(new Set(seen.offers)).toEqual(new Set([1]));
  });
});
