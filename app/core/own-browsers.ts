import { toHex } from '../../common/bytes.js';
import type { MemberKeys } from './member-keys.js';
import { currentOf } from './presence.js';
import type { CameraView } from './session-view.js';

/** A further browser of the owner: claims name it with the role of an owner, and it has not the root key. */
export interface FurtherBrowser {
  readonly keys: MemberKeys;
  /** The cameras whose present claim names it. */
  readonly cameras: readonly CameraView[];
  /** The owner's cameras of version 2 whose present claim does not. */
  readonly missing: readonly CameraView[];
}

/** Returns the cameras that this browser has the root key of, each under its present claim. */
export function ownedNow(cameras: readonly CameraView[]): readonly CameraView[] {
  return currentOf(cameras).filter(({ isOwned, hasEnded }) => isOwned && !hasEnded);
}

/** Returns whether the claim of a camera can name further browsers: in version 1 all browsers of an owner share one key. */
export function takesBrowsers({ members }: CameraView): boolean {
  return members[0]?.kem !== undefined;
}

/** Returns whether this is another browser of the owner's, in the list of a camera's members. */
export function isFurtherBrowser(member: MemberKeys, at: number): boolean {
  return at > 0 && member.role === 'owner';
}

/** Returns the further browsers that the present claims name, in the order of the cameras. */
export function furtherBrowsers(cameras: readonly CameraView[]): readonly FurtherBrowser[] {
  const owned = ownedNow(cameras);
  const keys = new Map<string, MemberKeys>();
  for (const { members } of owned) {
    for (const member of members.filter(isFurtherBrowser)) keys.set(toHex(member.ed25519), member);
  }
  const names = ({ members }: CameraView, hex: string): boolean =>
    members.some((member, at) => isFurtherBrowser(member, at) && toHex(member.ed25519) === hex);
  return [...keys].map(([hex, member]) => ({
    keys: member,
    cameras: owned.filter((camera) => names(camera, hex)),
    missing: owned.filter((camera) => takesBrowsers(camera) && !names(camera, hex)),
  }));
}

/** Returns the root key of the owner whose claims name this browser with the role of an owner; null without such a claim. */
export function rootElsewhere(cameras: readonly CameraView[]): Uint8Array | null {
  const named = currentOf(cameras).find(({ mayOrder, isOwned, hasEnded }) => mayOrder && !isOwned && !hasEnded);
  return named?.members[0]?.ed25519 ?? null;
}
