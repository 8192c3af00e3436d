import { realRandom } from '../../../common/adapters/real-random.js';
import { LIMITS } from '../../../common/limits.js';
import { ClaimWindow, type OwnershipFacts } from '../../../agent/ownership/claim-window.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { claimKind, claimMac, type Claim } from '../../../protocol/objects/claim.js';
import { openSigned, type Verified } from '../../../protocol/objects/signed-object.js';
import { attacks } from '../../support/attack.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { CloudWorld } from '../../support/worlds/cloud-world.js';
import { codeOf } from '../../support/codes.js';

const OPENED_MS = 1000;
/** What is on the label, and so on a photograph of it. */
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
    isStopped: false,
  };
}

/** What the camera says of a claim. `secret` is the label as whoever claims knows it; null knows nothing. */
function camerasAnswer(claim: Verified<Claim>, { mode = 'physical', owned, secret = label, atMs }: Try = {}): string {
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
const own = { says: 'the owner with the label', expected: 'accepted', observed: () => camerasAnswer(claim) };

/** A cloud that swaps the owner's key for its own cannot know the label's secret. */
function byTheCloud(): Verified<Claim> {
  return newcomer.claim(1, null, { nonce, device: camera.deviceId });
}

/** A claim with a second recipient whose keys are replaced on the way. */
function memberReplaced(isReplaced: boolean): string {
  const [member, spy] = [new CameraWorld(), new CameraWorld()];
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

/** A claim is taken, then its bytes come again with its nonce, in a window that was opened later. */
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

/** The row of the cloud after a second claim for an epoch that the camera accepted. */
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

attacks('claims', 'Claims', [
  {
    name: 'claim outside a window',
    expected: 'claim-refused',
    observed: () => camerasAnswer(claim, { mode: 'closed' }),
    control: { says: 'inside', expected: 'accepted', observed: () => camerasAnswer(claim) },
  },
  {
    name: 'claim after ten monotonic minutes',
    expected: 'claim-refused',
    observed: () => camerasAnswer(claim, { atMs: OPENED_MS + LIMITS.claimWindowMs }),
    control: {
      says: 'a moment before',
      expected: 'accepted',
      observed: () => camerasAnswer(claim, { atMs: OPENED_MS + LIMITS.claimWindowMs - 1 }),
    },
  },
  {
    name: 'owner key swapped by the cloud at claim (MAC wrong)',
    expected: 'claim-refused',
    observed: () => camerasAnswer(byTheCloud(), { secret: realRandom.bytes(16) }),
    control: {
      says: 'the same claim with the secret of the label',
      expected: 'accepted',
      observed: () => camerasAnswer(byTheCloud()),
    },
  },
  {
    name: 'owner key swapped by the cloud at claim (no MAC)',
    expected: 'claim-refused',
    observed: () => camerasAnswer(byTheCloud(), { secret: null }),
    control: own,
  },
  {
    name: 'member key replaced in a signed claim on the way',
    expected: 'bad-signature',
    observed: () => memberReplaced(true),
    control: { says: 'not replaced', expected: 'accepted', observed: () => memberReplaced(false) },
  },
  {
    name: 'previous owner with a photographed label, outside the window',
    expected: 'claim-refused',
    observed: () => camerasAnswer(claim, { mode: 'closed' }),
    control: own,
  },
  {
    name: 'previous owner with a photographed label, inside the window of a camera that has an owner',
    expected: 'claim-refused',
    observed: () => camerasAnswer(byNewcomer, { owned }),
    control: {
      says: 'the owner itself, in that window',
      expected: 'accepted',
      observed: () => camerasAnswer(camera.claim(2, owned.hash, { nonce }), { owned }),
    },
  },
  {
    name: 'previous owner with a photographed label, inside the window of a camera that was reset (an honest limit)',
    expected: 'accepted',
    observed: () => camerasAnswer(claim),
    control: {
      says: 'without the label',
      expected: 'claim-refused',
      observed: () => camerasAnswer(claim, { secret: null }),
    },
  },
  {
    name: 'a stranger answers an offer that the cloud asked for',
    expected: 'claim-refused',
    observed: () => camerasAnswer(byNewcomer, { owned, mode: 'owner' }),
    control: {
      says: 'the owner answers it',
      expected: 'accepted',
      observed: () => camerasAnswer(camera.claim(2, owned.hash, { nonce }), { owned, mode: 'owner', secret: null }),
    },
  },
  {
    name: 'nonce replay: a claim with the nonce of a window that was used',
    expected: 'claim-refused',
    observed: () => nonceAgain(false),
    control: { says: 'with the nonce of the open window', expected: 'accepted', observed: () => nonceAgain(true) },
  },
  {
    name: 'another claim for an epoch that was accepted',
    expected: 'equivocation; the first row stays',
    observed: () => otherClaim(true),
    control: { says: 'the next epoch', expected: 'stored; the first row stays', observed: () => otherClaim(false) },
  },
]);
