import { describe, expect, it } from 'vitest';
import type { NoticeView } from '../../../../app/core/notice-view.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import { SealcamError } from '../../../../common/errors.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { tweetnaclSuite } from '../../../../protocol/crypto/tweetnacl.js';
import { wrapKey } from '../../../../protocol/seal/key-record.js';
import { encodeNotice } from '../../../../protocol/transport/notice.js';
import { PICTURE, PushedBrowser, pushingCamera, pushOf, workerClient } from '../../../support/worlds/push-world.js';
import { kemKeyOf, newPerson, SealedCloud, SealingCamera } from '../../../support/worlds/sealing-camera.js';

const owner = newPerson();
const SOMEWHERE = 'Something new at one of your cameras';
const AT_DOOR = 'Something new at Front door';

function altered(bytes: Uint8Array, at = bytes.length - 1): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** What tells a notification of an event from one that says only that there is something. */
function said({ title, address, jpeg }: NoticeView) {
  return { title, isEvent: address !== null, hasPicture: jpeg !== null };
}

const EVENT = { title: 'Motion at Front door', isEvent: true, hasPicture: true };
const only = (title: string) => ({ title, isEvent: false, hasPicture: false });

describe.each([
  ['node:crypto', nodeSuite],
  ['tweetnacl', tweetnaclSuite],
])('what a push says, verified with %s', (_name, suite) => {
  async function world() {
    const made = await pushingCamera([owner]);
    const { camera, cloud, clock, period } = made;
    const browser = await new PushedBrowser(owner, cloud, clock, { suite }).visit();
    await browser.storage.saveName(toHex(camera.world.deviceId), 'Front door');
    return { ...made, browser, news: camera.addMini(period, PICTURE, {}, { zones: ['Drive'] }) };
  }

  it('an event of a camera of ours: its picture, its name, its time, the zone and the address that opens it', async () => {
    const { browser, news } = await world();
    const { record, mini } = news;
    const view = await browser.receive(pushOf(record, mini));
    expect(said(view)).toEqual(EVENT);
    expect(view.jpeg).toEqual(PICTURE);
    const { device, epoch, event, time } = record.value;
    expect(view.address).toBe(`#event=${toHex(device)}/${String(epoch)}/${toHex(event?.id ?? device)}`);
    expect(view.atMs).toBe(time.wallMs);
    const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
    expect(view.body).toBe(`${clock.format(time.wallMs ?? 0)} · Drive`);
  });

  it('one altered byte anywhere, or a picture of another event: nothing of it', async () => {
    const { browser, camera, period, news } = await world();
    const { record, mini } = news;
    for (const at of [0, 40, 100, record.bytes.length - 70, record.bytes.length - 1]) {
      expect(said(await browser.receive(pushOf({ bytes: altered(record.bytes, at) }, mini)))).toEqual(only(SOMEWHERE));
    }
    const { header, body } = mini;
    expect(said(await browser.receive(pushOf(record, { header: altered(header), body })))).toEqual(only(AT_DOOR));
    expect(said(await browser.receive(pushOf(record, { header, body: altered(body) })))).toEqual(only(AT_DOOR));
    const other = camera.addMini(period, PICTURE);
    expect(said(await browser.receive(pushOf(record, other.mini)))).toEqual(only(AT_DOOR));
    // The control: as the camera made it. What was refused before does not count as shown.
    expect(said(await browser.receive(pushOf(record, mini)))).toEqual(EVENT);
  });

  it('a record of another household, or a seal that the camera did not make for us: nothing of it', async () => {
    const { browser, clock } = await world();
    const stranger = newPerson();
    const theirs = await pushingCamera([stranger]);
    const crossed = theirs.camera.addMini(theirs.period, PICTURE);
    expect(said(await browser.receive(pushOf(crossed.record, crossed.mini)))).toEqual(only(SOMEWHERE));
    const their = await new PushedBrowser(stranger, theirs.cloud, clock, { suite }).visit();
    expect(said(await their.receive(pushOf(crossed.record, crossed.mini))).isEvent).toBe(true);

    const camera = new SealingCamera([owner]);
    const recipients = [kemKeyOf(stranger)];
    const period = await camera.begin((job) => Promise.resolve(wrapKey(nodeSuite, realRandom, { ...job, recipients })));
    camera.addKey(period);
    const sealed = await new PushedBrowser(owner, new SealedCloud(camera), clock, { suite }).visit();
    const { record, mini } = camera.addMini(period, PICTURE);
    expect(said(await sealed.receive(pushOf(record, mini))).isEvent).toBe(false);
  });

  it('an event twice: the second time it is no news, also after the worker was stopped', async () => {
    const { browser, news, camera, period } = await world();
    const push = pushOf(news.record, news.mini);
    expect(said(await browser.receive(push))).toEqual(EVENT);
    expect(said(await browser.receive(push))).toEqual(only(AT_DOOR));
    const next = camera.addMini(period, PICTURE);
    expect(said(await browser.receive(pushOf(next.record, next.mini)))).toEqual(EVENT);
  });

  it('an event older than the newest that is known here, by more than a push may be late: no news', async () => {
    const { browser, camera, cloud, clock, period, news } = await world();
    const soon = camera.addMini(period, PICTURE);
    const later = (minutes: number) => ({
      time: camera.world.time(60_000 * minutes, clock.wallMs() + 60_000 * minutes),
    });
    camera.addMini(period, PICTURE, later(10));
    clock.advance(20 * 60_000);
    await browser.visit();
    // Behind, and not by much: a push may be overtaken.
    expect(said(await browser.receive(pushOf(soon.record, soon.mini)))).toEqual(EVENT);
    camera.addMini(period, PICTURE, later(19));
    await browser.visit();
    expect(said(await browser.receive(pushOf(news.record, news.mini)))).toEqual(only(AT_DOOR));
    // The control: a browser that has not been there since shows it, with its time.
    const away = await new PushedBrowser(owner, cloud, clock, { suite }).visit(1);
    expect(said(await away.receive(pushOf(news.record, news.mini))).isEvent).toBe(true);
  });

  it('a second record at the place of one that was shown: equivocation, and nothing of it', async () => {
    const { browser, camera, news } = await world();
    expect(said(await browser.receive(pushOf(news.record, news.mini)))).toEqual(EVENT);
    const { seq, prev } = news.record.value;
    const event = { id: realRandom.bytes(16), phase: 'start', revision: 0 } as const;
    const forked = camera.world.recordV2(camera.claim, seq, prev, { kind: 'motion', event });
    expect(said(await browser.receive(pushOf(forked)))).toEqual(only(AT_DOOR));
  });

  it('a member who was removed is not shown what comes after, and asks for claims once', async () => {
    const member = newPerson();
    const { camera, cloud, clock, period } = await pushingCamera([owner, member]);
    const browser = await new PushedBrowser(member, cloud, clock, { suite }).visit();
    await browser.storage.saveName(toHex(camera.world.deviceId), 'Front door');
    const before = camera.addMini(period, PICTURE);
    expect(said(await browser.receive(pushOf(before.record, before.mini)))).toEqual(EVENT);

    const next = new SealingCamera([owner], { epoch: 2, previous: camera.claim.hash }, camera.world);
    next.firstMs = clock.wallMs();
    const nextPeriod = await next.begin();
    next.addKey(nextPeriod);
    const after = next.addMini(nextPeriod, PICTURE);
    const nextCloud = new SealedCloud(next);
    let asked = 0;
    const client = workerClient(nextCloud, {
      cameras: () => {
        asked++;
        return Promise.resolve([nextCloud.camera()]);
      },
    });
    const removed = new PushedBrowser(member, cloud, clock, {
      suite,
      storage: browser.storage,
      clientOf: () => client,
    });
    for (let i = 0; i < 3; i++) {
      expect(said(await removed.receive(pushOf(after.record, after.mini)))).toEqual(only(AT_DOOR));
    }
    expect(asked).toBe(1);
    // The control: the owner, whose page has not been open since either, learns of the new claim and is shown it.
    const owning = await new PushedBrowser(owner, cloud, clock, { suite }).visit();
    const learning = new PushedBrowser(owner, nextCloud, clock, { suite, storage: owning.storage });
    expect(said(await learning.receive(pushOf(after.record, after.mini))).isEvent).toBe(true);
  });

  it('fetches the key record once, keeps it, and without it says what is signed', async () => {
    const { browser, cloud, camera, period, news, clock } = await world();
    for (const { record, mini } of [news, camera.addMini(period, PICTURE)]) {
      expect(said(await browser.receive(pushOf(record, mini)))).toEqual(EVENT);
    }
    expect(cloud.asked).toHaveLength(1);
    const offline = () => Promise.reject(new SealcamError('cloud-unreachable', 'no connection'));
    const without = await new PushedBrowser(owner, cloud, clock, {
      suite,
      clientOf: () => workerClient(cloud, { keyRecord: offline }),
    }).visit();
    expect(said(await without.receive(pushOf(news.record, news.mini)))).toMatchObject({
      isEvent: true,
      hasPicture: false,
    });
  });

  it('does not keep what a cloud made up as a key record', async () => {
    const { browser, cloud, camera, period, news } = await world();
    cloud.keyAnswer = (answer) => ({ ...answer, body: altered(answer.body) });
    expect(said(await browser.receive(pushOf(news.record, news.mini)))).toEqual(only(AT_DOOR));
    cloud.keyAnswer = null;
    const next = camera.addMini(period, PICTURE);
    expect(said(await browser.receive(pushOf(next.record, next.mini)))).toEqual(EVENT);
  });

  it('what the cloud says itself: of a camera of ours its number or its silence, of another nothing', async () => {
    const { browser, camera, clock } = await world();
    const { deviceId: device } = camera.world;
    const summary = encodeNotice({ type: 'summary', device, count: 12 });
    expect(said(await browser.receive(summary))).toEqual(only('Front door: 12 new'));
    const silent = (sinceMs: number): Uint8Array => encodeNotice({ type: 'silent', device, sinceMs });
    expect(said(await browser.receive(silent(clock.wallMs())))).toEqual(only('Front door is silent'));
    expect((await browser.receive(silent(2 ** 53 - 1))).body).toBe('The cloud hears nothing of it.');
    const other = encodeNotice({ type: 'summary', device: realRandom.bytes(32), count: 12 });
    expect(said(await browser.receive(other))).toEqual(only(SOMEWHERE));
  });

  it('says something in any case: for an empty push, noise, a newer one, and on a device without a key', async () => {
    const { browser, news } = await world();
    for (const payload of [null, new Uint8Array(0), realRandom.bytes(300), Uint8Array.of(0x82, 2, 0)]) {
      expect(said(await browser.receive(payload))).toEqual(only(SOMEWHERE));
    }
    await browser.storage.clear();
    expect(said(await browser.receive(pushOf(news.record, news.mini)))).toEqual(only(SOMEWHERE));
  });

  it('a withheld event stays known: the head that the worker verified is what a page holds the cloud to', async () => {
    const { browser, news } = await world();
    const headOf = async () => (await browser.storage.epochs())[0]?.head?.seq;
    const before = await headOf();
    await browser.receive(pushOf({ bytes: altered(news.record.bytes) }, news.mini));
    expect(await headOf()).toBe(before);
    await browser.receive(pushOf(news.record, news.mini));
    expect(await headOf()).toBe(news.record.value.seq);
  });
});
