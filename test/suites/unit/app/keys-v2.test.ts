import { describe, expect, it } from 'vitest';
import { formatMemberCodes, memberCodesLink, parseMemberCodes } from '../../../../app/core/member-codes.js';
import { MemberBook } from '../../../../app/core/member-keys.js';
import { OwnKem } from '../../../../app/core/own-kem.js';
import { memberOf, memberV2Of, ownerKeys, recipientOf } from '../../../../app/core/owner-keys.js';
import { openRecoveryFile } from '../../../../app/core/recovery-file.js';
import { MemoryStorage } from '../../../../app/core/storage.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { hkdf } from '../../../../protocol/crypto/hkdf.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { tweetnaclSuite } from '../../../../protocol/crypto/tweetnacl.js';
import { encapsulate, xwingKeys } from '../../../../protocol/crypto/xwing.js';
import { kemHash } from '../../../../protocol/objects/kem-keys.js';
import { memberNumber } from '../../../../protocol/objects/member.js';
import { formatMemberCode, parseMemberCode } from '../../../../protocol/objects/member-code.js';
import { seal, unseal } from '../../../../protocol/seal/seal.js';
import { codeOf } from '../../../support/codes.js';
import { cheapRecoveryFile } from '../../../support/recovery-file.js';
import { kemKeyOf, newPerson } from '../../../support/worlds/sealing-camera.js';

const PAGE = 'https://page.example/';
const PASSPHRASE = 'correct horse battery';

describe('the X-Wing key of an owner', () => {
  it('follows from a recovery file of version 0.1, beside the keys that open what was sealed before', async () => {
    const master = realRandom.bytes(32);
    // As 0.1 derived them.
    const x25519 = nodeSuite.x25519PublicKey(hkdf(nodeSuite, master, 'sealcam/owner/x25519'));
    const context = {
      device: realRandom.bytes(32),
      account: realRandom.bytes(16),
      epoch: 1,
      claimHash: realRandom.bytes(32),
      eventId: realRandom.bytes(16),
      mediaId: realRandom.bytes(16),
    };
    const content = { detail: {}, jpeg: Uint8Array.of(0xff, 0xd8) };
    const old = seal({ suite: nodeSuite, random: realRandom, context, recipients: [x25519], content });
    const restored = await openRecoveryFile(await cheapRecoveryFile(master, PASSPHRASE), PASSPHRASE);
    const keys = ownerKeys(tweetnaclSuite, restored.master);
    expect(unseal(tweetnaclSuite, context, keys.recipient, old)).toEqual(content);
    expect(keys.kemSeed).toEqual(hkdf(nodeSuite, master, 'sealcam/owner/xwing'));
    const publicKey = await new OwnKem(tweetnaclSuite, keys, new MemoryStorage()).publicKey();
    const { enc, shared } = encapsulate(nodeSuite, realRandom, publicKey);
    expect(xwingKeys(nodeSuite, keys.kemSeed).decapsulate(enc)).toEqual(shared);
  });

  it('is made once on a device, and not taken over from another person who used the device before', async () => {
    const storage = new MemoryStorage();
    const [first, second] = [newPerson(), newPerson()];
    const made = await new OwnKem(nodeSuite, first, storage).publicKey();
    expect(made).toEqual(kemKeyOf(first));
    // The seed is not needed again.
    const kept = new OwnKem(nodeSuite, { account: first.account, kemSeed: new Uint8Array(0) }, storage);
    expect(await kept.hash()).toEqual(kemHash(nodeSuite, made));
    expect(await new OwnKem(nodeSuite, second, storage).publicKey()).toEqual(kemKeyOf(second));
  });
});

describe('the codes of a member', () => {
  const person = newPerson();
  const one = memberOf(nodeSuite, person);
  const two = memberV2Of(nodeSuite, person, kemHash(nodeSuite, kemKeyOf(person)));
  const both = formatMemberCodes(nodeSuite, one, two);
  const known = { ...recipientOf(person), kem: two.value.kem };

  it('are read together, typed in any order or from a link, with the number of the newer one', () => {
    const [first = '', second = ''] = both.split('\n');
    for (const form of [
      both,
      `${second}\n${first}`,
      both.replaceAll('-', '').toLowerCase(),
      memberCodesLink(PAGE, both),
    ]) {
      expect(parseMemberCodes(tweetnaclSuite, form)).toEqual({ keys: known, number: memberNumber(two) });
    }
  });

  it('are read one by one, and an older page takes the first of a link', () => {
    const alone = formatMemberCodes(nodeSuite, one, null);
    for (const form of [alone, memberCodesLink(PAGE, alone)]) {
      expect(parseMemberCodes(nodeSuite, form)).toEqual({ keys: recipientOf(person), number: memberNumber(one) });
    }
    const newer = formatMemberCode(nodeSuite, two);
    expect(parseMemberCodes(nodeSuite, newer).keys).toEqual({ ed25519: known.ed25519, kem: known.kem });
    expect(parseMemberCode(nodeSuite, memberCodesLink(PAGE, both)).value).toEqual(recipientOf(person));
  });

  it('are refused where they are of different people, twice the same, or of somebody else beside this number', () => {
    const other = newPerson();
    const theirs = memberV2Of(nodeSuite, other, two.value.kem);
    expect(codeOf(() => parseMemberCodes(nodeSuite, formatMemberCodes(nodeSuite, one, theirs)))).toBe('foreign');
    const twice = `${formatMemberCode(nodeSuite, two)}\n${formatMemberCode(nodeSuite, two)}`;
    expect(codeOf(() => parseMemberCodes(nodeSuite, twice))).toBe('claim-code-invalid');
    // Another KEM key beside the same person is another number.
    const swapped = memberV2Of(nodeSuite, person, kemHash(nodeSuite, kemKeyOf(other)));
    const { number } = parseMemberCodes(nodeSuite, formatMemberCodes(nodeSuite, one, swapped));
    expect(number).not.toBe(memberNumber(two));
    expect(codeOf(() => parseMemberCodes(nodeSuite, both.slice(0, -8)))).toBe('claim-code-invalid');
  });

  it('are kept, so that a claim which names keys of one version does not lose those of the other', async () => {
    const storage = new MemoryStorage();
    const book = new MemberBook(storage);
    await book.load();
    await book.add([known]);
    const later = new MemberBook(storage);
    await later.load();
    expect(later.withKnown(recipientOf(person))).toEqual(known);
    expect(later.withKnown({ ed25519: known.ed25519, kem: known.kem, role: 'owner' })).toEqual({
      ...known,
      role: 'owner',
    });
    expect(later.keepBack([recipientOf(person)])).toEqual([]);
    // The control: a person who showed nothing.
    expect(later.keepBack([recipientOf(newPerson())])).toHaveLength(1);
  });
});
