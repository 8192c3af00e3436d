import { realRandom } from '../../../common/adapters/real-random.js';
import { Counters } from '../../../common/counters.js';
import { silentLog } from '../../../common/log.js';
import type { Outbox } from '../../../agent/outbox/outbox.js';
import { Downlink } from '../../../agent/uplink/downlink.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Claim } from '../../../protocol/objects/claim.js';
import type { Receipt } from '../../../protocol/objects/receipt.js';
import type { SealcamRecord } from '../../../protocol/objects/record.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { encodeDown } from '../../../protocol/transport/messages.js';
import { attacks } from '../../support/attack.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { claimed, close, MIB, motion, picture } from '../../support/worlds/outbox-world.js';
import { tempFolder } from '../../support/runner/temp.js';
import { storeOf } from '../../support/outbox-store.js';

interface Camera {
  readonly world: CameraWorld;
  readonly outbox: Outbox;
  readonly claim: Verified<Claim>;
  /** Seq 0 is the accept. */
  readonly records: readonly Verified<SealcamRecord>[];
}

type Make = (camera: Camera) => readonly (Uint8Array | Verified<Receipt>)[];

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
  outbox.applyReceipt(receipt);
  const second = world.claim(2, first.hash);
  outbox.beginEpoch(second, world.time(2));
  const records = [3, 4, 5].map((atMs) => motion(world, outbox, atMs));
  const before = outbox.queued().records;
  outbox.applyReceipt(which === 'old' ? receipt : world.receipt(second, [[0, 3, hashOf(records, 3)]]));
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
    opened.outbox.applyReceipt(world.receipt(claim, [], { rejects: [[value.seq, hash, 'malformed']] }));
  }
  const kept = storeOf(opened.outbox).queries.quarantineSize.get()?.records ?? 0;
  close(opened);
  return `${String(kept)} kept`;
}

attacks('receipts', 'At the camera: receipts', [
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
    observed: () => after((camera) => good(camera).map((made) => flipped((made as Verified<Receipt>).bytes))),
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
]);
