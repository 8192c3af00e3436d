import sharp from 'sharp';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { firstChoices } from '../../../app/core/push-choices.js';
import { PushClient } from '../../../app/core/push-client.js';
import { readPush } from '../../../app/core/push-reader.js';
import type { NoticeView } from '../../../app/core/notice-view.js';
import { realClock } from '../../../common/adapters/real-clock.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { fromHex } from '../../../common/bytes.js';
import { MockKeyStore } from '../../../hal/mock/key-store.js';
import { tweetnaclSuite } from '../../../protocol/crypto/tweetnacl.js';
import { anyRecordKind, type RecordV2 } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import { decodeNotice, encodeNotice } from '../../../protocol/transport/notice.js';
import { embedded } from '../../support/engines/brokers.js';
import { PushReceiver, TestPushService } from '../../support/engines/push-service.js';
import { until } from '../../support/runner/wait.js';
import { Person } from '../../support/worlds/person.js';
import { WorkerMemory } from '../../support/worlds/push-world.js';
import { QUIET } from '../../support/worlds/test-agent.js';
import { PAGE_ORIGIN } from '../../support/worlds/test-cloud.js';
import { WholeWay } from '../../support/worlds/whole-way.js';

const MINI_WIDTH = 160;
/** Mean difference of brightness, 0 to 255, between a picture and its small copy, which is made coarser. */
const COPY_DIFFERENCE_MAX = 12;

let way: WholeWay;

beforeEach(async () => {
  way = await WholeWay.prepare(embedded);
  await way.broker.start();
});

afterEach(() => way.stopAll());

function altered(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte));
}

/** One person's browser: a page that stores, and a worker that reads what it stored. */
class Browser {
  readonly storage = new WorkerMemory();
  readonly person: Person;
  readonly client: PushClient;
  readonly receiver = new PushReceiver();
  endpoint = '';

  constructor(origin: string) {
    this.person = new Person(origin, realRandom.bytes(32), realClock, 2, this.storage);
    this.client = this.newClient(origin);
  }

  /** The page adds a camera, gives it a name, turns notifications on, and is closed. */
  async visit(code: string, service: TestPushService): Promise<string> {
    const { person, storage, client } = this;
    await storage.saveMaster(person.keys.master);
    person.start();
    const device = await person.claim(code);
    await until('the page follows the camera', () => person.camera(device, 1) !== undefined);
    await storage.saveName(device, 'Front door');
    const subscription = service.subscribe(this.receiver);
    await client.subscribe(subscription, firstChoices('UTC'));
    this.endpoint = subscription.endpoint;
    await person.stop();
    return device;
  }

  /** What the worker shows of a push. */
  receive(payload: Uint8Array): Promise<NoticeView> {
    const { storage, client } = this;
    return readPush(payload, { suite: tweetnaclSuite, clock: realClock, storage, clientOf: () => client });
  }

  private newClient(cloudOrigin: string): PushClient {
    const { keys } = this.person;
    return new PushClient({
      suite: tweetnaclSuite,
      clock: realClock,
      keys,
      cloudOrigin,
      pageOrigin: PAGE_ORIGIN,
      fetch: (url, init) => fetch(url, init),
    });
  }
}

/** Brightness of a picture at this size. */
async function luma(jpeg: Uint8Array, width: number, height: number): Promise<Buffer> {
  return sharp(jpeg).resize(width, height, { fit: 'fill' }).greyscale().raw().toBuffer();
}

it('what a camera sees is shown by a browser whose page is closed, with its name and the pixels that the camera sealed, and by no other browser', async () => {
  const service = await TestPushService.start(way.folder);
  const cloud = await way.startCloud({ environment: service.environment });
  const camera = way.startAgent('a');
  const quiet = way.startAgent('b', QUIET, new MockKeyStore());
  const [owner, stranger] = [new Browser(cloud.origin), new Browser(cloud.origin)];
  await stranger.visit(quiet.code, service);
  const device = fromHex(await owner.visit(camera.code, service), 32) ?? new Uint8Array(0);

  const ofMotion = (payload: Uint8Array) => {
    const notice = decodeNotice(payload);
    if (notice.type !== 'record' || notice.mini === null) return [];
    const record = openSigned(anyRecordKind, tweetnaclSuite, notice.record);
    return record.value.kind === 'motion' ? [{ payload, notice, mini: notice.mini, record }] : [];
  };
  const pushed = () => service.received(owner.endpoint).flatMap(ofMotion);
  await until('a push with a picture', () => pushed().length > 0);
  const { payload, notice, mini, record } = pushed()[0] ?? expect.fail('no push');

  // One bit altered, wherever it is.
  const body = service.messages.find(({ plaintext }) => plaintext === payload)?.body ?? expect.fail('no message');
  expect(() => owner.receiver.open(Buffer.from(altered(body)))).toThrow();
  const withBody = encodeNotice({ ...notice, mini: { ...mini, body: altered(mini.body) } });
  const withHeader = encodeNotice({ ...notice, mini: { ...mini, header: altered(mini.header) } });
  const withRecord = encodeNotice({ ...notice, record: altered(notice.record) });
  const atDoor = { title: 'Something new at Front door', jpeg: null, address: null };
  const somewhere = { ...atDoor, title: 'Something new at one of your cameras' };
  expect(await owner.receive(withBody)).toMatchObject(atDoor);
  expect(await owner.receive(withHeader)).toMatchObject(atDoor);
  expect(await owner.receive(withRecord)).toMatchObject(somewhere);
  // Another household's browser is sent nothing of it, and could show nothing of it.
  expect(service.received(stranger.endpoint).flatMap(ofMotion)).toEqual([]);
  expect(() => stranger.receiver.open(body)).toThrow();
  expect(await stranger.receive(payload)).toMatchObject(somewhere);

  const shown = await owner.receive(payload);
  expect(shown.title).toBe('Motion at Front door');
  expect(shown.address).not.toBeNull();
  const jpeg = shown.jpeg ?? expect.fail('no picture');
  // The same as the cloud keeps in the camera's name, and a small copy of the large one.
  const { event, media = [] } = record.value as RecordV2;
  const open = async (role: 'mini' | 'thumbnail'): Promise<Uint8Array> => {
    const of = media.find((one) => one.role === role) ?? expect.fail(role);
    const eventId = event?.id ?? expect.fail('no event');
    const opened = await owner.person.owner.openPicture({ device, epoch: 1, record, eventId, media: of });
    return opened.jpeg ?? expect.fail('not opened');
  };
  expect(jpeg).toEqual(await open('mini'));
  const { width, height } = await sharp(jpeg).metadata();
  expect(width).toBe(MINI_WIDTH);
  const [small, large] = [await luma(jpeg, width, height), await luma(await open('thumbnail'), width, height)];
  const difference = small.reduce((sum, value, i) => sum + Math.abs(value - (large[i] ?? 0)), 0) / small.length;
  expect(difference).toBeLessThan(COPY_DIFFERENCE_MAX);
});
