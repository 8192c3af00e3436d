import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toHex } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { decodeLive, LIVE_FLAGS } from '../../../protocol/transport/live.js';
import { freePort } from '../../../scripts/free-port.js';
import { embedded, mosquitto, type TestBroker } from '../../support/engines/brokers.js';
import { natsCluster } from '../../support/engines/nats.js';
import { describeWith } from '../../support/engines/tools.js';
import { afterThisTest } from '../../support/runner/after-test.js';
import { keptFolder } from '../../support/runner/temp.js';
import { until } from '../../support/runner/wait.js';
import { LookSite, type LiveCamera } from '../../support/worlds/look-site.js';
import { LiveSender, type Viewer } from '../../support/worlds/live-viewer.js';

const CHECK_MS = 5000;
const LARGE_BYTES = 100_000;

/** Short names of messages: to compare them byte by byte takes seconds. */
function digests(messages: readonly Uint8Array[]): string[] {
  return messages.map((message) => toHex(nodeSuite.sha256(message)));
}

/** Publishes until the viewer receives: on a cluster the subscription has to reach the camera's node first. */
async function begin(camera: LiveCamera, sender: LiveSender, viewer: Viewer): Promise<Uint8Array[]> {
  const sent: Uint8Array[] = [];
  await until('the first message came', async () => {
    if (viewer.messages.length > 0) return true;
    const message = sender.next();
    sent.push(message);
    await camera.send(message);
    return false;
  });
  // What is still on its way would come between the counts of a test.
  const last = sent.at(-1);
  await until('the last of them came', () => digests(viewer.messages.slice(-1))[0] === digests(last ? [last] : [])[0]);
  return sent;
}

function lookTests(make: (folder: string, port: number) => TestBroker | Promise<TestBroker>): void {
  let broker: TestBroker | null = null;
  const running = (): TestBroker => {
    if (broker === null) throw new Error('the broker does not run');
    return broker;
  };

  beforeAll(async () => {
    broker = await make(keptFolder(), await freePort());
    await broker.start();
  });

  afterAll(() => broker?.stop());

  describe.each([1, 2])('with %i at work', (workers) => {
    it('each viewer receives exactly the messages of its own look, in order, and nobody else any', async () => {
      const site = await LookSite.open(running(), workers);
      const [camera, other] = [await site.camera(), await site.camera()];
      const [owner, , member] = camera.camera.signers;
      const one = await site.openLook(site.worker(0), camera, owner);
      const two = await site.openLook(site.lastWorker, camera, member);
      const elsewhere = await site.openLook(site.worker(0), other, other.camera.signers[0]);
      const looks = [one, two, elsewhere];
      expect(looks.map(({ viewer }) => viewer.status)).toEqual([200, 200, 200]);
      const stranger = nodeSuite.ed25519Signer(realRandom.bytes(32));
      for (const signer of [stranger, other.camera.signers[0]]) {
        expect((await site.openLook(site.lastWorker, camera, signer)).viewer.status).toBe(404);
      }
      await until('the orders came', () => camera.orders.length === 2 && other.orders.length === 1);
      expect(camera.orders.map(({ value }) => toHex(value.session))).toEqual(
        [one, two].map(({ session }) => toHex(session)),
      );
      // A renewal reaches the camera through any worker, also one that does not hold the viewer.
      expect(await site.renew(site.lastWorker, camera, owner, one.session)).toBe(202);
      await until('the renewal came', () => camera.orders[2]?.value.renewal === 1);
      expect(toHex(camera.orders[2]?.value.session ?? new Uint8Array(0))).toBe(toHex(one.session));

      const senders = looks.map(({ session }) => new LiveSender(session, 20_000));
      const cameras = [camera, camera, other];
      const sent: Uint8Array[][] = [];
      for (const [i, { viewer }] of looks.entries()) {
        const [from, sender] = [cameras[i], senders[i]];
        if (from !== undefined && sender !== undefined) sent.push(await begin(from, sender, viewer));
      }
      for (let round = 0; round < 30; round++) {
        for (const [i, sender] of senders.entries()) {
          const message = round === 29 ? sender.last() : sender.next();
          sent[i]?.push(message);
          await cameras[i]?.send(message);
        }
      }
      await until('all are over', () => looks.every(({ viewer }) => viewer.isEnded));
      for (const [i, { viewer }] of looks.entries()) {
        const missed = viewer.numbers[0] ?? 0;
        if (running().name !== 'nats') expect(missed).toBe(0);
        expect(digests(viewer.messages)).toEqual(digests(sent[i]?.slice(missed) ?? []));
        expect(viewer.reason?.code).toBe('ended');
      }
    });

    it('a look ends within the interval of the check where the right to it has ended, and no other', async () => {
      const site = await LookSite.open(running(), workers);
      const looks: { camera: LiveCamera; viewer: Viewer; sender: LiveSender }[] = [];
      for (let i = 0; i < 4; i++) {
        const camera = await site.camera();
        const { viewer, session } = await site.openLook(site.lastWorker, camera, camera.camera.signers[2]);
        const sender = new LiveSender(session);
        await begin(camera, sender, viewer);
        looks.push({ camera, viewer, sender });
      }
      const [removed, closed, paused, control] = looks;
      if (removed === undefined || closed === undefined || paused === undefined || control === undefined) return;
      const { claims, reads } = site.worker(0).store;
      const recipients = removed.camera.claim.value.recipients.slice(0, 2);
      const next = removed.camera.camera.claim(2, removed.camera.claim.hash, { recipients });
      await claims.accept(next, removed.camera.camera.accept(next), site.clock.wallMs());
      await claims.close(closed.camera.device, 1, 0);
      const { account } = paused.camera.camera.world;
      await reads.pause({ account, sentence: 'We look into a fault.', sinceMs: site.clock.wallMs() });

      site.clock.forward(CHECK_MS);
      await until('three are over', () => looks.filter(({ viewer }) => viewer.isEnded).length === 3);
      expect(looks.map(({ viewer }) => viewer.reason)).toMatchObject([
        { code: 'not-found' },
        { code: 'not-found' },
        { code: 'reads-paused', message: 'We look into a fault.' },
        null,
      ] as object[]);
      const before = looks.map(({ viewer }) => viewer.messages.length);
      for (const { camera, sender } of looks) await camera.send(sender.next(), sender.next());
      // The control: whose right goes on receives on, after a second check too.
      await until('the fourth goes on', () => control.viewer.messages.length === (before[3] ?? 0) + 2);
      site.clock.forward(CHECK_MS);
      await until('it was checked again', () => control.viewer.keepAlives >= 3);
      expect(control.viewer.isEnded).toBe(false);
      expect(looks.slice(0, 3).map(({ viewer }) => viewer.messages.length)).toEqual(before.slice(0, 3));
    });

    it('a viewer who reads too slowly misses whole units up to a key unit, and nobody else anything', async () => {
      const site = await LookSite.open(running(), workers);
      const [camera, other] = [await site.camera(), await site.camera()];
      const [owner, , member] = camera.camera.signers;
      const { lastWorker: worker } = site;
      const slow = await site.openLook(worker, camera, owner, false);
      const quick = await site.openLook(worker, camera, member);
      const [toSlow, toQuick] = [new LiveSender(slow.session, LARGE_BYTES), new LiveSender(quick.session)];
      const sent = await begin(camera, toQuick, quick.viewer);
      const { counters } = worker.cloud;
      const exchange = async (): Promise<void> => {
        const message = toQuick.next();
        sent.push(message);
        await camera.send(toSlow.next(), message);
      };
      await until(
        'messages for the slow one are dropped',
        async () => {
          await exchange();
          return counters.get('looks.frames-dropped') > 3;
        },
        60_000,
      );
      await other.sendRecord();
      await until('a record of another camera has its receipt', () => other.receipts > 0);
      slow.viewer.read();
      await until(
        'the slow one has caught up and sees on',
        async () => {
          const before = slow.viewer.messages.length;
          await exchange();
          const [first, last] = [slow.viewer.numbers[0] ?? 0, slow.viewer.numbers.at(-1) ?? 0];
          return before > 0 && last - first + 1 > slow.viewer.messages.length;
        },
        60_000,
      );
      const received = slow.viewer.messages.map(decodeLive);
      for (const [i, { n, flags }] of received.entries()) {
        const isAfterHole = i > 0 && n !== (received[i - 1]?.n ?? 0) + 1;
        if (isAfterHole) expect(flags & LIVE_FLAGS.keyUnit).toBe(LIVE_FLAGS.keyUnit);
      }
      await until('the quick one has all of its own', () => quick.viewer.numbers.at(-1) === sent.length - 1);
      expect(quick.viewer.messages).toEqual(sent.slice(quick.viewer.numbers[0] ?? 0));
    });
  });
}

describeWith('mosquitto', 'looks through Mosquitto', () => {
  lookTests(mosquitto);
});

describe('looks through the embedded broker', () => {
  lookTests(embedded);
});

describeWith('nats', 'looks through NATS, three nodes', () => {
  lookTests(natsCluster);

  it('a node that is killed costs live messages, never the look, and no other viewer receives one', async () => {
    const cluster = await natsCluster(keptFolder(), await freePort());
    afterThisTest(() => cluster.stop());
    await cluster.start();
    const site = await LookSite.open(cluster, 2);
    const looks: { camera: LiveCamera; viewer: Viewer; sender: LiveSender; sent: Uint8Array[] }[] = [];
    for (const worker of site.workers) {
      const camera = await site.camera();
      const { viewer, session } = await site.openLook(worker, camera, camera.camera.signers[0]);
      const sender = new LiveSender(session);
      looks.push({ camera, viewer, sender, sent: await begin(camera, sender, viewer) });
    }
    // The first look's camera and worker are connected to it.
    await cluster.killNode(0);
    const before = looks.map(({ viewer }) => viewer.messages.length);
    await until(
      'both go on without it',
      () => {
        for (const { camera, sender, sent } of looks) {
          const message = sender.next();
          sent.push(message);
          // One that waits for a connection leaves when there is one.
          void camera.send(message);
        }
        return looks.every(({ viewer }, i) => viewer.messages.length > (before[i] ?? 0) + 10);
      },
      60_000,
    );
    for (const { viewer, sent } of looks) {
      expect([viewer.isEnded, viewer.reason]).toEqual([false, null]);
      const own = digests(sent);
      const at = digests(viewer.messages).map((digest) => own.indexOf(digest));
      expect(at).not.toContain(-1);
      expect(at).toEqual([...new Set(at)].toSorted((a, b) => a - b));
    }
  });
});
