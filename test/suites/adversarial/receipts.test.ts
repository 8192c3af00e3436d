import { realRandom } from '../../../common/adapters/real-random.js';
import { Counters } from '../../../common/counters.js';
import { silentLog } from '../../../common/log.js';
import type { Outbox } from '../../../agent/outbox/outbox.js';
import { Downlink } from '../../../agent/uplink/downlink.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { AnyClaim } from '../../../protocol/objects/claim.js';
import type { AnyReceipt } from '../../../protocol/objects/receipt.js';
import type { AnyRecord } from '../../../protocol/objects/record.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { encodeDown } from '../../../protocol/transport/messages.js';
import { attacks } from '../../support/attack.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { PeriodWorld } from '../../support/worlds/period-world.js';
import { BOTH_FILES, describeRecords, RestoredCamera } from '../../support/worlds/restored-camera.js';
import { claimed, close, MIB, motion, picture } from '../../support/worlds/outbox-world.js';
import { tempFolder } from '../../support/runner/temp.js';
import { storeOf } from '../../support/outbox-store.js';

interface Camera {
  readonly world: CameraWorld;
  readonly outbox: Outbox;
  readonly claim: Verified<AnyClaim>;
  /** Seq 0 is the accept. */
  readonly records: readonly Verified<AnyRecord>[];
}

type Make = (camera: Camera) => readonly (Uint8Array | Verified<AnyReceipt>)[];

function hashOf(records: Camera['records'], seq: number): Uint8Array {
  const found = records.find(({ value }) => value.seq === seq);
  if (found === undefined) throw new Error(`no record ${String(seq)}`);
  return found.hash;
}

/** Gives receipts to a camera with an accept and two events with pictures waiting. Returns what it keeps. */
function after(make: Make): string {
  const world = new CameraWorld();
  const opened = claimed(world, tempFolder());
  const { outbox } = opened;
  const claim = outbox.currentClaim();
  if (claim === null) throw new Error('unclaimed');
  const records = [10, 20].map((atMs) => motion(world, outbox, atMs, [picture(5000)]));
  const counters = new Counters();
  const nothing = (): void => undefined;
  const downlink = new Downlink({
    suite: nodeSuite,
    outbox,
    counters,
    log: silentLog,
    now: () => world.time(100),
    onReceipt: nothing,
    onClaim: nothing,
    onOfferRequest: nothing,
    onCommand: nothing,
  });
  for (const receipt of make({ world, outbox, claim, records })) {
    const bytes = receipt instanceof Uint8Array ? receipt : receipt.bytes;
    downlink.handleMessage(encodeDown({ type: 'receipt', receipt: bytes }));
  }
  const refused = Object.keys(counters.snapshot()).filter((name) => name !== 'receipts');
  const { queued } = outbox.totals();
  close(opened);
  return `${String(queued)} of 3 kept${refused.length === 0 ? '' : ` (${refused.join(', ')})`}`;
}

const DAY_MS = 24 * 60 * 60_000;

const good: Make = ({ world, claim, records }) => [world.receipt(claim, [[0, 2, hashOf(records, 2)]])];
const honest = {
  name: 'a receipt with the hash of its own record',
  expected: '0 of 3 kept',
  observed: () => after(good),
};

function flipped(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice();
  out[out.length - 1] = (out.at(-1) ?? 0) ^ 1;
  return out;
}

/** Gives a receipt to a camera that began a new epoch. The tombstone of the old epoch waits for its own receipt. */
function replayed(which: 'old' | 'new'): string {
  const world = new CameraWorld();
  const { outbox, ...opened } = claimed(world, tempFolder());
  const first = outbox.currentClaim();
  if (first === null) throw new Error('unclaimed');
  const receipt = world.receipt(first, [[0, 1, motion(world, outbox, 1).hash]]);
  outbox.applyReceipt(receipt, world.time(0));
  const second = world.claim(2, first.hash);
  outbox.beginEpoch(second, world.time(2));
  const records = [3, 4, 5].map((atMs) => motion(world, outbox, atMs));
  const before = outbox.queued().records;
  outbox.applyReceipt(which === 'old' ? receipt : world.receipt(second, [[0, 3, hashOf(records, 3)]]), world.time(0));
  const kept = outbox.queued().records;
  close({ outbox, ...opened });
  return `${String(kept)} of ${String(before)} kept`;
}

/** Rejects the camera's own records, with the key of its cloud. Returns how many the camera quarantines. */
function quarantined(count: number): string {
  const world = new CameraWorld();
  const opened = claimed(world, tempFolder(), 4 * MIB);
  const claim = opened.outbox.currentClaim();
  if (claim === null) throw new Error('unclaimed');
  for (let i = 0; i < count; i++) {
    const { hash, value } = motion(world, opened.outbox, i);
    opened.outbox.applyReceipt(world.receipt(claim, [], { rejects: [[value.seq, hash, 'malformed']] }), world.time(0));
  }
  const kept = storeOf(opened.outbox).queries.quarantineSize.get()?.records ?? 0;
  close(opened);
  return `${String(kept)} kept`;
}

/** A camera restored from an old image whose cloud has other records for seq 2 and 3; its own record 2 waits. */
function restored(act: (camera: RestoredCamera, own: Verified<AnyRecord>) => void): string {
  const camera = new RestoredCamera(BOTH_FILES);
  act(camera, camera.motion());
  camera.motion();
  const signed = describeRecords(camera.records(3));
  const counted = Object.keys(camera.counters.snapshot()).filter((name) => name !== 'receipts');
  camera.close();
  return `${signed}${counted.length === 0 ? '' : `; ${counted.join(', ')}`}`;
}

const MOVED = 'gap 4 (state-lost 3 to 3), motion 5; receipts.moved';
const reject = {
  name: 'the reject of its own record, with the head of the cloud',
  expected: MOVED,
  observed: () =>
    restored((camera, own) => {
      camera.give(camera.reject(own, 3));
    }),
};

/** Rejects two records of a camera, the second one after `between`. */
function rejectedTwice(between: (camera: RestoredCamera) => void): string {
  return restored((camera, own) => {
    camera.give(camera.reject(own, 3));
    between(camera);
    camera.give(camera.reject(camera.motion(), 100));
  });
}

const aDayLater = {
  name: 'after the camera has run for a day',
  expected: 'gap 4 (state-lost 3 to 3), gap 101 (state-lost 6 to 100), motion 102; receipts.moved',
  observed: () =>
    rejectedTwice((camera) => {
      // Without network time the age limit, an hour here, drops nothing.
      camera.time = camera.world.time(1000 + DAY_MS, null);
    }),
};
const STAYED = 'gap 4 (state-lost 3 to 3), motion 6; receipts.ahead, receipts.moved';

/** Returns what a camera names after the gap that named three failures was answered. */
function namedAfter(answer: 'rejected' | 'receipted'): string {
  const camera = new RestoredCamera([]);
  camera.outbox.countLoss('failed', 3);
  const gap = camera.outbox.flushLosses(camera.time);
  if (gap === null) throw new Error('no gap');
  const { seq } = gap.value;
  if (answer === 'rejected') camera.give(camera.reject(gap, 3));
  else camera.give(camera.world.receipt(camera.claim, [[seq, seq, gap.hash]]));
  const next = camera.outbox.flushLosses(camera.time);
  const named = next === null ? 'nothing' : describeRecords([next.value]);
  camera.close();
  return named;
}

/** A cloud that rejects a key record whose pictures wait, or the record of a picture. */
async function keyRejected(which: 'key' | 'picture' | 'key, without periods'): Promise<string> {
  const world = new PeriodWorld();
  await world.start();
  for (let i = 0; i < 3; i++) await world.event();
  if (which === 'key, without periods') world.forgetPeriods();
  const record = world.records().find(({ value }) => value.kind === (which === 'picture' ? 'motion' : 'key'));
  if (record === undefined) throw new Error('no such record');
  const rejects = [[record.value.seq, record.hash, 'malformed']] as const;
  world.outbox.applyReceipt(world.camera.receipt(world.claim, [], { rejects }), world.time());
  const waiting = world.queuedPictures();
  return `${String(waiting)} pictures wait, ${String(world.unopenable().length)} of them nobody can open`;
}

attacks('receipts', 'At the camera: receipts', [
  {
    name: 'a reject of the key record of a period, whose pictures wait',
    expected: '3 pictures wait, 0 of them nobody can open',
    observed: () => keyRejected('key'),
    control: {
      name: 'an outbox that knows no periods',
      expected: '3 pictures wait, 3 of them nobody can open',
      observed: () => keyRejected('key, without periods'),
    },
  },
  {
    name: 'a receipt of a fork: the right range with the hash of other records',
    expected: '3 of 3 kept (receipts.other-history)',
    observed: () => after(({ world, claim }) => [world.receipt(claim, [[0, 2, realRandom.bytes(32)]])]),
    control: honest,
  },
  {
    name: 'a forged receipt, signed by a key that the claim does not name',
    expected: '3 of 3 kept (down.foreign)',
    observed: () =>
      after(({ world, claim, records }) => {
        const thief = Object.assign(new CameraWorld(), { deviceId: world.deviceId });
        return [thief.receipt(claim, [[0, 2, hashOf(records, 2)]])];
      }),
    control: honest,
  },
  {
    name: 'a forged receipt with one bit of its signature flipped',
    expected: '3 of 3 kept (down.bad-signature)',
    observed: () => after((camera) => good(camera).map((made) => flipped((made as Verified<AnyReceipt>).bytes))),
    control: honest,
  },
  {
    name: 'a replayed receipt of the previous epoch',
    expected: '5 of 5 kept',
    observed: () => replayed('old'),
    control: { name: 'a receipt of the present epoch', expected: '1 of 5 kept', observed: () => replayed('new') },
  },
  {
    name: "a receipt of another camera, signed by the cloud's own key",
    expected: '3 of 3 kept (down.foreign)',
    observed: () =>
      after(({ world, claim, records }) => {
        return [new CameraWorld({ cloud: world.cloud }).receipt(claim, [[0, 2, hashOf(records, 2)]])];
      }),
    control: honest,
  },
  {
    name: '100 rejects, to fill the quarantine of the camera',
    expected: '64 kept',
    observed: () => quarantined(100),
    control: { name: '10 rejects', expected: '10 kept', observed: () => quarantined(10) },
  },
  {
    name: 'a receipt of 9,000,000 records that the camera never made',
    expected: 'motion 3; receipts.ahead',
    observed: () =>
      restored((camera) => {
        camera.give(camera.world.receipt(camera.claim, [[0, 9_000_000, realRandom.bytes(32)]]));
      }),
    control: reject,
  },
  {
    name: 'a reject of its own record with a head of 2^53 − 1, to use up its seqs',
    expected: 'gap 1048579 (state-lost 3 to 1048578), motion 1048580; receipts.ahead, receipts.moved',
    observed: () =>
      restored((camera, own) => {
        camera.give(camera.reject(own, Number.MAX_SAFE_INTEGER));
      }),
    control: reject,
  },
  {
    name: 'a second reject within a day',
    expected: STAYED,
    observed: () => rejectedTwice(() => undefined),
    control: aDayLater,
  },
  {
    name: 'a second reject after a restart, with the wall clock set a year ahead',
    expected: STAYED,
    observed: () =>
      rejectedTwice((camera) => {
        camera.restart();
        camera.time = {
          ...camera.world.time(2000, Date.UTC(2027, 10, 21)),
          quality: 'rtc',
          boot: realRandom.bytes(16),
        };
      }),
    control: aDayLater,
  },
  {
    name: 'a receipt ahead and a reject, signed by a key that the claim does not name',
    expected: 'motion 3; down.foreign',
    observed: () =>
      restored((camera, own) => {
        const thief = Object.assign(new CameraWorld(), { deviceId: camera.world.deviceId });
        const rejects = [[own.value.seq, own.hash, 'equivocation']] as const;
        camera.give(thief.receipt(camera.claim, [[3, 3, realRandom.bytes(32)]], { rejects }));
      }),
    control: reject,
  },
  {
    name: 'a receipt ahead with the reject of a record that is not its own',
    expected: 'motion 3; receipts.ahead',
    observed: () =>
      restored((camera, own) => {
        camera.give(camera.reject({ ...own, hash: realRandom.bytes(32) }, 3));
      }),
    control: reject,
  },
  {
    name: 'a receipt ahead with its own record rejected as malformed',
    expected: 'motion 3; receipts.ahead',
    observed: () =>
      restored((camera, own) => {
        const rejects = [[own.value.seq, own.hash, 'malformed']] as const;
        camera.give(camera.world.receipt(camera.claim, [[3, 3, realRandom.bytes(32)]], { rejects }));
      }),
    control: reject,
  },
  {
    name: 'a reject of the gap that names three failures',
    expected: 'gap 6 (failed 3, quarantined 4 to 4)',
    observed: () => namedAfter('rejected'),
    control: { name: 'a receipt of it', expected: 'nothing', observed: () => namedAfter('receipted') },
  },
]);
