import { describe, expect, it } from 'vitest';
import type { PastLook } from '../../../../app/core/looks.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import { KEM_CIPHERTEXT_BYTES } from '../../../../protocol/objects/ids.js';
import { LookPage } from '../../../support/worlds/look-page.js';
import { addAnswer, orderBy, refuseLook } from '../../../support/worlds/looking-camera.js';
import { newPerson, SealedCloud, SealingCamera } from '../../../support/worlds/sealing-camera.js';

const owner = newPerson();
const member = newPerson();
const stranger = newPerson();
const ciphertext = new Uint8Array(KEM_CIPHERTEXT_BYTES);

function newCamera(): SealingCamera {
  const camera = new SealingCamera([owner, member]);
  camera.firstMs = Date.UTC(2026, 10, 21, 12);
  return camera;
}

function endLook(camera: SealingCamera, session: Uint8Array, seconds: number): void {
  const lookEnd = { session, framesSent: 3, framesDropped: 0, seconds, reason: 'expired' } as const;
  camera.add({ kind: 'command', command: { source: 'member', action: 'look', result: 'done', lookEnd } });
}

const NAMES = new Map(
  [owner, member, stranger].map(({ signer }, i) => [toHex(signer.publicKey), ['owner', 'member', 'stranger'][i]]),
);

/** What two members’ pages say of a camera's looks, which must be the same. */
async function seen(camera: SealingCamera) {
  const pages = [
    await LookPage.open(owner, new SealedCloud(camera)),
    await LookPage.open(member, new SealedCloud(camera), owner),
  ];
  const [first, second] = pages.map((page) => {
    const { device, epoch } = camera.claim.value;
    const looks = page.session.looks.of(toHex(device), epoch).map(({ by, isOrdered, end, atMs }: PastLook) => {
      const who = by === null ? null : NAMES.get(toHex(by));
      return { who, isOrdered, seconds: end?.seconds ?? null, afterS: (atMs - (camera.firstMs ?? 0)) / 1000 };
    });
    return {
      looks,
      alarms: page.session.view().alarms.map(({ verdict, code, message }) => `${verdict} ${code}: ${message}`),
    };
  });
  expect(second).toEqual(first);
  return first ?? { looks: [], alarms: [] };
}

describe('the looks in a camera’s history', () => {
  it('say who looked and for how long, to every member, the newest first', async () => {
    const camera = newCamera();
    const [a, b, c] = [realRandom.bytes(16), realRandom.bytes(16), realRandom.bytes(16)];
    addAnswer(camera, orderBy(camera, member, { session: a }), ciphertext);
    addAnswer(camera, orderBy(camera, owner, { session: b }), ciphertext);
    addAnswer(camera, orderBy(camera, member, { session: a, kemKey: null, renewal: 1 }), null);
    endLook(camera, a, 71);
    endLook(camera, b, 42);
    addAnswer(camera, orderBy(camera, owner, { session: c }), ciphertext);
    expect(await seen(camera)).toEqual({
      looks: [
        { who: 'owner', isOrdered: true, seconds: null, afterS: 6 },
        { who: 'owner', isOrdered: true, seconds: 42, afterS: 2 },
        { who: 'member', isOrdered: true, seconds: 71, afterS: 1 },
      ],
      alarms: [],
    });
  });

  it('say it once, however often the records come, and in whatever order', async () => {
    const camera = newCamera();
    const session = realRandom.bytes(16);
    addAnswer(camera, orderBy(camera, member, { session }), ciphertext);
    addAnswer(camera, orderBy(camera, member, { session, kemKey: null, renewal: 1 }), null);
    endLook(camera, session, 5);
    const page = await LookPage.open(owner, new SealedCloud(camera));
    await page.refresh();
    await page.refresh();
    const { device, epoch } = camera.claim.value;
    expect(page.session.looks.of(toHex(device), epoch)).toHaveLength(1);
    expect(page.alarms()).toEqual([]);
  });

  it('say that a look was refused to nobody: nobody looked', async () => {
    const camera = newCamera();
    refuseLook(camera, orderBy(camera, member), 'privacy-mode');
    expect(await seen(camera)).toEqual({ looks: [], alarms: [] });
  });

  it('name nobody where the record with the order is not here', async () => {
    const camera = newCamera();
    endLook(camera, realRandom.bytes(16), 9);
    expect((await seen(camera)).looks).toEqual([{ who: null, isOrdered: true, seconds: 9, afterS: 1 }]);
  });
});

describe('a look that no member ordered', () => {
  const WAYS: readonly (readonly [string, (camera: SealingCamera) => Uint8Array])[] = [
    ['a stranger signed the order', (camera) => orderBy(camera, stranger)],
    ['the order was altered', (camera) => orderBy(camera, member).map((byte, i) => (i === 300 ? byte ^ 1 : byte))],
    ['the order is of another camera', () => orderBy(newCamera(), member)],
    ['the order is of another claim', (camera) => orderBy(camera, member, { claimHash: realRandom.bytes(32) })],
    ['there is no order', () => new Uint8Array(3)],
  ];

  it.each(WAYS)('is an alarm for every member, and stands in the list: %s', async (_, orderOf) => {
    const camera = newCamera();
    addAnswer(camera, orderOf(camera), ciphertext);
    const { looks, alarms } = await seen(camera);
    expect(looks).toEqual([{ who: null, isOrdered: false, seconds: null, afterS: 1 }]);
    expect(alarms).toHaveLength(1);
    expect(alarms[0]).toMatch(/^foreign command-refused: record 1: /);
  });

  it('control: ordered by a member, there is no alarm', async () => {
    const camera = newCamera();
    addAnswer(camera, orderBy(camera, member), ciphertext);
    const { looks, alarms } = await seen(camera);
    expect([looks[0]?.who, alarms]).toEqual(['member', []]);
  });

  it('is one too that the camera began twice with one order, or that another person renewed', async () => {
    const camera = newCamera();
    const session = realRandom.bytes(16);
    const order = orderBy(camera, member, { session });
    addAnswer(camera, order, ciphertext);
    addAnswer(camera, order, ciphertext);
    addAnswer(camera, orderBy(camera, owner, { session, kemKey: null, renewal: 1 }), null);
    expect((await seen(camera)).alarms.map((alarm) => alarm.split(': ').slice(1).join(': ')).sort()).toEqual([
      'record 2: an order to look was followed twice',
      'record 3: a look was renewed by another person than ordered it',
    ]);
  });
});
