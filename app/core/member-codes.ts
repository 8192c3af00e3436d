import { equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { memberNumber, type Member, type MemberV2 } from '../../protocol/objects/member.js';
import { MEMBER_FRAGMENT } from '../../protocol/objects/link-fragments.js';
import { formatMemberCode, parseAnyMemberCode } from '../../protocol/objects/member-code.js';
import { versionOf, type Verified } from '../../protocol/objects/signed-object.js';
import { MEMBER_FRAGMENT_V2, type MemberKeys } from './member-keys.js';

/** What a person showed: their keys, and the number that both screens must show. */
export interface ShownMember {
  readonly keys: MemberKeys;
  readonly number: string;
}

/**
 * Returns the codes that a person shows, for cameras of both versions; without a member object of version 2, which needs the
 * cloud, only the first.
 */
export function formatMemberCodes(suite: CryptoSuite, one: Verified<Member>, two: Verified<MemberV2> | null): string {
  return [one, two].flatMap((member) => (member === null ? [] : [formatMemberCode(suite, member)])).join('\n');
}

/** Returns the link for the QR code of both codes. */
export function memberCodesLink(pageUrl: string, codes: string): string {
  const url = new URL(pageUrl);
  const [one = '', two] = codes.split('\n').map((code) => code.replaceAll('-', ''));
  url.hash = `${MEMBER_FRAGMENT}=${one}${two === undefined ? '' : `&${MEMBER_FRAGMENT_V2}=${two}`}`;
  return url.toString();
}

/**
 * Reads one code or both, as typed or in a link. Their number is that of the member object of version 2 where there is one: its
 * signer signed the other one too.
 *
 * @throws SealcamError `claim-code-invalid`, `bad-signature`, `foreign`, `malformed`
 */
export function parseMemberCodes(suite: CryptoSuite, typed: string): ShownMember {
  const members = codesIn(typed).map((code) => parseAnyMemberCode(suite, code));
  const [first, second] = members;
  if (first === undefined) throw new SealcamError('claim-code-invalid', 'there is no code');
  if (second !== undefined && versionOf(second.value) === versionOf(first.value)) {
    throw new SealcamError('claim-code-invalid', 'one of the two codes is missing');
  }
  if (second !== undefined && !equal(second.kid, first.kid)) {
    throw new SealcamError('foreign', 'the two codes are of different people');
  }
  const newest = members.find(({ value }) => versionOf(value) === 2) ?? first;
  const keys = members.reduce<MemberKeys>((known, { value }) => ({ ...known, ...keysOf(value) }), keysOf(first.value));
  return { keys, number: memberNumber(newest) };
}

/** A code holds no letter but these, and both have one length. */
function codesIn(typed: string): string[] {
  const fragment = typed.split('#')[1];
  if (fragment !== undefined) {
    const parameters = new URLSearchParams(fragment);
    const found = [MEMBER_FRAGMENT, MEMBER_FRAGMENT_V2].flatMap((name) => parameters.get(name) ?? []);
    return found.length === 0 ? [typed] : found;
  }
  const characters = typed.replace(/[\s-]/g, '');
  const half = characters.length / 2;
  return characters.length > CODE_CHARACTERS ? [characters.slice(0, half), characters.slice(half)] : [characters];
}

/** A member object of 184 bytes and its checksum, in base32. */
const CODE_CHARACTERS = 301;

function keysOf(member: Member | MemberV2): MemberKeys {
  const { ed25519 } = member;
  return 'x25519' in member ? { ed25519, x25519: member.x25519 } : { ed25519, kem: member.kem };
}
