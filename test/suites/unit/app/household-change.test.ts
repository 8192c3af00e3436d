import { describe, expect, it } from 'vitest';
import { changeHousehold, stepOfAll, type CameraChange } from '../../../../app/core/household-change.js';
import type { MemberChange } from '../../../../app/core/owner.js';
import { noteSignedOut, signedOut } from '../../../../app/core/signed-out.js';
import { MemoryStorage } from '../../../../app/core/storage.js';
import { SealcamError } from '../../../../common/errors.js';

const key = (n: number): Uint8Array => new Uint8Array(32).fill(n);
const camera = (n: number) => ({
  device: n.toString(16).padStart(64, '0'),
  epoch: n,
  members: [{ ed25519: key(1) }, { ed25519: key(2) }],
});

describe('a change of a household', () => {
  it('goes to all cameras at once: neither one that is away nor one that refuses holds up the others', async () => {
    const asked: MemberChange[] = [];
    let comeBack: (epoch: number) => void = () => undefined;
    const owner = {
      changeMembers: (change: MemberChange): Promise<number> => {
        asked.push(change);
        if (change.epoch === 2) return Promise.reject(new SealcamError('claim-refused', 'refused'));
        if (change.epoch === 3) return new Promise((resolve) => (comeBack = resolve));
        change.onStep('claim-sent');
        change.onStep('accepted');
        return Promise.resolve(2);
      },
    };
    let seen: readonly CameraChange[] = [];
    const ending = changeHousehold({
      owner,
      cameras: [camera(1), camera(2), camera(3)],
      next: (members) => [...members, { ed25519: key(9) }],
      needsVersionTwo: true,
      onChange: (changes) => (seen = changes),
      onKeptBack: () => undefined,
      signal: new AbortController().signal,
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen.map(({ step, problem }) => [step, problem?.code ?? null])).toEqual([
      ['accepted', null],
      ['waiting-for-camera', 'claim-refused'],
      ['waiting-for-camera', null],
    ]);
    expect(stepOfAll(seen)).toBe('waiting-for-camera');
    expect(asked.map(({ epoch, members }) => [epoch, members.map(({ ed25519 }) => ed25519[0])])).toEqual([
      [1, [2, 9]],
      [2, [2, 9]],
      [3, [2, 9]],
    ]);
    asked[2]?.onStep('accepted');
    comeBack(4);
    const ended = await ending;
    expect(ended.map(({ step }) => step)).toEqual(['accepted', 'waiting-for-camera', 'accepted']);
    expect(stepOfAll(ended)).toBe('accepted');
    expect(stepOfAll([])).toBeNull();
  });
});

describe('browsers that were signed out', () => {
  it('are remembered until they are added again', async () => {
    const storage = new MemoryStorage();
    expect(await signedOut(storage)).toEqual([]);
    for (const n of [1, 2, 1]) await noteSignedOut(storage, { ed25519: key(n) }, true);
    expect(await signedOut(storage)).toEqual(['02'.repeat(32), '01'.repeat(32)]);
    await noteSignedOut(storage, { ed25519: key(2) }, false);
    expect(await signedOut(storage)).toEqual(['01'.repeat(32)]);
  });
});
