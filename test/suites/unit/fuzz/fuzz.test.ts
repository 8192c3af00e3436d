import { describe, expect, it } from 'vitest';
import { SealcamError } from '../../../../common/errors.js';
import type { SealedContent } from '../../../../protocol/seal/content.js';
import { decodeCbor, encodeCbor, type Cbor } from '../../../../protocol/wire/cbor.js';
import { CALL_MAX_MS, cpuMs, fuzz, inputOf, type Target } from '../../../campaigns/fuzz/harness.js';
import { besideOldDecoder } from '../../../campaigns/fuzz/targets/decoders.js';
import { TARGETS } from '../../../campaigns/fuzz/targets/index.js';
import { besidePage } from '../../../campaigns/fuzz/targets/openers.js';
import { limitMs } from '../../../support/runner/speed.js';

const SEED = 4;
const limits = { maxBytes: 4096, maxDepth: 8, maxItems: 1024 };

function run(targets: readonly Target[], iterations: number): ReturnType<typeof fuzz> {
  return fuzz(targets, { seed: SEED, firstIteration: 0, iterations, isOver: () => false, onStart: () => undefined });
}

const cbor = TARGETS.find(({ name }) => name === 'CBOR');
if (cbor === undefined) throw new Error('no target CBOR');

/** A CBOR decoder with a planted bug, and the inputs of the real one. */
function broken(decode: (input: Uint8Array) => Uint8Array | undefined): Target {
  return { ...cbor, name: 'broken', input: (random) => cbor?.input(random) ?? new Uint8Array(0), run: decode };
}

function refusing(): never {
  throw new SealcamError('malformed', 'refused');
}

describe('fuzzing', () => {
  it('finds nothing in any decoder, in a short run', { timeout: limitMs(60_000) }, async () => {
    const { tallies, failures } = await run(TARGETS, 60);
    expect(failures).toEqual([]);
    for (const { executions, accepted, refused } of tallies) expect([accepted + refused, executions]).toEqual([60, 60]);
    // Inputs that are all refused, or all accepted, would leave half of a decoder untested.
    const signed = tallies.filter(({ target }) => target.startsWith('signed '));
    expect(signed.filter(({ accepted, refused }) => accepted === 0 || refused === 0)).toEqual([]);
  });

  it(
    'finds both CBOR decoders of one opinion, and catches one that reads more',
    { timeout: limitMs(60_000) },
    async () => {
      expect((await run([besideOldDecoder(decodeCbor)], 3000)).failures).toEqual([]);
      const lenient = { ...limits, maxItems: 100_000, maxBytes: 1 << 20 };
      const broken: readonly [string, typeof decodeCbor][] = [
        ['other limits', (bytes) => decodeCbor(bytes, lenient)],
        ['tags', (bytes, own) => decodeCbor(bytes[0] === 0xc2 ? bytes.subarray(1) : bytes, own)],
        ['bytes after the end', (bytes, own) => decodeCbor(bytes.at(-1) === 0xff ? bytes.subarray(0, -1) : bytes, own)],
        ['one map less', (bytes, own) => (bytes[0] === 0xa0 ? refusing() : decodeCbor(bytes, own))],
        ['another value', (bytes, own) => (bytes[0] === 0xf4 ? null : decodeCbor(bytes, own))],
      ];
      for (const [name, decode] of broken) {
        const { failures } = await run([besideOldDecoder(decode)], 20_000);
        expect([name, failures.map(({ property }) => property)]).toEqual([name, ['typed error only']]);
      }
    },
  );

  it('catches a page that shows what the command refuses', { timeout: limitMs(60_000) }, async () => {
    const open = (): Promise<SealedContent> => Promise.resolve({ detail: {}, jpeg: null });
    const { failures } = await run([besidePage({ open })], 60);
    expect(failures.map(({ property }) => property)).toEqual(['typed error only']);
  });

  it('gives the same inputs for the same seed', () => {
    for (const target of TARGETS.slice(0, 20)) {
      expect(inputOf(target, SEED, 3)).toEqual(inputOf(target, SEED, 3));
    }
    const inputs = Array.from({ length: 50 }, (_, i) => Buffer.from(inputOf(cbor, SEED, i)).toString('hex'));
    expect(new Set(inputs).size).toBeGreaterThan(40);
  });

  it('catches an error that is not the typed one', async () => {
    const { failures } = await run(
      [
        broken((input) => {
          if (input[0] === 0x83) throw new TypeError('cannot read properties of undefined');
          return undefined;
        }),
      ],
      500,
    );
    expect(failures).toMatchObject([{ target: 'broken', seed: SEED, property: 'typed error only' }]);
    const [failure] = failures;
    const again = inputOf(cbor, SEED, failure?.iteration ?? -1);
    expect(failure?.input).toBe(Buffer.from(again).toString('base64'));
  });

  it('catches a decoder that accepts a second encoding', async () => {
    // This one ignores trailing bytes.
    const { failures } = await run(
      [
        broken((input) => {
          for (let length = input.length; length > 0; length--) {
            try {
              return encodeCbor(decodeCbor(input.slice(0, length), limits) as Cbor);
            } catch (error) {
              if (!(error instanceof SealcamError)) throw error;
            }
          }
          throw new SealcamError('malformed', 'no prefix is CBOR');
        }),
      ],
      500,
    );
    expect(failures).toMatchObject([{ property: 're-encodes to the same bytes' }]);
  });

  it('catches a call that takes too long', async () => {
    const { failures } = await run(
      [
        broken(() => {
          // Both clocks: other threads of this process spend processor time too, so that it can run ahead of the wall's.
          const [startMs, cpuStart] = [performance.now(), process.cpuUsage()];
          while (Math.min(performance.now() - startMs, cpuMs(cpuStart)) < CALL_MAX_MS + 10);
          return undefined;
        }),
      ],
      1,
    );
    expect(failures).toMatchObject([{ property: 'no hang' }]);
  });

  it('catches an internal error that is wrapped in the typed one', async () => {
    const { failures } = await run(
      [
        broken(() => {
          throw new SealcamError('internal', 'a fault');
        }),
      ],
      1,
    );
    expect(failures).toMatchObject([{ property: 'typed error only' }]);
  });
});
