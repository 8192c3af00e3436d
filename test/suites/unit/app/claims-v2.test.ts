import { describe, expect, it } from 'vitest';
import type { MemberKeys } from '../../../../app/core/member-keys.js';
import { recipientOf, type OwnerKeys } from '../../../../app/core/owner-keys.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { AnyClaim, ClaimV2 } from '../../../../protocol/objects/claim.js';
import { checkKemKeys, kemHash } from '../../../../protocol/objects/kem-keys.js';
import { versionOf, type Verified } from '../../../../protocol/objects/signed-object.js';
import { isVersionTwo } from '../../../../protocol/wire/codec.js';
import { asyncCodeOf } from '../../../support/codes.js';
import { ClaimingPage } from '../../../support/worlds/claiming-page.js';
import { kemKeyOf, newPerson, SealingCamera } from '../../../support/worlds/sealing-camera.js';

/** What a person showed: keys of both versions. */
function shownBy(person: OwnerKeys): MemberKeys {
  return { ...recipientOf(person), kem: kemHash(nodeSuite, kemKeyOf(person)) };
}

function deposit(page: ClaimingPage, person: OwnerKeys): void {
  const key = kemKeyOf(person);
  page.kemKeys.set(toHex(kemHash(nodeSuite, key)), key);
}

/** A page that owns its camera at version 1, with these members, and is offered this version. */
async function owned(members: readonly OwnerKeys[], version: 1 | 2): Promise<ClaimingPage> {
  const page = new ClaimingPage();
  const recipients = [recipientOf(page.keys), ...members.map(recipientOf)];
  const claim = await page.accepted(1, null, { recipients });
  page.named = claim.value.receiptKeys;
  page.offer = offerAfter(page, claim, version);
  return page;
}

function offerAfter(page: ClaimingPage, { value, hash }: Verified<AnyClaim>, version: 1 | 2): Uint8Array {
  const after = { lastEpoch: value.epoch, lastClaimHash: hash, mode: 'owner' } as const;
  return page.makeOffer(version === 2 ? { ...after, version } : after);
}

/** The page with an epoch of version 2 that its camera accepted. */
async function upgraded(page = new ClaimingPage()): Promise<{ page: ClaimingPage; camera: SealingCamera }> {
  const camera = new SealingCamera([page.keys], {}, page.camera);
  page.named = camera.claim.value.receiptKeys;
  await page.history.addClaim(camera.claim.bytes);
  for (const { bytes } of camera.records) await page.history.verifyAndApply(bytes, 1);
  expect(page.history.isAccepted(page.camera.deviceId, 1)).toBe(true);
  return { page, camera };
}

describe('the claims of a page', () => {
  it.each([
    ['1', 1],
    ['2', 2],
  ] as const)('are of the version of the offer, here %s, where the owner is alone', async (_name, version) => {
    const page = new ClaimingPage();
    page.offer = page.makeOffer(version === 2 ? { version } : {});
    expect(await page.claims()).toBe('signed for epoch 1');
    const [claim] = page.sent;
    expect(claim === undefined ? 0 : versionOf(claim.value)).toBe(version);
    const keys = page.sentKeys[0] ?? null;
    if (version === 1) expect(keys).toBeNull();
    else expect(keys).toEqual([kemKeyOf(page.keys)]);
  });

  it('are of version 2 where everybody has a KEM key, which goes beside it in its order', async () => {
    const members = [newPerson(), newPerson()];
    const page = await owned(members, 2);
    for (const member of members) deposit(page, member);
    await page.changesMembers(1, members.map(shownBy));
    const [claim] = page.sent;
    if (claim === undefined || !isVersionTwo(claim.value)) throw new Error('not of version 2');
    const value: ClaimV2 = claim.value;
    expect(value.recipients.map(({ role }) => role)).toEqual(['owner', 'member', 'member']);
    checkKemKeys(nodeSuite, value, page.sentKeys[0] ?? []);
  });

  it('are of version 1 as long as one member has none, and that member is named', async () => {
    const [with2, without] = [newPerson(), newPerson()];
    for (const why of ['never showed one', 'the cloud does not have it'] as const) {
      const page = await owned([with2, without], 2);
      deposit(page, with2);
      const named: string[] = [];
      const onKeptBack = (members: readonly MemberKeys[]): void => {
        named.push(...members.map(({ ed25519 }) => toHex(ed25519)));
      };
      const last = why === 'never showed one' ? recipientOf(without) : shownBy(without);
      await page.changesMembers(1, [shownBy(with2), last], { onKeptBack });
      expect(page.sent.map(({ value }) => versionOf(value))).toEqual([1]);
      expect(named).toEqual([toHex(without.signer.publicKey)]);
      expect(page.kem.members.keepBack([shownBy(with2), last])).toEqual([last]);
      // Nothing is signed where a claim of version 1 would be of no use.
      const strict = await owned([with2, without], 2);
      expect(await strict.changesMembers(1, [last], { needsVersionTwo: true })).toBe('claim-downgrade, nothing signed');
    }
  });

  it("name the owner's further browsers with the role of an owner, and never in version 1", async () => {
    const phone = newPerson();
    const browser: MemberKeys = { ...shownBy(phone), role: 'owner' };
    const page = await owned([], 2);
    deposit(page, phone);
    await page.changesMembers(1, [browser]);
    const [claim] = page.sent;
    if (claim === undefined || !isVersionTwo(claim.value)) throw new Error('not of version 2');
    expect(claim.value.recipients.map(({ role }) => role)).toEqual(['owner', 'owner']);
    // A camera of version 1, and one whose household a member keeps at version 1.
    const old = await owned([], 1);
    deposit(old, phone);
    expect(await old.changesMembers(1, [browser])).toBe('claim-downgrade, nothing signed');
    const keptBack = await owned([], 2);
    deposit(keptBack, phone);
    const without = recipientOf(newPerson());
    expect(await keptBack.changesMembers(1, [browser, without])).toBe('claim-downgrade, nothing signed');
    // The control: a member would get a claim of version 1 there.
    expect(await keptBack.changesMembers(1, [{ ...browser, role: 'member' }, without])).toBe('signed for epoch 2');
  });

  it('use what a member showed before, for the version that the last claim did not name', async () => {
    const member = newPerson();
    const page = await owned([member], 2);
    deposit(page, member);
    await page.kem.members.add([shownBy(member)]);
    // The claim of version 1 names the X25519 key alone.
    await page.changesMembers(1, [recipientOf(member)]);
    expect(page.sent.map(({ value }) => versionOf(value))).toEqual([2]);
  });

  it('are refused by the page where a member has no key for an old camera', async () => {
    const member = newPerson();
    const page = await owned([], 1);
    const { ed25519, kem } = shownBy(member);
    const newer = { ed25519, ...(kem === undefined ? {} : { kem }) };
    expect(await page.changesMembers(1, [newer])).toBe('claim-refused, nothing signed');
  });

  it('never go back to version 1, whatever the camera offers', async () => {
    const { page, camera } = await upgraded();
    page.offer = offerAfter(page, camera.claim, 1);
    expect(await page.changesMembers(1)).toBe('claim-downgrade, nothing signed');
    // Nor for a member without a KEM key.
    page.offer = offerAfter(page, camera.claim, 2);
    expect(await page.changesMembers(1, [recipientOf(newPerson())])).toBe('claim-downgrade, nothing signed');
    // The control: with everybody's key it goes on.
    expect(await page.changesMembers(1)).toBe('signed for epoch 2');
  });
});

describe('a claim that the cloud sends', () => {
  it('of version 1 after one of version 2 is refused, with every record of its epoch, in whatever order they come', async () => {
    const { page, camera } = await upgraded();
    const back = page.camera.claim(2, camera.claim.hash, { recipients: [recipientOf(page.keys)] });
    expect(await asyncCodeOf(() => page.history.addClaim(back.bytes))).toBe('claim-downgrade');
    // It came first.
    const other = new ClaimingPage();
    const early = other.camera.claim(2, realRandom.bytes(32), { recipients: [recipientOf(other.keys)] });
    await other.history.addClaim(early.bytes);
    const accept = other.camera.record(early, 0, early.hash, { kind: 'accept' });
    expect(await other.history.verifyAndApply(accept.bytes, 1)).toMatchObject({ record: { hash: accept.hash } });
    await upgraded(other);
    const later = other.camera.record(early, 1, accept.hash, { kind: 'scene', scene: { class: 'stall' } });
    expect(await other.history.verifyAndApply(later.bytes, 1)).toMatchObject({ code: 'claim-downgrade' });
  });

  it('that names this person beside the KEM key of another is refused', async () => {
    const [owner, person] = [newPerson(), newPerson()];
    for (const isSwapped of [true, false]) {
      const page = new ClaimingPage();
      const { ed25519 } = recipientOf(page.keys);
      const kem = kemHash(nodeSuite, isSwapped ? kemKeyOf(person) : await page.kem.own.publicKey());
      const first = new SealingCamera([owner]).claim.value.recipients[0];
      if (first === undefined) throw new Error('no recipient');
      const camera = new SealingCamera([owner], { recipients: [first, { ed25519, kem, role: 'member' }] });
      const code = await asyncCodeOf(() => page.history.addClaim(camera.claim.bytes));
      // The control is a household that was not accepted yet.
      expect(code).toBe(isSwapped ? 'recipient-swapped' : 'household-unknown');
    }
  });
});
