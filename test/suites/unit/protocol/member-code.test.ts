import { describe, expect, it } from 'vitest';
import { concat } from '../../../../common/bytes.js';
import { formatCode } from '../../../../protocol/objects/checked-code.js';
import { memberKind, memberNumber } from '../../../../protocol/objects/member.js';
import { formatMemberCode, memberLink, parseMemberCode } from '../../../../protocol/objects/member-code.js';
import { signObject } from '../../../../protocol/objects/signed-object.js';
import { codeOf } from '../../../support/codes.js';
import { suites } from '../../../support/runner/suites.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';

describe.each(suites)('a member code ($name)', (suite) => {
  const person = new CameraWorld();
  const attacker = new CameraWorld();

  it('carries both keys, as typed and in a link', () => {
    const code = formatMemberCode(suite, person.member);
    for (const form of [
      code,
      code.toLowerCase(),
      code.replaceAll('-', ' '),
      memberLink('https://app.example/', code),
    ]) {
      expect(parseMemberCode(suite, form).value).toEqual(person.recipient);
    }
  });

  it('shows another number for another encryption key beside the same signing key', () => {
    const swapped = { ...person.recipient, x25519: attacker.recipient.x25519 };
    const resigned = signObject(memberKind, suite, person.owner, swapped);
    expect(memberNumber(resigned)).not.toBe(memberNumber(person.member));
    // The control: the same keys signed once more are the same number, whatever the bytes of the signature.
    const again = signObject(memberKind, suite, person.owner, person.recipient);
    expect(memberNumber(again)).toBe(memberNumber(person.member));
  });

  it('is refused where somebody on its way replaced a key', () => {
    const { bytes } = person.member;
    for (const [at, key] of [
      [bytes.length - 66 - 32, attacker.recipient.x25519],
      [bytes.length - 66 - 32 - 3 - 32, attacker.recipient.ed25519],
    ] as const) {
      const forged = concat(bytes.slice(0, at), key, bytes.slice(at + key.length));
      expect(codeOf(() => parseMemberCode(suite, formatCode(suite, forged)))).toBe('bad-signature');
    }
    // Signed by the attacker, it is the attacker's own code, with another number.
    const signed = signObject(memberKind, suite, attacker.owner, attacker.recipient);
    expect(memberNumber(parseMemberCode(suite, formatMemberCode(suite, signed)))).not.toBe(memberNumber(person.member));
  });

  it('is refused when it is cut, mistyped, or of a version before the signed one', () => {
    const code = formatMemberCode(suite, person.member);
    const mistyped = code.replace(/[A-M]/, 'Z');
    const { x25519, ed25519 } = person.recipient;
    for (const wrong of [code.slice(1), mistyped, formatCode(suite, concat(x25519, ed25519)), '']) {
      expect(codeOf(() => parseMemberCode(suite, wrong))).toBe('claim-code-invalid');
    }
  });
});
