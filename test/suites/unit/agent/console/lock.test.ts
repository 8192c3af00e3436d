import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../../common/adapters/real-random.js';
import { toBase64 } from '../../../../../common/bytes.js';
import { ConsoleLock } from '../../../../../agent/console/lock.js';
import { nodeSuite } from '../../../../../protocol/crypto/node.js';
import { signObject } from '../../../../../protocol/objects/signed-object.js';
import { unlockKind, type Unlock } from '../../../../../protocol/objects/unlock.js';
import { codeOf } from '../../../../support/codes.js';
import { VirtualClock } from '../../../../support/runner/virtual-clock.js';

const device = realRandom.bytes(32);
const qa = nodeSuite.ed25519Signer(realRandom.bytes(32));

function world(keys = [qa.publicKey]) {
  const clock = new VirtualClock();
  const lock = new ConsoleLock({ suite: nodeSuite, random: realRandom, clock, device, qaKeys: keys });
  const token = (change: Partial<Unlock> = {}, signer = qa): string =>
    toBase64(
      signObject(unlockKind, nodeSuite, signer, {
        device,
        nonce: lock.challenge().nonce,
        scope: ['diagnose'],
        lifetimeS: 600,
        ...change,
      }).bytes,
    );
  return { clock, lock, token };
}

describe('console lock', () => {
  it('unlocks the scopes of a token, for its lifetime', () => {
    const { clock, lock, token } = world();
    expect(lock.allows('diagnose')).toBe(false);
    lock.unlock(token({ scope: ['diagnose', 'network'] }));
    expect([lock.allows('diagnose'), lock.allows('network'), lock.allows('reset')]).toEqual([true, true, false]);
    clock.advance(599_000);
    expect(lock.state()?.leftS).toBe(1);
    clock.advance(1000);
    expect(lock.state()).toBeNull();
  });

  it.each([
    ['of another camera', { device: realRandom.bytes(32) }],
    ['of another nonce', { nonce: realRandom.bytes(16) }],
  ])('refuses a token %s', (_, change) => {
    const { lock, token } = world();
    expect(codeOf(() => lock.unlock(token(change)))).toBe('unlock-refused');
    // The control: without that change it unlocks.
    expect(codeOf(() => lock.unlock(token()))).toBe('accepted');
  });

  it('refuses a token of an unknown key, altered bytes, and text that is not a token', () => {
    const { lock, token, clock } = world();
    const stranger = nodeSuite.ed25519Signer(realRandom.bytes(32));
    const altered = token().replace(/.{6}$/, 'AAAAAA');
    for (const text of [token({}, stranger), altered, 'not base64!', '', 'AAAA']) {
      expect(codeOf(() => lock.unlock(text))).toBe('unlock-refused');
      clock.advance(600_000);
    }
    expect(lock.state()).toBeNull();
  });

  it('accepts a token once', () => {
    const { lock, token } = world();
    const text = token();
    lock.unlock(text);
    lock.lock();
    expect(codeOf(() => lock.unlock(text))).toBe('unlock-refused');
  });

  it('makes anyone who guesses wait, and a valid token too', () => {
    const { lock, token, clock } = world();
    for (let i = 0; i < 3; i++) expect(codeOf(() => lock.unlock('AAAA'))).toBe('unlock-refused');
    expect(codeOf(() => lock.unlock(token()))).toBe('console-locked');
    clock.advance(2000);
    expect(codeOf(() => lock.unlock('AAAA'))).toBe('unlock-refused');
    clock.advance(2000);
    expect(codeOf(() => lock.unlock(token()))).toBe('console-locked');
    clock.advance(2000);
    expect(codeOf(() => lock.unlock(token()))).toBe('accepted');
  });

  it('accepts a token for ten minutes from when its nonce was shown, by the monotonic clock', () => {
    const { lock, token, clock } = world();
    const late = token();
    clock.advance(599_000);
    // To show it again does not prolong it.
    expect(lock.challenge().leftS).toBe(1);
    clock.wallStartMs -= 86_400_000;
    clock.advance(1000);
    expect(codeOf(() => lock.unlock(late))).toBe('unlock-refused');
    expect(lock.challenge().leftS).toBe(600);
    // The control: a second earlier it unlocks.
    const inTime = token();
    clock.advance(599_000);
    expect(codeOf(() => lock.unlock(inTime))).toBe('accepted');
  });

  it('accepts no token for a nonce that it did not show', () => {
    const { lock, token } = world();
    const shown = token();
    const again = world();
    expect(codeOf(() => again.lock.unlock(shown))).toBe('unlock-refused');
    expect(codeOf(() => lock.unlock(shown))).toBe('accepted');
  });

  it.each([
    [2, 'accepted'],
    [3, 'unlock-refused'],
  ])('after %i wrong tokens: a token for the nonce before them is %s', (wrong, verdict) => {
    const { lock, token, clock } = world();
    const made = token();
    for (let i = 0; i < wrong; i++) expect(codeOf(() => lock.unlock('AAAA'))).toBe('unlock-refused');
    clock.advance(60_000);
    expect(codeOf(() => lock.unlock(made))).toBe(verdict);
  });

  it('accepts no token without a QA key', () => {
    const { lock, token } = world([]);
    expect(codeOf(() => lock.unlock(token()))).toBe('console-locked');
  });
});
