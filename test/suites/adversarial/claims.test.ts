import { realRandom } from '../../../common/adapters/real-random.js';
import { SealcamError } from '../../../common/errors.js';
import { LIMITS } from '../../../common/limits.js';
import { ClaimWindow, type OwnershipFacts } from '../../../agent/ownership/claim-window.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { xwingKeys } from '../../../protocol/crypto/xwing.js';
import { claimKind, claimMac, type Claim } from '../../../protocol/objects/claim.js';
import { openSigned, type ProtocolVersion, type Verified } from '../../../protocol/objects/signed-object.js';
import { attacks } from '../../support/attack.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { CloudWorld } from '../../support/worlds/cloud-world.js';
import { keeperOf } from '../../support/worlds/ownership-world.js';
import { wrapHere } from '../../support/worlds/period-world.js';
import { codeOf } from '../../support/codes.js';
import { claimOfVersionOne, claimSignedBy, kemKeysBeside } from '../../support/worlds/version-two.js';

const OPENED_MS = 1000;
/** The secret on the label, and so on a photograph of it. */
const label = realRandom.bytes(16);
const nonce = realRandom.bytes(16);
const camera = new CameraWorld();

interface Try {
  readonly mode?: 'physical' | 'owner' | 'closed';
  readonly owned?: Verified<Claim>;
  readonly secret?: Uint8Array | null;
  readonly atMs?: number;
}

function factsOf(owned: Verified<Claim> | undefined): OwnershipFacts {
  return {
    device: camera.deviceId,
    lastEpoch: owned?.value.epoch ?? 0,
    lastClaimHash: owned?.hash ?? null,
    ownerKey: owned?.value.ownerKey ?? null,
  };
}

/**
 * Returns the camera's verdict on a claim. `secret` is the label's secret as the claimant knows it; null sends no MAC.
 */
function verdictOn(claim: Verified<Claim>, { mode = 'physical', owned, secret = label, atMs }: Try = {}): string {
  const facts = factsOf(owned);
  const window = new ClaimWindow();
  if (mode !== 'closed') window.open(mode, facts, nonce, OPENED_MS);
  const mac = secret === null ? null : claimMac(nodeSuite, secret, claim);
  return codeOf(() => {
    window.admit({ suite: nodeSuite, claim, mac, secret: label, facts, nowMs: atMs ?? OPENED_MS + 1 });
  });
}

const claim = camera.claim(1, null, { nonce });
const owned = camera.claim();
const newcomer = new CameraWorld();
const byNewcomer = newcomer.claim(2, owned.hash, { nonce, device: camera.deviceId });
const withLabel = { name: 'the owner, with the label', expected: 'accepted', observed: () => verdictOn(claim) };

/** A claim in which the cloud swapped the owner's key for its own. It cannot know the label's secret. */
function byTheCloud(): Verified<Claim> {
  return newcomer.claim(1, null, { nonce, device: camera.deviceId });
}

/** A claim with a second recipient whose keys are replaced on the way. */
function memberReplaced(isReplaced: boolean): string {
  const member = new CameraWorld();
  const spy = new CameraWorld();
  const keysOf = ({ owner, ownerSecret }: CameraWorld): Claim['recipients'][number] => ({
    x25519: nodeSuite.x25519PublicKey(ownerSecret),
    ed25519: owner.publicKey,
  });
  const signed = camera.claim(1, null, { nonce, recipients: [keysOf(camera), keysOf(member)] });
  const bytes = Buffer.from(signed.bytes);
  const replace = ({ owner, ownerSecret }: CameraWorld, by: CameraWorld): void => {
    bytes.set(by.owner.publicKey, bytes.indexOf(owner.publicKey));
    bytes.set(nodeSuite.x25519PublicKey(by.ownerSecret), bytes.indexOf(nodeSuite.x25519PublicKey(ownerSecret)));
  };
  if (isReplaced) replace(member, spy);
  return codeOf(() => openSigned(claimKind, nodeSuite, new Uint8Array(bytes)));
}

/** Accepts a claim, then offers the next one in a later window, with the nonce of the first window or of that one. */
function nonceAgain(isFresh: boolean): string {
  const window = new ClaimWindow();
  const facts = factsOf(undefined);
  const admit = (candidate: Verified<Claim>, known: OwnershipFacts): string =>
    codeOf(() => {
      const mac = claimMac(nodeSuite, label, candidate);
      window.admit({ suite: nodeSuite, claim: candidate, mac, secret: label, facts: known, nowMs: OPENED_MS + 1 });
    });
  window.open('physical', facts, nonce, OPENED_MS);
  admit(claim, facts);
  const after = { ...facts, lastEpoch: 1, lastClaimHash: claim.hash };
  const next = realRandom.bytes(16);
  window.open('physical', after, next, OPENED_MS);
  return admit(camera.claim(2, claim.hash, { nonce: isFresh ? next : nonce }), after);
}

/** Sends the cloud a second claim for an accepted epoch. Returns its verdict, and whether the first row stays. */
async function otherClaim(isOther: boolean): Promise<string> {
  const cloud = new CloudWorld();
  const { world, claim: accepted } = await cloud.claimed();
  const thief = new CameraWorld({ cloud: cloud.receiptSigner });
  const second = isOther ? thief.claim(1, null, { device: world.deviceId }) : world.claim(2, accepted.hash);
  const record = world.record(second, 0, second.hash, { kind: 'accept' });
  await cloud.up(world, { type: 'accept', claim: second.bytes, record: record.bytes });
  const refused = cloud.counters.get('refused.equivocation') > 0 ? 'equivocation' : 'stored';
  const row = await cloud.store.claims.row(world.deviceId, 1);
  return `${refused}; the first row ${row !== undefined && Buffer.from(row.claimHash).equals(accepted.hash) ? 'stays' : 'is gone'}`;
}

/** The owner's claim that removes a member, after this many more requests for an offer. */
function claimAfterRequests(mode: 'owner' | 'physical'): string {
  const facts = factsOf(owned);
  const window = new ClaimWindow();
  window.open(mode, facts, nonce, OPENED_MS);
  for (let i = 1; i <= 1000; i++) window.open(mode, facts, realRandom.bytes(16), OPENED_MS + i);
  const removing = camera.claim(2, owned.hash, { nonce });
  return codeOf(() => {
    window.admit({ suite: nodeSuite, claim: removing, mac: null, secret: label, facts, nowMs: OPENED_MS + 2000 });
  });
}

const spyKem = xwingKeys(nodeSuite, realRandom.bytes(32)).publicKey;

/** A claim of version 2, with these KEM keys beside it, to a camera whose cloud announced a version. */
async function claimTwo(announced: ProtocolVersion, beside: 'own' | 'swapped'): Promise<string> {
  const { camera: claimed, nonce: open, give } = keeperOf(announced);
  return give(claimed.claimV2(1, null, { nonce: open() }), beside === 'own' ? claimed.kemKeys : [spyKem]);
}

/** A claim of version 2 whose own KEM key cannot be used: a coefficient of q. */
async function unusableKey(isUsable: boolean): Promise<string> {
  const {
    camera: claimed,
    nonce: open,
    give,
  } = keeperOf(2, async (job) => {
    try {
      return await wrapHere(job);
    } catch (cause) {
      // As the process answers.
      throw new SealcamError('kem-key', 'refused', { cause });
    }
  });
  const key = isUsable ? spyKem : new Uint8Array(spyKem).fill(255, 0, 3);
  const recipient = { ed25519: claimed.owner.publicKey, kem: nodeSuite.sha256(key), role: 'owner' } as const;
  return give(claimed.claimV2(1, null, { nonce: open(), recipients: [recipient] }), [key]);
}

/** A claim of version 1 by the same owner, after one of version 1 or 2. */
async function downgrade(from: ProtocolVersion): Promise<string> {
  const { camera: claimed, nonce: open, give, keeper } = keeperOf(2);
  const first = from === 2 ? claimed.claimV2(1, null, { nonce: open() }) : claimed.claim(1, null, { nonce: open() });
  await give(first, claimed.kemKeys);
  keeper.offerToOwner();
  return give(claimed.claim(2, first.hash, { nonce: open() }));
}

/** A claim of version 2 with the nonce of an offer that was made in both versions, after one of version 1 used it or not. */
async function otherVersion(isUsed: boolean): Promise<string> {
  const { camera: claimed, nonce: open, give } = keeperOf(2);
  const nonceOfBoth = open();
  if (isUsed) await give(claimed.claim(1, null, { nonce: nonceOfBoth }));
  return give(claimed.claimV2(1, null, { nonce: nonceOfBoth }), claimed.kemKeys);
}

attacks('claims', 'Claims', [
  {
    name: "a member's KEM key swapped beside a claim of version 2, by the cloud that relays it",
    expected: 'claim.kem-key',
    observed: () => claimTwo(2, 'swapped'),
    control: { name: 'the key that the claim names', expected: 'accepted', observed: () => claimTwo(2, 'own') },
  },
  {
    name: 'a claim of version 2 whose KEM key has a coefficient of q',
    expected: 'claim.kem-key',
    observed: () => unusableKey(false),
    control: { name: 'a key that can be used', expected: 'accepted', observed: () => unusableKey(true) },
  },
  {
    name: 'a claim of version 2 through a cloud that did not announce it',
    expected: 'claim.claim-refused',
    observed: () => claimTwo(1, 'own'),
    control: { name: 'after it did', expected: 'accepted', observed: () => claimTwo(2, 'own') },
  },
  {
    name: 'the same owner back to version 1, by an old page or a cloud that hides version 2',
    expected: 'claim.claim-downgrade',
    observed: () => downgrade(2),
    control: { name: 'after a claim of version 1', expected: 'accepted', observed: () => downgrade(1) },
  },
  {
    name: 'a second claim for one offer, in its other version',
    expected: 'claim.claim-refused',
    observed: () => otherVersion(true),
    control: { name: 'the first one', expected: 'accepted', observed: () => otherVersion(false) },
  },
  {
    name: 'a claim outside a claim window',
    expected: 'claim-refused',
    observed: () => verdictOn(claim, { mode: 'closed' }),
    control: { name: 'inside a window', expected: 'accepted', observed: () => verdictOn(claim) },
  },
  {
    name: 'a claim after ten monotonic minutes',
    expected: 'claim-refused',
    observed: () => verdictOn(claim, { atMs: OPENED_MS + LIMITS.claimWindowMs }),
    control: {
      name: '1 ms before',
      expected: 'accepted',
      observed: () => verdictOn(claim, { atMs: OPENED_MS + LIMITS.claimWindowMs - 1 }),
    },
  },
  {
    name: 'the owner key swapped by the cloud (wrong MAC)',
    expected: 'claim-refused',
    observed: () => verdictOn(byTheCloud(), { secret: realRandom.bytes(16) }),
    control: {
      name: "the same claim with the label's secret",
      expected: 'accepted',
      observed: () => verdictOn(byTheCloud()),
    },
  },
  {
    name: 'the owner key swapped by the cloud (no MAC)',
    expected: 'claim-refused',
    observed: () => verdictOn(byTheCloud(), { secret: null }),
    control: withLabel,
  },
  {
    name: 'a member key replaced in a signed claim in transit',
    expected: 'bad-signature',
    observed: () => memberReplaced(true),
    control: { name: 'not replaced', expected: 'accepted', observed: () => memberReplaced(false) },
  },
  {
    name: 'the previous owner with a photograph of the label, outside the window',
    expected: 'claim-refused',
    observed: () => verdictOn(claim, { mode: 'closed' }),
    control: withLabel,
  },
  {
    name: 'the previous owner with a photograph of the label, inside the window of a camera that has an owner',
    expected: 'claim-refused',
    observed: () => verdictOn(byNewcomer, { owned }),
    control: {
      name: 'the present owner, in that window',
      expected: 'accepted',
      observed: () => verdictOn(camera.claim(2, owned.hash, { nonce }), { owned }),
    },
  },
  {
    name: 'the previous owner with a photograph of the label, inside the window of a camera that was reset (a known limit)',
    expected: 'accepted',
    observed: () => verdictOn(claim),
    control: {
      name: 'without the label',
      expected: 'claim-refused',
      observed: () => verdictOn(claim, { secret: null }),
    },
  },
  {
    name: 'a stranger claims with an offer that the cloud requested',
    expected: 'claim-refused',
    observed: () => verdictOn(byNewcomer, { owned, mode: 'owner' }),
    control: {
      name: 'the owner claims with it',
      expected: 'accepted',
      observed: () => verdictOn(camera.claim(2, owned.hash, { nonce }), { owned, mode: 'owner', secret: null }),
    },
  },
  {
    name: 'nonce replay: a claim with the nonce of an earlier window',
    expected: 'claim-refused',
    observed: () => nonceAgain(false),
    control: { name: 'with the nonce of the open window', expected: 'accepted', observed: () => nonceAgain(true) },
  },
  {
    name: 'another claim for an accepted epoch',
    expected: 'equivocation; the first row stays',
    observed: () => otherClaim(true),
    control: {
      name: 'a claim for the next epoch',
      expected: 'stored; the first row stays',
      observed: () => otherClaim(false),
    },
  },
  {
    name: "offers requested without end, so that the owner's claim never answers the last one",
    expected: 'accepted',
    observed: () => claimAfterRequests('owner'),
    control: {
      name: 'offers that a person at the camera replaces',
      expected: 'claim-refused',
      observed: () => claimAfterRequests('physical'),
    },
  },
  {
    name: 'a KEM key that the cloud replaces beside the claim',
    expected: 'kem-key',
    observed: () => kemKeysBeside('replaced'),
    control: { name: 'the keys that the claim names', expected: 'accepted', observed: () => kemKeysBeside('own') },
  },
  {
    name: 'two KEM keys that change places beside the claim',
    expected: 'kem-key',
    observed: () => kemKeysBeside('exchanged'),
    control: { name: 'in the order of the claim', expected: 'accepted', observed: () => kemKeysBeside('own') },
  },
  {
    name: 'a claim of version 1 by the same owner after one of version 2',
    expected: 'claim-downgrade',
    observed: () => claimOfVersionOne(2),
    control: { name: 'after one of version 1', expected: 'accepted', observed: () => claimOfVersionOne(1) },
  },
  {
    name: "a claim signed by another of the owner's browsers",
    expected: 'foreign',
    observed: () => claimSignedBy('ownerNext'),
    control: { name: 'by the owner key', expected: 'accepted', observed: () => claimSignedBy('owner') },
  },
]);
