import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { LIMITS } from '../../../../common/limits.js';
import { ClaimWindow, type OwnershipFacts } from '../../../../agent/ownership/claim-window.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { claimMac } from '../../../../protocol/objects/claim.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { codeOf } from '../../../support/codes.js';

const world = new CameraWorld();
const secret = realRandom.bytes(16);
const free: OwnershipFacts = {
  device: world.deviceId,
  lastEpoch: 0,
  lastClaimHash: null,
  ownerKey: null,
};
const nonce = realRandom.bytes(16);

function opened(mode: 'physical' | 'owner' = 'physical', facts = free): ClaimWindow {
  const window = new ClaimWindow();
  window.open(mode, facts, nonce, 1000);
  return window;
}

function admit(
  window: ClaimWindow,
  claim: ReturnType<CameraWorld['claim']>,
  options: { mac?: Uint8Array | null; facts?: OwnershipFacts; atMs?: number } = {},
): string {
  const mac = options.mac === undefined ? claimMac(nodeSuite, secret, claim) : options.mac;
  return codeOf(() => {
    window.admit({
      suite: nodeSuite,
      claim,
      mac,
      secret,
      facts: options.facts ?? free,
      nowMs: options.atMs ?? 2000,
    });
  });
}

describe('first claim', () => {
  it('is admitted once, with the code on the label', () => {
    const window = opened();
    const claim = world.claim(1, null, { nonce });
    expect(admit(window, claim)).toBe('accepted');
    expect(admit(window, claim)).toBe('claim-refused');
  });

  it.each([
    ['without a MAC: a cloud could put its own key there', { mac: null }],
    ['with a MAC of another secret', { mac: new Uint8Array(32) }],
    ['after ten minutes', { atMs: 1000 + LIMITS.claimWindowMs }],
  ])('is refused %s', (_, options) => {
    expect(admit(opened(), world.claim(1, null, { nonce }), options)).toBe('claim-refused');
  });

  it('is refused outside a window, for another nonce, epoch, camera or history', () => {
    const good = world.claim(1, null, { nonce });
    expect(admit(new ClaimWindow(), good)).toBe('claim-refused');
    expect(admit(opened(), world.claim(1, null))).toBe('claim-refused');
    expect(admit(opened(), world.claim(2, new Uint8Array(32), { nonce }))).toBe('claim-refused');
    expect(admit(opened(), new CameraWorld().claim(1, null, { nonce }))).toBe('claim-refused');
    const second = { ...free, lastEpoch: 1, lastClaimHash: new Uint8Array(32).fill(1) };
    expect(admit(opened('physical', second), world.claim(2, new Uint8Array(32), { nonce }), { facts: second })).toBe(
      'claim-refused',
    );
  });

  it('is refused when replayed after a reset: nonce and epoch have changed', () => {
    const window = opened();
    const claim = world.claim(1, null, { nonce });
    expect(admit(window, claim)).toBe('accepted');
    const after = { ...free, lastEpoch: 1, lastClaimHash: claim.hash };
    window.open('physical', after, realRandom.bytes(16), 3000);
    expect(admit(window, claim, { facts: after, atMs: 3001 })).toBe('claim-refused');
  });
});

describe('later claims', () => {
  const claim1 = world.claim();
  const owned: OwnershipFacts = { ...free, lastEpoch: 1, lastClaimHash: claim1.hash, ownerKey: world.owner.publicKey };

  it('by the owner need neither a person at the camera nor a MAC', () => {
    const claim = world.claim(2, claim1.hash, { nonce });
    expect(admit(opened('owner', owned), claim, { mac: null, facts: owned })).toBe('accepted');
  });

  it('by anyone else are refused, even at the camera and with its label', () => {
    const stranger = new CameraWorld();
    const claim = stranger.claim(2, claim1.hash, { nonce, device: world.deviceId });
    expect(admit(opened('physical', owned), claim, { facts: owned })).toBe('claim-refused');
    expect(admit(opened('owner', owned), claim, { facts: owned })).toBe('claim-refused');
  });

  it('cannot be first claims: an owner offer admits none', () => {
    expect(codeOf(() => new ClaimWindow().open('owner', free, nonce, 0))).toBe('claim-refused');
    const window = opened('owner', owned);
    const released = { ...owned, ownerKey: null };
    const claim = world.claim(2, claim1.hash, { nonce });
    expect(admit(window, claim, { facts: released })).toBe('claim-refused');
  });

  describe('an owner offer that is requested again', () => {
    const again = (window: ClaimWindow, facts: OwnershipFacts, nowMs: number): Uint8Array =>
      window.open('owner', facts, realRandom.bytes(16), nowMs).nonce;

    it('keeps its nonce, so that a claim on its way is admitted however often somebody asks', () => {
      const window = opened('owner', owned);
      for (let i = 0; i < 1000; i++) expect(again(window, owned, 1000 + i)).toEqual(nonce);
      expect(admit(window, world.claim(2, claim1.hash, { nonce }), { mac: null, facts: owned })).toBe('accepted');
    });

    it('is another one in its last minute, after it was used, and after the ownership changed', () => {
      expect(again(opened('owner', owned), owned, 1000 + LIMITS.claimWindowMs - 60_000)).toEqual(nonce);
      expect(again(opened('owner', owned), owned, 1001 + LIMITS.claimWindowMs - 60_000)).not.toEqual(nonce);
      const later = { ...owned, lastEpoch: 2, lastClaimHash: new Uint8Array(32).fill(1) };
      expect(again(opened('owner', owned), later, 2000)).not.toEqual(nonce);
      const used = opened('owner', owned);
      expect(admit(used, world.claim(2, claim1.hash, { nonce }), { mac: null, facts: owned })).toBe('accepted');
      expect(again(used, owned, 2000)).not.toEqual(nonce);
    });

    it('is another one for a person at the camera', () => {
      const window = opened('physical', owned);
      expect(window.open('physical', owned, realRandom.bytes(16), 2000).nonce).not.toEqual(nonce);
    });
  });
});
