import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { Sessions, type Challenge } from '../../../../cloud/api/sessions.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { Signer } from '../../../../protocol/crypto/suite.js';
import { sessionKind } from '../../../../protocol/objects/session.js';
import { signObject } from '../../../../protocol/objects/signed-object.js';
import { codeOf } from '../../../support/codes.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';
import { CLOUD, PAGE } from '../../../support/worlds/api-world.js';

class World {
  readonly clock = new VirtualClock();
  readonly sessions: Sessions;

  constructor(sessionsMax = 100) {
    const settings = { cloudOrigin: () => CLOUD, pageOrigins: [PAGE], lifetimeMs: 3_600_000, sessionsMax };
    this.sessions = new Sessions(settings, nodeSuite, this.clock, realRandom);
  }

  sign(signer: Signer, { nonce, expiresAtMs }: Challenge): Uint8Array {
    const challenge = { cloudOrigin: CLOUD, pageOrigin: PAGE, nonce, expiresAtMs };
    return signObject(sessionKind, nodeSuite, signer, challenge).bytes;
  }

  open(signer: Signer, challenge = this.sessions.challenge(), address = ''): string {
    return this.sessions.open(this.sign(signer, challenge), PAGE, [], address).token;
  }

  isOpen(token: string): boolean {
    return codeOf(() => this.sessions.of(`Bearer ${token}`)) === 'accepted';
  }
}

const person = (): Signer => nodeSuite.ed25519Signer(realRandom.bytes(32));

describe('a challenge', () => {
  it('is not pushed out by those of strangers', () => {
    const world = new World();
    const first = world.sessions.challenge();
    for (let i = 0; i < 20_000; i++) world.sessions.challenge();
    expect(world.isOpen(world.open(person(), first))).toBe(true);
  });

  it('is good once, for one minute, as it was made, and in its own process', () => {
    const world = new World();
    const opened = (challenge: Challenge): string => codeOf(() => world.open(person(), challenge));
    const challenge = world.sessions.challenge();
    const later = { ...challenge, expiresAtMs: challenge.expiresAtMs + 1 };
    const longer = { ...challenge, nonce: challenge.nonce.map((byte, i) => (i === 3 ? byte + 1 : byte)) };
    expect([later, longer].map(opened)).toEqual(['session-refused', 'session-refused']);
    expect(opened(new World().sessions.challenge())).toBe('session-refused');
    expect(opened(challenge)).toBe('accepted');
    expect(opened(challenge)).toBe('session-refused');
    const old = world.sessions.challenge();
    world.clock.advance(60_000);
    expect(opened(old)).toBe('session-refused');
  });
});

describe('a session', () => {
  it('is not pushed out by those of another address, which loses its own oldest', () => {
    const world = new World(50);
    const anna = world.open(person(), world.sessions.challenge(), '192.0.2.1');
    const theirs: string[] = [];
    for (let i = 0; i < 200; i++) theirs.push(world.open(person(), world.sessions.challenge(), '198.51.100.1'));
    expect(world.isOpen(anna)).toBe(true);
    expect(world.sessions.count).toBeLessThanOrEqual(50);
    // The control: the same number from the same address ends the oldest there.
    expect(world.isOpen(theirs[0] ?? '')).toBe(false);
    expect(world.isOpen(theirs.at(-1) ?? '')).toBe(true);
  });

  it('is pushed out by newer ones of the same person alone', () => {
    const world = new World();
    const anna = person();
    const first = world.open(anna);
    const other = world.open(person());
    for (let i = 0; i < 31; i++) world.open(anna);
    expect(world.isOpen(first)).toBe(true);
    world.open(anna);
    expect([world.isOpen(first), world.isOpen(other)]).toEqual([false, true]);
  });
});
