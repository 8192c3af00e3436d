import { describe, expect, it } from 'vitest';
import type { MemberKeys } from '../../../../app/core/member-keys.js';
import { furtherBrowsers, ownedNow, rootElsewhere, takesBrowsers } from '../../../../app/core/own-browsers.js';
import type { CameraView } from '../../../../app/core/session-view.js';

const key = (n: number): Uint8Array => new Uint8Array(32).fill(n);
const named = (n: number, role: 'owner' | 'member' = 'owner'): MemberKeys => ({ ed25519: key(n), kem: key(n), role });
const ROOT = named(1);
const PHONE = named(2);
const BEN = named(3, 'member');

function camera(device: string, members: readonly MemberKeys[], change: Partial<CameraView> = {}): CameraView {
  const rest = { epoch: 1, isOwned: true, mayOrder: true, hasEnded: false };
  return { device, members, ...rest, ...change } as unknown as CameraView;
}

const devices = (cameras: readonly CameraView[]): string[] => cameras.map(({ device }) => device);

describe('the further browsers of an owner', () => {
  it('are those that a present claim names as an owner beside the root key, with the cameras that name them and the rest', () => {
    const door = camera('door', [ROOT, PHONE, BEN]);
    const hall = camera('hall', [ROOT, BEN]);
    const old = camera('old', [{ ed25519: key(1), x25519: key(1) }]);
    const [phone, ...others] = furtherBrowsers([door, hall, old]);
    expect(others).toEqual([]);
    expect(phone?.keys).toBe(PHONE);
    expect(devices(phone?.cameras ?? [])).toEqual(['door']);
    // A claim of version 1 cannot name it.
    expect(devices(phone?.missing ?? [])).toEqual(['hall']);
    expect([door, hall, old].map(takesBrowsers)).toEqual([true, true, false]);
  });

  it('are not those of an earlier claim, of an ownership that is over, or of a camera of somebody else', () => {
    const before = camera('door', [ROOT, PHONE]);
    const now = camera('door', [ROOT], { epoch: 2 });
    const released = camera('hall', [ROOT, PHONE], { hasEnded: true });
    const shared = camera('yard', [BEN, PHONE], { isOwned: false });
    expect(furtherBrowsers([before, now, released, shared])).toEqual([]);
    expect(devices(ownedNow([before, now, released, shared]))).toEqual(['door']);
  });
});

describe('a browser whose root key is elsewhere', () => {
  const shared = { isOwned: false };

  it('is one that gives orders without having the root key, as long as a claim names it', () => {
    expect(rootElsewhere([camera('door', [ROOT, PHONE], shared)])).toEqual(key(1));
    expect(rootElsewhere([camera('door', [ROOT, PHONE], { ...shared, hasEnded: true })])).toBeNull();
  });

  it('is neither a member nor an owner of a camera', () => {
    expect(rootElsewhere([])).toBeNull();
    expect(rootElsewhere([camera('door', [ROOT, BEN], { ...shared, mayOrder: false })])).toBeNull();
    expect(rootElsewhere([camera('door', [PHONE])])).toBeNull();
  });
});
