import { chmodSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import { Counters } from '../../../../common/counters.js';
import { silentLog } from '../../../../common/log.js';
import { Ingest } from '../../../../cloud/ingest/ingest.js';
import {
  byPreference,
  loadReceiptKeys,
  rotateReceiptKeys,
  type ReceiptKeys,
} from '../../../../cloud/trust/receipt-keys.js';
import { openSqliteStore } from '../../../../cloud/store/sqlite/sqlite-store.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { checkReceiptAgainstClaim, receiptKind, type Receipt } from '../../../../protocol/objects/receipt.js';
import { openSigned, type Verified } from '../../../../protocol/objects/signed-object.js';
import { decodeDown, encodeUp } from '../../../../protocol/transport/messages.js';
import { topicOf } from '../../../../protocol/transport/topics.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { codeOf } from '../../../support/codes.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';

const load = (folder: string): ReceiptKeys => loadReceiptKeys(folder, nodeSuite, realRandom);
const rotate = (folder: string, onStep?: (step: string) => void): ReceiptKeys =>
  rotateReceiptKeys(folder, nodeSuite, realRandom, onStep);

function names({ current, successor, retired }: ReceiptKeys): string[] {
  return [successor, current, ...retired].map(({ signer }) => toHex(signer.publicKey));
}

describe('receipt keys on disk', () => {
  it('are created once and stay the same', () => {
    const folder = tempFolder();
    const first = load(folder);
    expect(names(load(folder))).toEqual(names(first));
    expect([first.current.number, first.successor.number, first.retired]).toEqual([1, 2, []]);
    for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
  });

  it('rotate: the successor becomes current, the old key is kept, and a new successor is created', () => {
    const folder = tempFolder();
    const before = names(load(folder));
    const once = names(rotate(folder));
    expect(once.slice(1)).toEqual(before);
    const twice = names(rotate(folder));
    expect(twice.slice(1)).toEqual(once);
    expect(names(load(folder))).toEqual(twice);
    expect(new Set(twice).size).toBe(4);
    for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
  });

  it('are the old set or the new set after a power cut at any step, and can then be rotated', () => {
    const steps: string[] = [];
    rotate(tempFolder(), (step) => steps.push(step));
    expect(steps).toEqual(['loaded', 'written', 'seed linked', 'written', 'state renamed']);
    for (const cut of steps.keys()) {
      const folder = tempFolder();
      const before = names(load(folder));
      let at = 0;
      const powerCut = (): void => {
        if (at++ === cut) throw new Error('power cut');
      };
      expect(() => rotate(folder, powerCut)).toThrow('power cut');
      const after = names(load(folder));
      const isNew = cut === steps.length - 1;
      expect(isNew ? after.slice(1) : after).toEqual(before);
      expect(names(rotate(folder)).slice(1)).toEqual(after);
    }
  });

  it('are not created again where one is missing, and are refused if other users could read them', () => {
    const loadAfter = (damage: (folder: string) => void): string => {
      const folder = tempFolder();
      load(folder);
      rotate(folder);
      damage(folder);
      return codeOf(() => load(folder));
    };
    expect(loadAfter(() => undefined)).toBe('accepted');
    for (const name of ['receipt-2.seed', 'receipt-3.seed']) {
      expect(loadAfter((folder) => rmSync(join(folder, name)))).toBe('key-file-invalid');
    }
    expect(loadAfter((folder) => chmodSync(join(folder, 'receipt-2.seed'), 0o640))).toBe('key-file-invalid');
    expect(loadAfter((folder) => writeFileSync(join(folder, 'receipt-1.seed'), 'short'))).toBe('key-file-invalid');
    expect(loadAfter((folder) => writeFileSync(join(folder, 'receipt-keys.json'), '{"current":0}'))).toBe(
      'key-file-invalid',
    );
    const linked = (folder: string): void => {
      const path = join(folder, 'receipt-2.seed');
      const elsewhere = join(folder, 'elsewhere');
      writeFileSync(elsewhere, readFileSync(path), { mode: 0o600 });
      rmSync(path);
      symlinkSync(elsewhere, path);
    };
    expect(loadAfter(linked)).toBe('key-file-invalid');
    expect(loadAfter((folder) => rmSync(join(folder, 'receipt-1.seed')))).toBe('accepted');
  });
});

describe('a receipt', () => {
  /** Returns the signers of the receipts that a cloud with `keys` sends to a camera whose claim names `receiptKeys`. */
  async function receiptFor(keys: ReceiptKeys, receiptKeys: readonly Uint8Array[], counters = new Counters()) {
    const world = new CameraWorld();
    const claim = world.claim(1, null, { receiptKeys: [...receiptKeys] });
    const accept = world.record(claim, 0, claim.hash, { kind: 'accept' });
    const receipts: Verified<Receipt>[] = [];
    const [current, ...others] = byPreference(keys).map(({ signer }) => signer);
    if (current === undefined) throw new Error('no key');
    const ingest = new Ingest({
      store: openSqliteStore(join(tempFolder(), 'cloud.db')),
      suite: nodeSuite,
      clock: new VirtualClock(),
      receiptSigner: current,
      otherReceiptSigners: others,
      counters,
      log: silentLog,
      pacing: () => null,
      onStored: () => undefined,
      onStatus: () => undefined,
      publish: (_, payload) => {
        const message = decodeDown(payload);
        if (message.type === 'receipt') receipts.push(openSigned(receiptKind, nodeSuite, message.receipt));
      },
    });
    const topic = topicOf(world.deviceId, 'up');
    await ingest.handleMessage(topic, encodeUp({ type: 'accept', claim: claim.bytes, record: accept.bytes }));
    const next = world.record(claim, 1, accept.hash, { kind: 'scene', scene: { class: 'stall' } });
    await ingest.handleMessage(topic, encodeUp({ type: 'records', records: [{ record: next.bytes, media: [] }] }));
    for (const receipt of receipts) checkReceiptAgainstClaim(receipt, claim);
    return receipts.map(({ kid }) => toHex(kid));
  }

  it('is signed with the newest key that the claim names, and its camera accepts it', async () => {
    const folder = tempFolder();
    load(folder);
    for (let i = 0; i < 3; i++) rotate(folder);
    const keys = load(folder);
    const ofNumber = new Map(
      [keys.current, keys.successor, ...keys.retired].map((key) => [key.number, key.signer.publicKey]),
    );
    const [one, two, three, four, five] = [1, 2, 3, 4, 5].map((number) => ofNumber.get(number) ?? new Uint8Array(0));
    if (!one || !two || !three || !four || !five) throw new Error('five keys');
    for (const [named, signed] of [
      [[one, two], two],
      [[two, three], three],
      [[three, four], four],
      // The successor only where the claim names no other key of this worker.
      [[four, five], four],
      [[five], five],
    ] as const) {
      expect(await receiptFor(keys, named)).toEqual([toHex(signed), toHex(signed)]);
    }
  });

  it('is not sent if the claim names none of our keys', async () => {
    const counters = new Counters();
    expect(await receiptFor(load(tempFolder()), [new CameraWorld().cloud.publicKey], counters)).toEqual([]);
    expect(counters.get('receipts.no-key')).toBe(2);
  });
});
