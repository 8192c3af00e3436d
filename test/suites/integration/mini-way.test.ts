import { afterEach, beforeEach, expect, it } from 'vitest';
import { fromHex } from '../../../common/bytes.js';
import type { RecordV2 } from '../../../protocol/objects/record.js';
import { anyRecordKind } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import { tweetnaclSuite } from '../../../protocol/crypto/tweetnacl.js';
import { encodeCbor } from '../../../protocol/wire/cbor.js';
import { embedded } from '../../support/engines/brokers.js';
import { until } from '../../support/runner/wait.js';
import { Person } from '../../support/worlds/person.js';
import { WholeWay } from '../../support/worlds/whole-way.js';

let way: WholeWay;

beforeEach(async () => {
  way = await WholeWay.prepare(embedded);
  await way.broker.start();
});

afterEach(() => way.stopAll());

it('a mini picture comes with the start of an event, is stored and served as other pictures are, and opens in its own role and event alone', async () => {
  const cloud = await way.startCloud();
  const camera = way.startAgent('a');
  const owner = new Person(cloud.origin).start();
  way.keep(owner);
  const device = fromHex(await owner.claim(camera.code), 32) ?? new Uint8Array(0);
  const motions = async (): Promise<{ readonly value: RecordV2; readonly bytes: Uint8Array }[]> => {
    const rows = await cloud.store.records.page(device, 1, Number.MAX_SAFE_INTEGER, 100);
    return rows
      .map(({ bytes }) => ({ value: openSigned(anyRecordKind, tweetnaclSuite, bytes).value as RecordV2, bytes }))
      .filter(({ value }) => value.kind === 'motion');
  };
  await until('an event ended', async () => (await motions()).some(({ value }) => value.event?.phase === 'end'));
  const all = await motions();
  for (const { value } of all) {
    const hasMini = value.media?.some(({ role }) => role === 'mini') ?? false;
    expect(hasMini, value.event?.phase).toBe(value.event?.phase === 'start');
  }

  const start = all.find(({ value }) => value.event?.phase === 'start') ?? expect.fail('no start');
  const { event, media = [] } = start.value;
  const mini = media.find(({ role }) => role === 'mini') ?? expect.fail('no mini picture');
  const sealed = await owner.client.media(device, 1, mini.id);
  expect(encodeCbor([1, start.bytes, sealed.header, sealed.body]).length).toBeLessThanOrEqual(3900);
  await until('the page has the event', () => owner.pictures(1).length > 0);
  const shown = owner.pictures(1).at(-1)?.picture ?? expect.fail('no picture');
  expect(shown.media.role).toBe('thumbnail');
  const picture = { ...shown, eventId: event?.id ?? new Uint8Array(0), media: mini };
  const record = openSigned(anyRecordKind, tweetnaclSuite, start.bytes);
  const { jpeg, detail } = await owner.owner.openPicture({ ...picture, record });
  expect([jpeg?.[0], jpeg?.[1], detail.size?.[0]]).toEqual([0xff, 0xd8, 160]);
  // The control: as another role, or as another event's, it does not open.
  const asThumbnail = { ...mini, role: 'thumbnail' as const };
  await expect(owner.owner.openPicture({ ...picture, record, media: asThumbnail })).rejects.toThrow();
  const other = { ...picture, record, eventId: shown.media.id };
  await expect(owner.owner.openPicture(other)).rejects.toThrow();
});
