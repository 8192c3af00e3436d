import { HistoryKeeper } from '../../../app/core/history-keeper.js';
import { MemoryStorage } from '../../../app/core/storage.js';
import { concat } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { tweetnaclSuite } from '../../../protocol/crypto/tweetnacl.js';
import { formatCode } from '../../../protocol/objects/checked-code.js';
import type { Recipient } from '../../../protocol/objects/claim.js';
import { memberKind, memberNumber } from '../../../protocol/objects/member.js';
import { parseMemberCode } from '../../../protocol/objects/member-code.js';
import { openSigned, signObject } from '../../../protocol/objects/signed-object.js';
import { attacks } from '../../support/attack.js';
import { asyncCodeOf, codeOf } from '../../support/codes.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';

const SIGNATURE_BYTES = 66;
const KEY_BYTES = 32;

/** A code on its way to the owner in which somebody replaced the key that pictures are sealed to. */
function codeWithKey(x25519: Uint8Array, person: CameraWorld): string {
  const { bytes } = person.member;
  const at = bytes.length - SIGNATURE_BYTES - KEY_BYTES;
  return formatCode(tweetnaclSuite, concat(bytes.slice(0, at), x25519, bytes.slice(at + KEY_BYTES)));
}

function readCode(isReplaced: boolean): string {
  const person = new CameraWorld();
  const { x25519 } = isReplaced ? new CameraWorld().recipient : person.recipient;
  return codeOf(() => parseMemberCode(tweetnaclSuite, codeWithKey(x25519, person)));
}

/** The member signs again, deceived or in league: the number must follow what the claim would take from it. */
function numberAfter(change: Partial<Recipient>): string {
  const person = new CameraWorld();
  const again = signObject(memberKind, nodeSuite, person.owner, { ...person.recipient, ...change });
  return memberNumber(again) === memberNumber(person.member) ? 'the same number' : 'another number';
}

/** A member object that names the signing key of another person. */
function namesAnother(isAnother: boolean): string {
  const person = new CameraWorld();
  const named = isAnother ? new CameraWorld().owner.publicKey : person.owner.publicKey;
  return codeOf(() => {
    const signed = signObject(memberKind, nodeSuite, person.owner, { ...person.recipient, ed25519: named });
    openSigned(memberKind, nodeSuite, signed.bytes);
  });
}

/** A claim of an accepted household that names this person, beside its own or somebody else's encryption key. */
async function claimNaming(isSwapped: boolean): Promise<string> {
  const person = new CameraWorld();
  const owner = new CameraWorld();
  const history = new HistoryKeeper(nodeSuite, new MemoryStorage(), person.recipient);
  await history.accept({ ownerKey: owner.owner.publicKey });
  const x25519 = isSwapped ? new CameraWorld().recipient.x25519 : person.recipient.x25519;
  const recipients = [owner.recipient, { ...person.recipient, x25519 }];
  return asyncCodeOf(() => history.addClaim(owner.claim(1, null, { recipients }).bytes));
}

/** A claim with this person's own signature, as another browser of the same owner could have been led to sign it. */
async function ownClaim(isSwapped: boolean): Promise<string> {
  const person = new CameraWorld();
  const history = new HistoryKeeper(nodeSuite, new MemoryStorage(), person.recipient);
  const x25519 = isSwapped ? new CameraWorld().recipient.x25519 : person.recipient.x25519;
  const recipients = [{ ...person.recipient, x25519 }];
  return asyncCodeOf(() => history.addClaim(person.claim(1, null, { recipients }).bytes));
}

attacks('members', "A member's keys on their way into a household", [
  {
    name: "the encryption key in a member's code replaced on its way, by a host or a messenger",
    expected: 'bad-signature',
    observed: () => readCode(true),
    control: { name: "the member's own key there", expected: 'accepted', observed: () => readCode(false) },
  },
  {
    name: 'another encryption key signed by the member: the number that both compare',
    expected: 'another number',
    observed: () => numberAfter({ x25519: new CameraWorld().recipient.x25519 }),
    control: { name: 'the same keys signed again', expected: 'the same number', observed: () => numberAfter({}) },
  },
  {
    name: "a member object that names somebody else's signing key",
    expected: 'foreign',
    observed: () => namesAnother(true),
    control: { name: "the signer's own", expected: 'accepted', observed: () => namesAnother(false) },
  },
  {
    name: 'a claim that names a member beside an encryption key of the attacker',
    expected: 'recipient-swapped',
    observed: () => claimNaming(true),
    control: { name: "beside the member's own", expected: 'accepted', observed: () => claimNaming(false) },
  },
  {
    name: "a claim of the owner's own beside an encryption key of the attacker",
    expected: 'recipient-swapped',
    observed: () => ownClaim(true),
    control: { name: "beside the owner's own", expected: 'accepted', observed: () => ownClaim(false) },
  },
]);
