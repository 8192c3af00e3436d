import { chmodSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import nacl from 'tweetnacl';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toBase64, toHex } from '../../../common/bytes.js';
import { ConsoleLock } from '../../../agent/console/lock.js';
import { FileKeyStore } from '../../../hal/linux/key-store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { signObject } from '../../../protocol/objects/signed-object.js';
import { unlockKind } from '../../../protocol/objects/unlock.js';
import { attacks } from '../../support/attack.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { CloudWorld, scene } from '../../support/worlds/cloud-world.js';
import { codeOf } from '../../support/codes.js';
import { claimed, close, motion, open } from '../../support/worlds/outbox-world.js';
import { VirtualClock } from '../../support/runner/virtual-clock.js';
import { tempFolder } from '../../support/runner/temp.js';

const uid = process.getuid?.() ?? 0;
const secrets = (): { seed: Uint8Array; claimSecret: Uint8Array } => ({
  seed: realRandom.bytes(32),
  claimSecret: realRandom.bytes(16),
});

/** Starts with a key folder whose seed file was tampered with. Returns the error code. */
function start(tamper: (path: string) => void, user = uid): string {
  const folder = tempFolder();
  new FileKeyStore(folder, uid).load(secrets);
  tamper(join(folder, 'device.seed'));
  return codeOf(() => new FileKeyStore(folder, user).load(secrets));
}

const untouched = { name: 'the file as it was made', expected: 'accepted', observed: () => start(() => undefined) };

/**
 * Why 64-byte keys are refused: tweetnacl trusts the public half in its 64-byte key. Two signatures of one message with
 * different public halves have the same R and two S, and S1 − S2 = (h1 − h2)·a reveals the scalar a.
 */
function sharesR(isAltered: boolean): string {
  const { secretKey } = nacl.sign.keyPair.fromSeed(realRandom.bytes(32));
  const altered = secretKey.slice();
  if (isAltered) altered[63] = (altered[63] ?? 0) ^ 1;
  const message = Uint8Array.of(1);
  const a = nacl.sign.detached(message, secretKey);
  const b = nacl.sign.detached(message, altered);
  const r1 = toHex(a.slice(0, 32));
  const r2 = toHex(b.slice(0, 32));
  return r1 === r2 && toHex(a) !== toHex(b) ? 'one R, two S: the scalar leaks' : 'one signature';
}

/** Shows a nonce, lets time pass, and unlocks the console with the token that was made for the nonce. */
function unlockAfter(minutes: number, { uses = 1, wrong = 0 } = {}): string {
  const clock = new VirtualClock();
  const device = realRandom.bytes(32);
  const maker = nodeSuite.ed25519Signer(realRandom.bytes(32));
  const common = { suite: nodeSuite, random: realRandom, clock, device };
  const lock = new ConsoleLock({ ...common, qaKeys: [maker.publicKey] });
  const { nonce } = lock.challenge();
  const token = signObject(unlockKind, nodeSuite, maker, { device, nonce, scope: ['reset'], lifetimeS: 60 });
  clock.advance(minutes * 60_000);
  for (let i = 0; i < wrong; i++) codeOf(() => lock.unlock('AAAA'));
  // Longer than wrong tokens make anyone wait here.
  clock.advance(wrong * 2000);
  return Array.from({ length: uses }, () => codeOf(() => lock.unlock(toBase64(token.bytes)))).at(-1) ?? '';
}

const YEARS_MS = 10 * 365.25 * 86_400_000;

/**
 * Moves a camera's wall clock, as anyone who answers for its time server can. Returns what still waits, and the cloud's
 * verdict.
 */
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

/** Ages the outbox by as much, but by the monotonic clock, which nobody can set. */
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
  name: 'the right time',
  expected: '3 wait, 0 lost; stored and receipted',
  observed: () => clockSet(0),
};

attacks('camera', 'On the camera: key files and clock', [
  {
    name: 'a key file of 64 bytes',
    expected: 'key-file-invalid',
    observed: () =>
      start((path) => {
        writeFileSync(path, realRandom.bytes(64));
      }),
    control: untouched,
  },
  {
    name: 'what it would do: a 64-byte key with an altered public half, in tweetnacl',
    expected: 'one R, two S: the scalar leaks',
    observed: () => sharesR(true),
    control: { name: 'unaltered', expected: 'one signature', observed: () => sharesR(false) },
  },
  {
    name: 'the key file is a symbolic link',
    expected: 'key-file-invalid',
    observed: () =>
      start((path) => {
        renameSync(path, `${path}.real`);
        symlinkSync(`${path}.real`, path);
      }),
    control: untouched,
  },
  {
    name: 'the key file has mode 0644',
    expected: 'key-file-invalid',
    observed: () =>
      start((path) => {
        chmodSync(path, 0o644);
      }),
    control: untouched,
  },
  {
    name: 'the key file belongs to another user',
    expected: 'key-file-invalid',
    observed: () => start(() => undefined, uid + 1),
    control: untouched,
  },
  {
    name: 'the wall clock 10 years ahead',
    expected: '3 wait, 0 lost; stored and receipted',
    observed: () => clockSet(YEARS_MS),
    control: inTime,
  },
  {
    name: 'the wall clock 10 years back',
    expected: '3 wait, 0 lost; stored and receipted',
    observed: () => clockSet(-YEARS_MS),
    control: {
      name: 'ten years by the monotonic clock',
      // The accept is never dropped before its receipt.
      expected: '2 wait, 1 lost',
      observed: () => aged(YEARS_MS),
    },
  },
  {
    name: 'a token for the debug console that was made and not used, ten minutes after its nonce was shown',
    expected: 'unlock-refused',
    observed: () => unlockAfter(10),
    control: { name: 'after nine minutes', expected: 'accepted', observed: () => unlockAfter(9) },
  },
  {
    name: 'a token for the debug console, sent a second time',
    expected: 'unlock-refused',
    observed: () => unlockAfter(1, { uses: 2 }),
    control: { name: 'the first time', expected: 'accepted', observed: () => unlockAfter(1) },
  },
  {
    name: 'a token for a nonce at which somebody guessed three times',
    expected: 'unlock-refused',
    observed: () => unlockAfter(1, { wrong: 3 }),
    control: { name: 'twice', expected: 'accepted', observed: () => unlockAfter(1, { wrong: 2 }) },
  },
]);
