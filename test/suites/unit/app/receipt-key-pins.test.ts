import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import { ReceiptKeyPins } from '../../../../app/core/receipt-key-pins.js';
import { MemoryStorage } from '../../../../app/core/storage.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { receiptKeyNumber } from '../../../../protocol/objects/receipt.js';
import { asyncCodeOf } from '../../../support/codes.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';

const CLOUD = 'https://cloud.example';

/** A browser of `world`'s owner; `named` is what /v1/info answers. */
class Browser {
  readonly world = new CameraWorld();
  readonly storage = new MemoryStorage();
  readonly clock = new VirtualClock();
  named: Uint8Array[] = [];
  cloudOrigin = CLOUD;

  /** A page that was loaded now: it knows only what is stored. */
  get pins(): ReceiptKeyPins {
    const client = { cloudOrigin: this.cloudOrigin, receiptKeys: () => Promise.resolve(this.named) };
    const { storage, clock, world } = this;
    return new ReceiptKeyPins({ suite: nodeSuite, storage, clock, client, ownerKey: world.owner.publicKey });
  }

  claims(...keys: Uint8Array[]): Promise<string> {
    this.named = keys;
    return asyncCodeOf(() => this.pins.forClaim());
  }

  async standings(...keys: Uint8Array[]): Promise<readonly string[] | undefined> {
    this.named = keys;
    return (await this.pins.change())?.named.map(({ standing }) => standing);
  }

  async knowsClaim(world: CameraWorld, receiptKeys: Uint8Array[], issuedAtMs: number): Promise<void> {
    const claim = world.claim(1, null, { receiptKeys, issuedAtMs }).bytes;
    await this.storage.saveEpoch({ device: toHex(world.deviceId), epoch: 1, claim, isAccepted: true, head: null });
  }
}

const key = (): Uint8Array => nodeSuite.ed25519Signer(realRandom.bytes(32)).publicKey;
const [one, two, three, four] = [key(), key(), key(), key()];

describe('receipt keys of a cloud', () => {
  it('are pinned at the first claim, in any order, and kept over a restart of the page', async () => {
    const browser = new Browser();
    expect(await browser.pins.change()).toBeNull();
    expect(await browser.claims(one, two)).toBe('accepted');
    expect(await browser.claims(two, one)).toBe('accepted');
    expect(await browser.standings(one, two)).toBeUndefined();
    expect(await browser.pins.accepted()).toEqual([{ keys: [one, two], atMs: browser.clock.wallMs(), by: 'first' }]);
  });

  it.each([
    ['another in the place of one', [one, three], ['kept', 'new']],
    ['one more', [one, two, three], ['kept', 'kept', 'new']],
    ['one fewer', [one], ['kept']],
    ['all others', [three, four], ['new', 'new']],
  ])('are not named in a claim where the cloud names %s', async (_, named, standings) => {
    const browser = new Browser();
    await browser.claims(one, two);
    expect(await browser.claims(...named)).toBe('receipt-keys-changed');
    expect(await browser.standings(...named)).toEqual(standings);
    // A refusal accepts nothing: the next attempt is refused too.
    expect(await browser.claims(...named)).toBe('receipt-keys-changed');
  });

  it('are accepted by a person as they were shown, whatever the cloud names by then', async () => {
    const browser = new Browser();
    await browser.claims(one, two);
    browser.named = [two, three];
    const change = await browser.pins.change();
    if (change === null) throw new Error('no change');
    expect(change.dropped).toEqual([one]);
    browser.named = [two, four];
    browser.clock.advance(60_000);
    await browser.pins.accept(change);
    expect(await browser.claims(two, four)).toBe('receipt-keys-changed');
    expect(await browser.claims(two, three)).toBe('accepted');
    const [inForce, before] = await browser.pins.accepted();
    expect(inForce).toEqual({ keys: [two, three], atMs: browser.clock.wallMs(), by: 'person' });
    expect(before?.keys).toEqual([one, two]);
  });

  it.each([
    ['the successor moved up, one new key behind it', [two, three], true],
    ['a new key beside both', [one, two, three], false],
    ['a new key behind the current one', [one, three], false],
    ['all others', [three, four], false],
    ['one key alone', [two], false],
    ['the same two, the other way round', [two, one], undefined],
  ])('look like a rotation or not: %s', async (_, named, isLikeRotation) => {
    const browser = new Browser();
    await browser.claims(one, two);
    browser.named = named;
    expect((await browser.pins.change())?.isLikeRotation).toBe(isLikeRotation);
  });

  it('that were replaced are asked about again', async () => {
    const browser = new Browser();
    await browser.claims(one, two);
    browser.named = [two, three];
    const change = await browser.pins.change();
    if (change !== null) await browser.pins.accept(change);
    expect(await browser.claims(one, two)).toBe('receipt-keys-changed');
    expect(await browser.standings(one, two)).toEqual(['replaced', 'kept']);
    // A rotation goes on to keys that nobody has seen.
    browser.named = [three, one];
    expect((await browser.pins.change())?.isLikeRotation).toBe(false);
  });

  it('are those of the newest own claim in a browser that was restored', async () => {
    const browser = new Browser();
    await browser.knowsClaim(browser.world, [one, two], 5000);
    await browser.knowsClaim(new CameraWorld({ owner: browser.world.owner }), [three], 4000);
    // The claim of another household says nothing about this owner's cloud.
    await browser.knowsClaim(new CameraWorld(), [four], 9000);
    expect(await browser.claims(three)).toBe('receipt-keys-changed');
    expect(await browser.claims(four)).toBe('receipt-keys-changed');
    expect(await browser.standings(one, four)).toEqual(['kept', 'new']);
    expect(await browser.claims(one, two)).toBe('accepted');
    expect((await browser.pins.accepted())[0]?.by).toBe('claim');
  });

  it('are kept for each cloud', async () => {
    const browser = new Browser();
    await browser.claims(one, two);
    browser.cloudOrigin = 'https://other.example';
    expect(await browser.claims(three, four)).toBe('accepted');
    browser.cloudOrigin = CLOUD;
    expect(await browser.claims(three, four)).toBe('receipt-keys-changed');
  });

  it('are remembered up to sixteen sets', async () => {
    const browser = new Browser();
    await browser.claims(one);
    for (let i = 0; i < 40; i++) {
      browser.named = [key()];
      const change = await browser.pins.change();
      if (change !== null) await browser.pins.accept(change);
    }
    expect(await browser.pins.accepted()).toHaveLength(16);
    expect(await browser.claims(one)).toBe('receipt-keys-changed');
  });

  it('have a number that people can compare', () => {
    expect(receiptKeyNumber(new Uint8Array(32).fill(0xab))).toBe(Array<string>(8).fill('abab').join(' '));
    expect(receiptKeyNumber(one)).not.toBe(receiptKeyNumber(two));
  });
});
