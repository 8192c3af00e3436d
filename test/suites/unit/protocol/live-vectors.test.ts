import { describe, expect, it } from 'vitest';
import { toHex } from '../../../../common/bytes.js';
import { xwingKeys } from '../../../../protocol/crypto/xwing.js';
import { liveKey } from '../../../../protocol/seal/live-key.js';
import {
  decodeInitialisation,
  decodeUnit,
  encodeInitialisation,
  encodeUnit,
} from '../../../../protocol/transport/live-content.js';
import { LiveOpener } from '../../../../protocol/transport/live-session.js';
import { codeOf } from '../../../support/codes.js';
import { suites } from '../../../support/runner/suites.js';
import { hex, readVectors } from '../../../support/vectors.js';

interface Shown {
  readonly kind: string;
  readonly plaintext: string;
}
const vectors = readVectors<
  Readonly<
    Record<
      'viewerSeed' | 'ciphertext' | 'secret' | 'orderHash' | 'claimHash' | 'answerHash' | 'key' | 'session',
      string
    >
  > & {
    readonly messages: readonly string[];
    readonly cases: readonly {
      readonly name: string;
      readonly arrive: readonly number[];
      readonly shown: readonly Shown[];
      readonly received: number;
      readonly missing: number;
      readonly repeated: number;
    }[];
    readonly bad: readonly {
      readonly name: string;
      readonly of: 'initialisation' | 'picture' | 'message';
      readonly bytes: string;
      readonly expect: string;
    }[];
  }
>('live');

describe.each(suites)('a look, by the suite $name', (suite) => {
  const opener = (): LiveOpener => new LiveOpener(suite, hex(vectors.session), hex(vectors.key));

  it('has the key of its viewer, order, claim and answer', () => {
    const secret = xwingKeys(suite, hex(vectors.viewerSeed)).decapsulate(hex(vectors.ciphertext));
    expect(toHex(secret)).toBe(vectors.secret);
    const context = {
      orderHash: hex(vectors.orderHash),
      claimHash: hex(vectors.claimHash),
      answerHash: hex(vectors.answerHash),
    };
    expect(toHex(liveKey(suite, secret, context))).toBe(vectors.key);
  });

  it.each(vectors.cases)('shows what it should: $name', ({ arrive, shown, received, missing, repeated }) => {
    const own = opener();
    const seen = arrive.flatMap((n) => {
      const arrival = own.open(hex(vectors.messages[n] ?? ''));
      return arrival === null ? [] : [{ kind: arrival.kind, plaintext: toHex(arrival.plaintext) }];
    });
    expect(seen).toEqual(shown);
    expect([own.received, own.missing, own.repeated]).toEqual([received, missing, repeated]);
  });

  it.each(vectors.bad)('refuses: $name', ({ of, bytes, expect: code }) => {
    const actions = {
      initialisation: () => decodeInitialisation(hex(bytes)),
      picture: () => decodeUnit(hex(bytes)),
      message: () => opener().open(hex(bytes)),
    };
    expect(codeOf(actions[of])).toBe(code);
  });
});

it('what a look holds is encoded to the same bytes', () => {
  const shown = vectors.cases.flatMap((each) => each.shown);
  expect(shown.length).toBeGreaterThan(20);
  for (const { kind, plaintext } of shown) {
    if (kind === 'initialisation')
      expect(toHex(encodeInitialisation(decodeInitialisation(hex(plaintext))))).toBe(plaintext);
    else if (kind !== 'end') expect(toHex(encodeUnit(decodeUnit(hex(plaintext))))).toBe(plaintext);
  }
});
