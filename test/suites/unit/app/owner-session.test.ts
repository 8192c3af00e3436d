import { describe, expect, it } from 'vitest';
import { realClock } from '../../../../common/adapters/real-clock.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toBase64, toHex } from '../../../../common/bytes.js';
import type { CameraItem, RecordItem, RecordsAnswer } from '../../../../app/core/cloud-answers.js';
import type { AlarmReport, CloudClient } from '../../../../app/core/cloud-client.js';
import { HistoryKeeper } from '../../../../app/core/history-keeper.js';
import { OwnerSession } from '../../../../app/core/owner-session.js';
import { MemoryStorage } from '../../../../app/core/storage.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';

/** A cloud with one camera. It answers pages as the API does: the newest `limit` records below `before`. */
function cloudOf(world: CameraWorld, count: number) {
  const claim = world.claim();
  const records = world.chain(claim, count);
  const pages: (number | null)[] = [];
  let upTo = count;
  const camera = (): CameraItem => ({
    device: world.deviceId,
    epoch: 1,
    claim: claim.bytes,
    state: 'open',
    online: null,
    lastReceivedAtMs: null,
    incomplete: false,
    highestSeq: upTo,
    health: null,
  });
  const reports: AlarmReport[] = [];
  const pushedSeqs: number[] = [];
  let asked = 0;
  let meanwhile = (): Promise<unknown> => Promise.resolve();
  const client = {
    reportAlarm: (report: AlarmReport) => {
      reports.push(report);
      return Promise.reject(new Error('a cloud that refuses alarms'));
    },
    cameras: async () => {
      asked++;
      const answer = [camera()];
      await meanwhile();
      return answer;
    },
    stream: async function* () {
      await Promise.resolve();
      yield { event: 'ready', id: null, data: '{}' };
      for (const highestSeq of pushedSeqs.splice(0)) {
        const { device, claim: bytes, ...rest } = camera();
        const item = { ...rest, device: toHex(device), claim: toBase64(bytes), highestSeq };
        yield { event: 'camera', id: null, data: JSON.stringify(item) };
      }
    },
    records: (_device: Uint8Array, _epoch: number, before: number | null, limit: number): Promise<RecordsAnswer> => {
      pages.push(before);
      const shown = records.slice(0, Math.min(upTo + 1, before ?? Infinity)).slice(-limit);
      const items = shown.map(({ bytes, value }): RecordItem => ({
        id: value.seq + 1,
        record: bytes,
        receivedAtMs: value.time.wallMs ?? 0,
        media: [],
      }));
      return Promise.resolve({ records: items, lowestSeq: 0, highestSeq: upTo });
    },
  } as unknown as CloudClient;
  return {
    client,
    pages,
    records,
    reports,
    showUpTo: (seq: number) => (upTo = seq),
    asked: () => asked,
    /** Sets what happens while the list of cameras is being answered. */
    whileAsked: (happens: () => Promise<unknown>) => (meanwhile = happens),
    /** Adds camera items, with these highest seqs, to the next stream. */
    pushCamera: (highestSeqs: readonly number[]) => pushedSeqs.push(...highestSeqs),
  };
}

describe("an owner's session", () => {
  it('fetches what it missed, page by page, and no more', async () => {
    const world = new CameraWorld();
    const { client, pages, records, showUpTo } = cloudOf(world, 400);
    const history = new HistoryKeeper(nodeSuite, new MemoryStorage(), world.recipient);
    const session = new OwnerSession({ client, history, clock: realClock, random: realRandom });

    showUpTo(100);
    await session.refresh();
    expect(pages).toEqual([null]);
    expect(session.view().cameras[0]?.hasOlder).toBe(true);

    showUpTo(400);
    await session.refresh();
    expect(pages.slice(1)).toEqual([null, 341, 241, 141]);
    const unverified = records.slice(60).filter((record) => history.continuityOf(record).verdict !== 'intact');
    expect(unverified).toEqual([]);
    expect(session.view().alarms).toEqual([]);

    // Up to date: one page is fetched, even if it brings nothing new.
    await session.refresh();
    expect(pages.slice(5)).toEqual([null]);
  });

  it('loads older pages until the first record, and knows the time from which everything is here', async () => {
    const world = new CameraWorld();
    const { client, pages, records } = cloudOf(world, 200);
    const history = new HistoryKeeper(nodeSuite, new MemoryStorage(), world.recipient);
    const session = new OwnerSession({ client, history, clock: realClock, random: realRandom });
    await session.refresh();
    for (let pulls = 0; session.view().cameras[0]?.hasOlder === true && pulls < 5; pulls++) {
      const lowest = records.find(({ value }) => value.seq === 141 - 100 * pulls);
      expect(session.view().cameras[0]?.loadedFromMs).toBe(lowest?.value.time.wallMs);
      await session.loadOlder();
    }
    expect(pages).toEqual([null, 141, 41]);
    expect(session.view().cameras[0]?.hasOlder).toBe(false);
  });

  it('stops asking for older pages that hold nothing it may show', async () => {
    const world = new CameraWorld();
    const { client, pages } = cloudOf(world, 200);
    const answer = client.records.bind(client);
    // A cloud that promises more than it has.
    client.records = async (device, epoch, before, limit) => {
      const page = await answer(device, epoch, before, limit);
      return before === null ? page : { ...page, records: [] };
    };
    const history = new HistoryKeeper(nodeSuite, new MemoryStorage(), world.recipient);
    const session = new OwnerSession({ client, history, clock: realClock, random: realRandom });
    await session.refresh();
    for (let pulls = 0; session.view().cameras[0]?.hasOlder === true && pulls < 5; pulls++) await session.loadOlder();
    expect(pages).toEqual([null, 141]);
    expect(session.view().cameras[0]?.hasOlder).toBe(false);
  });

  it('raises an alarm when the cloud has less than was seen here', async () => {
    const world = new CameraWorld();
    const { client, reports, showUpTo } = cloudOf(world, 50);
    const history = new HistoryKeeper(nodeSuite, new MemoryStorage(), world.recipient);
    const session = new OwnerSession({ client, history, clock: realClock, random: realRandom });
    await session.refresh();
    expect(session.view().alarms).toEqual([]);
    showUpTo(20);
    await session.refresh();
    expect(session.view().alarms).toMatchObject([{ verdict: 'older-history' }]);
    showUpTo(19);
    await session.refresh();
    expect(reports).toEqual([
      { verdict: 'older-history', code: 'cloud-lied', device: toHex(world.deviceId), epoch: 1 },
    ]);
  });

  it('raises an alarm when the cloud names the newest record but shows older ones only, on a reload too', async () => {
    const world = new CameraWorld();
    const { client, reports } = cloudOf(world, 50);
    const storage = new MemoryStorage();
    const open = async (): Promise<OwnerSession> => {
      const history = new HistoryKeeper(nodeSuite, storage, world.recipient);
      await history.load();
      const session = new OwnerSession({ client, history, clock: realClock, random: realRandom });
      await session.refresh();
      return session;
    };
    // The control: the same reload over a cloud that shows what it names.
    await open();
    expect((await open()).view().alarms).toEqual([]);
    const answer = client.records.bind(client);
    client.records = async (...query) => {
      const page = await answer(...query);
      return { ...page, records: page.records.filter(({ id }) => id <= 21) };
    };
    const session = await open();
    expect(session.view().cameras).toHaveLength(1);
    expect(session.view().alarms).toMatchObject([{ verdict: 'older-history' }]);
    expect(reports).toMatchObject([{ verdict: 'older-history', code: 'cloud-lied' }]);
  });

  it('raises no alarm for records that arrive while the cloud answers or while a camera item waits in the stream', async () => {
    const world = new CameraWorld();
    const { client, records, asked, showUpTo, whileAsked, pushCamera } = cloudOf(world, 50);
    const history = new HistoryKeeper(nodeSuite, new MemoryStorage(), world.recipient);
    const session = new OwnerSession({ client, history, clock: realClock, random: realRandom });
    const stream = async (): Promise<void> => {
      const over = new AbortController();
      const unsubscribe = session.subscribe(({ connection }) => {
        if (connection === 'offline') over.abort();
      });
      await session.run(over.signal);
      unsubscribe();
    };
    showUpTo(30);
    await session.refresh();
    // A record arrives while the list of cameras, which was made before it, is in transit.
    whileAsked(() => history.verifyAndApply(records[31]?.bytes ?? new Uint8Array(0), 1));
    await session.refresh();
    expect(history.headOf(world.deviceId, 1)?.seq).toBe(31);
    whileAsked(() => Promise.resolve());

    // The page fetched after `ready` brings the newest record; camera items pushed before that are behind it.
    showUpTo(40);
    pushCamera([30, 40]);
    const before = asked();
    await stream();
    expect(history.headOf(world.deviceId, 1)?.seq).toBe(40);
    expect(session.view().alarms).toEqual([]);
    expect(asked() - before).toBe(2);

    // The control: a cloud that answers a request with less than it showed before is withholding records.
    showUpTo(35);
    pushCamera([30]);
    await stream();
    expect(session.view().alarms).toMatchObject([{ verdict: 'older-history' }]);
  });
});
