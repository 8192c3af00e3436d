import { chmodSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import nacl from 'tweetnacl';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toHex } from '../../../common/bytes.js';
import { FileKeyStore } from '../../../hal/linux/key-store.js';
import { attacks } from '../../support/attack.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { CloudWorld, scene } from '../../support/worlds/cloud-world.js';
import { codeOf } from '../../support/codes.js';
import { claimed, close, motion, open } from '../../support/worlds/outbox-world.js';
import { tempFolder } from '../../support/runner/temp.js';

const uid = process.getuid?.() ?? 0;
const secrets = (): { seed: Uint8Array; claimSecret: Uint8Array } => ({
  seed: realRandom.bytes(32),
  claimSecret: realRandom.bytes(16),
});

/** What a start says of a key folder after something was done to the seed's file. */
function start(spoil: (path: string) => void, user = uid): string {
  const folder = tempFolder();
  new FileKeyStore(folder, uid).load(secrets);
  spoil(join(folder, 'device.seed'));
  return codeOf(() => new FileKeyStore(folder, user).load(secrets));
}

const asItWas = { says: 'the file as it was made', expected: 'accepted', observed: () => start(() => undefined) };

/**
 * Why 64 bytes are refused: tweetnacl believes the public half that stands in its 64-byte key. Signed with two public
 * halves, one message has one R and two S, and S1 − S2 = (h1 − h2)·a gives the scalar away.
 */
function sharesR(isAltered: boolean): string {
  const { secretKey } = nacl.sign.keyPair.fromSeed(realRandom.bytes(32));
  const altered = secretKey.slice();
  if (isAltered) altered[63] = (altered[63] ?? 0) ^ 1;
  const message = Uint8Array.of(1);
  const [a, b] = [nacl.sign.detached(message, secretKey), nacl.sign.detached(message, altered)];
  const [r1, r2] = [toHex(a.slice(0, 32)), toHex(b.slice(0, 32))];
  return r1 === r2 && toHex(a) !== toHex(b) ? 'one R, two S: the scalar leaks' : 'one signature';
}

const YEARS_MS = 10 * 365.25 * 86_400_000;

/** A camera whose wall clock is set by this much, by whoever speaks for its time server: what waits, and what the cloud says. */
async function clockSet(byMs: number): Promise<string> {
  const cloud = new CloudWorld();
  const world = cloud.camera();
  const { claim, accept } = await cloud.claimed(world);
  const folder = tempFolder();
  const opened = open(world, folder);
  opened.outbox.beginEpoch(claim, world.time(0));
  motion(world, opened.outbox, 10);
  const now = world.time(20, Date.UTC(2026, 10, 21) + 20 + byMs);
  opened.outbox.append({ kind: 'scene', time: now, scene: { class: 'clock-jump' } });
  const { queued, lost } = opened.outbox.totals();
  close(opened);
  const record = world.record(claim, 1, accept.hash, { ...scene(world, claim, 1, accept.hash).value, time: now });
  await cloud.records(world, [record]);
  const stored = cloud.stored.length === 1 && cloud.receipts().length === 1 ? 'stored and receipted' : 'refused';
  return `${String(queued)} wait, ${String(lost)} lost; ${stored}`;
}

/** The same age of the queue, but by the clock that nobody can set. */
function aged(ms: number): string {
  const world = new CameraWorld();
  const opened = claimed(world, tempFolder());
  motion(world, opened.outbox, 10);
  motion(world, opened.outbox, ms);
  const { queued, lost } = opened.outbox.totals();
  close(opened);
  return `${String(queued)} wait, ${String(lost)} lost`;
}

const inTime = {
  says: 'the clock right',
  expected: '3 wait, 0 lost; stored and receipted',
  observed: () => clockSet(0),
};

attacks('camera', 'On the camera: key files and clock', [
  {
    name: 'a 64-byte key file',
    expected: 'key-file-invalid',
    observed: () =>
      start((path) => {
        writeFileSync(path, realRandom.bytes(64));
      }),
    control: asItWas,
  },
  {
    name: 'what it would do: a 64-byte key with an altered public half, in the library',
    expected: 'one R, two S: the scalar leaks',
    observed: () => sharesR(true),
    control: { says: 'unaltered', expected: 'one signature', observed: () => sharesR(false) },
  },
  {
    name: 'key file is a symlink',
    expected: 'key-file-invalid',
    observed: () =>
      start((path) => {
        renameSync(path, `${path}.real`);
        symlinkSync(`${path}.real`, path);
      }),
    control: asItWas,
  },
  {
    name: 'key file 0644',
    expected: 'key-file-invalid',
    observed: () =>
      start((path) => {
        chmodSync(path, 0o644);
      }),
    control: asItWas,
  },
  {
    name: 'key file of another owner',
    expected: 'key-file-invalid',
    observed: () => start(() => undefined, uid + 1),
    control: asItWas,
  },
  {
    name: 'clock + 10 years',
    expected: '3 wait, 0 lost; stored and receipted',
    observed: () => clockSet(YEARS_MS),
    control: inTime,
  },
  {
    name: 'clock − 10 years',
    expected: '3 wait, 0 lost; stored and receipted',
    observed: () => clockSet(-YEARS_MS),
    control: {
      says: 'ten years by the monotonic clock',
      // The accept stays until its receipt.
      expected: '2 wait, 1 lost',
      observed: () => aged(YEARS_MS),
    },
  },
]);
