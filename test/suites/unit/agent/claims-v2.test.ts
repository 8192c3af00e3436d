import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { SealcamError } from '../../../../common/errors.js';
import { silentLog } from '../../../../common/log.js';
import { Downlink } from '../../../../agent/uplink/downlink.js';
import { versionsOf } from '../../../../agent/uplink/mqtt-answers.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { xwingKeys } from '../../../../protocol/crypto/xwing.js';
import { claimMac } from '../../../../protocol/objects/claim.js';
import { kemHash } from '../../../../protocol/objects/kem-keys.js';
import { anyRecordKind } from '../../../../protocol/objects/record.js';
import { openSigned, versionOf } from '../../../../protocol/objects/signed-object.js';
import type { WrapKey } from '../../../../protocol/seal/key-record.js';
import { encodeDown } from '../../../../protocol/transport/messages.js';
import { formatVersions, parseVersions, VERSIONS_PROPERTY } from '../../../../protocol/transport/versions.js';
import { keeperOf, secret } from '../../../support/worlds/ownership-world.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { letPromisesRun, wrapHere } from '../../../support/worlds/period-world.js';

describe('an offer', () => {
  it('is made in version 2 too, but only where the cloud of this connection announced it', () => {
    const { keeper, offers, world } = keeperOf(1);
    world.version = 2;
    keeper.greeted();
    world.version = 1;
    keeper.greeted();
    expect(offers.map((versions) => versions.map(versionOf))).toEqual([[1], [1, 2], [1]]);
    // The same offer: the nonce of an open window does not change.
    expect(new Set(offers.flat().map(({ nonce }) => nonce.toString())).size).toBe(1);
  });

  it('that was made in both versions admits one claim, of either', async () => {
    for (const version of [1, 2]) {
      const { camera, give, nonce } = keeperOf(2);
      const one = camera.claim(1, null, { nonce: nonce() });
      const two = camera.claimV2(1, null, { nonce: nonce() });
      const [first, second] = version === 1 ? [one, two] : [two, one];
      expect(await give(first, camera.kemKeys)).toBe('accepted');
      expect(await give(second, camera.kemKeys)).toBe(version === 1 ? 'claim.claim-refused' : 'claim.claim-downgrade');
    }
  });

  it('is of version 2 alone after a claim of version 2, until the ownership ends', async () => {
    const { camera, give, nonce, keeper, offers } = keeperOf(2);
    const versions = (): number[] | undefined => offers.at(-1)?.map(versionOf);
    await give(camera.claim(1, null, { nonce: nonce() }));
    keeper.offerToOwner();
    expect(versions()).toEqual([1, 2]);
    const { lastClaimHash } = keeper.facts();
    await give(camera.claimV2(2, lastClaimHash, { nonce: nonce() }), camera.kemKeys);
    keeper.offerToOwner();
    expect(versions()).toEqual([2]);
    keeper.end('release');
    keeper.openWindow();
    expect(versions()).toEqual([1, 2]);
  });

  it('waits on a new connection until the cloud said what it takes, or did not for five seconds', () => {
    const { keeper, offers, world, clock } = keeperOf(1);
    const made = offers.length;
    const since = (): number[][] => offers.slice(made).map((versions) => versions.map(versionOf));
    keeper.connected();
    clock.advance(4999);
    expect(since()).toEqual([]);
    world.version = 2;
    keeper.greeted();
    clock.advance(60_000);
    expect(since()).toEqual([[1, 2]]);
    // It said so in the CONNACK.
    keeper.connected();
    expect(since()).toEqual([
      [1, 2],
      [1, 2],
    ]);
    // A cloud of version 0.1.
    world.version = 1;
    keeper.connected();
    clock.advance(5000);
    expect(since()).toEqual([[1, 2], [1, 2], [1]]);
    keeper.connected();
    keeper.stop();
    clock.advance(60_000);
    expect(since()).toHaveLength(3);
  });

  it('that was never of version 2 admits no claim of version 2', async () => {
    const { camera, give, nonce, keeper, world } = keeperOf(1);
    const claim = camera.claimV2(1, null, { nonce: nonce() });
    expect(await give(claim, camera.kemKeys)).toBe('claim.claim-refused');
    // The control: the same claim, once it was offered.
    world.version = 2;
    keeper.greeted();
    expect(await give(claim, camera.kemKeys)).toBe('accepted');
  });
});

describe('a claim of version 2', () => {
  it('is accepted with its KEM keys, each tried, and all of its epoch is of version 2', async () => {
    const { camera, give, nonce, outbox, world } = keeperOf(2);
    expect(await give(camera.claimV2(1, null, { nonce: nonce() }), camera.kemKeys)).toBe('accepted');
    expect(world.wraps).toBe(1);
    expect(outbox.storedClaim('open')?.kemKeys).toEqual(camera.kemKeys);
    const [accept] = outbox.read({ epoch: 0, seq: -1 }, 1);
    expect(openSigned(anyRecordKind, nodeSuite, accept?.bytes ?? new Uint8Array(0)).value).toMatchObject({
      kind: 'accept',
      version: 2,
    });
  });

  it.each<readonly [string, (keys: readonly Uint8Array[]) => readonly Uint8Array[] | undefined]>([
    ['without keys', () => undefined],
    ['with another key', () => [xwingKeys(nodeSuite, realRandom.bytes(32)).publicKey]],
    ['with a key too many', (keys) => [...keys, ...keys]],
  ])('is refused %s, before anything is tried or stored', async (_, change) => {
    const { camera, give, nonce, outbox, world } = keeperOf(2);
    const claim = camera.claimV2(1, null, { nonce: nonce() });
    expect(await give(claim, change(camera.kemKeys))).toBe('claim.kem-key');
    expect([world.wraps, outbox.currentClaim()]).toEqual([0, null]);
    // The control: its nonce is not used up, and its own keys are taken.
    expect(await give(claim, camera.kemKeys)).toBe('accepted');
  });

  it('ends the epoch before it, and so does a reset: what was filmed in it is stored before that', async () => {
    const { camera, give, nonce, keeper, endings } = keeperOf(2);
    const first = camera.claimV2(1, null, { nonce: nonce() });
    await give(first, camera.kemKeys);
    keeper.openWindow();
    await give(camera.claimV2(2, first.hash, { nonce: nonce() }), camera.kemKeys);
    keeper.end('reset');
    expect(endings).toEqual([0, 1, 2]);
  });

  it('is refused where a key cannot be used, although it is the one that it names', async () => {
    const likeTheChild: WrapKey = async (job) => {
      try {
        return await wrapHere(job);
      } catch (cause) {
        throw new SealcamError('kem-key', 'refused', { cause });
      }
    };
    const { camera, give, nonce, outbox, world } = keeperOf(2, likeTheChild);
    const broken = new Uint8Array(camera.ownerKem.publicKey).fill(255, 0, 30);
    const recipient = { ed25519: camera.owner.publicKey, kem: kemHash(nodeSuite, broken), role: 'owner' } as const;
    const claim = camera.claimV2(1, null, { nonce: nonce(), recipients: [recipient] });
    expect(await give(claim, [broken])).toBe('claim.kem-key');
    expect([world.wraps, outbox.currentClaim()]).toEqual([1, null]);
  });

  it('is not accepted while its keys cannot be tried, and may come again', async () => {
    let works = false;
    const { camera, give, nonce } = keeperOf(2, (job) =>
      works ? wrapHere(job) : Promise.reject(new SealcamError('period-unavailable', 'no process')),
    );
    const claim = camera.claimV2(1, null, { nonce: nonce() });
    expect(await give(claim, camera.kemKeys)).toBe('claim.period-unavailable');
    works = true;
    expect(await give(claim, camera.kemKeys)).toBe('accepted');
  });

  it('is refused if the window closed while its keys were tried', async () => {
    let go = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (go = resolve));
    const { camera, give, nonce, keeper, clock, counters, outbox } = keeperOf(2, (job) =>
      waiting.then(() => wrapHere(job)),
    );
    const claim = camera.claimV2(1, null, { nonce: nonce() });
    expect(await give(claim, camera.kemKeys)).toBe('nothing');
    clock.advance(11 * 60_000);
    go();
    await letPromisesRun();
    expect(counters.get('claim.claim-refused')).toBe(1);
    expect([outbox.currentClaim(), keeper.windowLeftMs()]).toEqual([null, null]);
  });

  it('is tried one at a time: the same claim, sent again and again, starts one process', async () => {
    const { camera, nonce, keeper, world } = keeperOf(2);
    const claim = camera.claimV2(1, null, { nonce: nonce() });
    for (let i = 0; i < 50; i++) keeper.handleClaim(claim.bytes, claimMac(nodeSuite, secret, claim), camera.kemKeys);
    await letPromisesRun();
    expect(world.wraps).toBe(1);
  });

  it('admits no claim of version 1 by the same owner after it', async () => {
    const { camera, give, nonce, keeper, outbox } = keeperOf(2);
    const first = camera.claimV2(1, null, { nonce: nonce() });
    await give(first, camera.kemKeys);
    keeper.offerToOwner();
    expect(await give(camera.claim(2, first.hash, { nonce: nonce() }))).toBe('claim.claim-downgrade');
    expect(outbox.ownership().lastEpoch).toBe(1);
    // The control: one of version 2 is admitted.
    expect(await give(camera.claimV2(2, first.hash, { nonce: nonce() }), camera.kemKeys)).toBe('accepted');
  });

  it('may follow one of version 1, whose epoch ends in version 1', async () => {
    const { camera, give, nonce, keeper, outbox } = keeperOf(2);
    const first = camera.claim(1, null, { nonce: nonce() });
    expect(await give(first)).toBe('accepted');
    keeper.offerToOwner();
    expect(await give(camera.claimV2(2, first.hash, { nonce: nonce() }), camera.kemKeys)).toBe('accepted');
    const records = outbox
      .read({ epoch: 0, seq: -1 }, 10)
      .map(({ bytes }) => openSigned(anyRecordKind, nodeSuite, bytes).value);
    expect(records.map(({ kind, version }) => [kind, version])).toEqual([
      ['accept', undefined],
      ['tombstone', undefined],
      ['accept', 2],
    ]);
  });
});

describe('what a cloud announces', () => {
  it('is read from the CONNACK, and nothing else of it', () => {
    const of = (value: unknown): readonly number[] => versionsOf({ userProperties: { [VERSIONS_PROPERTY]: value } });
    expect(of(formatVersions([1, 2]))).toEqual([1, 2]);
    expect([of('2,3,4'), of('1'), of(['1', '2']), of('1;2'), of('two'), of(undefined)]).toEqual([
      [2, 3, 4],
      [1],
      [],
      [],
      [],
      [],
    ]);
    expect(versionsOf(undefined)).toEqual([]);
    expect(parseVersions('1,2,3,4,5,6,7,8,9')).toEqual([]);
  });

  it('comes as a hello on a connection without properties', () => {
    const heard: (readonly number[])[] = [];
    const { outbox, counters } = keeperOf(1);
    const nothing = (): void => undefined;
    const downlink = new Downlink({
      suite: nodeSuite,
      outbox,
      counters,
      log: silentLog,
      now: () => new CameraWorld().time(0),
      onReceipt: nothing,
      onClaim: nothing,
      onOfferRequest: nothing,
      onCommand: nothing,
      onHello: (versions) => heard.push(versions),
    });
    downlink.handleMessage(encodeDown({ type: 'hello', versions: [1, 2] }));
    expect(heard).toEqual([[1, 2]]);
    // Without a way to look.
    downlink.handleMessage(encodeDown({ type: 'look', order: new Uint8Array(3) }));
    expect(counters.get('down.unsupported')).toBe(1);
  });
});
