import { concat } from '../../../../common/bytes.js';
import { asSealcamError } from '../../../../common/errors.js';
import { AccessUnitSplitter } from '../../../../hal/h264/access-units.js';
import { readSequence } from '../../../../hal/h264/sequence.js';
import { H264Track } from '../../../../hal/h264/track.js';
import { DELTA, KEY, MORE, SPS } from '../../../support/h264-units.js';
import type { Target } from '../harness.js';
import { below, mutateBytes, oneOf } from '../mutate.js';

/** Lengths of the units, or error codes, in order. */
function resultsOf(splitter: AccessUnitSplitter, chunks: readonly Uint8Array[]): (number | string)[] {
  const out: (number | string)[] = [];
  for (const chunk of chunks) {
    for (let rest = chunk, isDone = false; !isDone; rest = rest.subarray(rest.length)) {
      try {
        for (const { bytes } of splitter.push(rest, 0)) out.push(bytes.length);
        isDone = true;
      } catch (error) {
        out.push(asSealcamError(error).code);
      }
    }
  }
  const last = splitter.end();
  return last === null ? out : [...out, last.bytes.length];
}

/** Checks that units do not depend on how the pipe splits them. */
const accessUnits: Target = {
  name: 'H.264 stream',
  input: (random) => {
    const parts = Array.from({ length: 1 + below(random, 5) }, () => {
      const unit = oneOf(random, [KEY, DELTA, concat(DELTA, MORE)]);
      return below(random, 2) === 0 ? unit : mutateBytes(random, unit);
    });
    return concat(...parts);
  },
  run: (input) => {
    const whole = resultsOf(new AccessUnitSplitter(), [input]).join();
    const chunks = Array.from({ length: Math.ceil(input.length / 7) }, (_, i) => input.subarray(7 * i, 7 * i + 7));
    const pieces = resultsOf(new AccessUnitSplitter(), chunks).join();
    if (whole !== pieces) throw new Error(`units of ${whole}, or of ${pieces}`);
    new H264Track({ onUnit: () => undefined, onFault: () => undefined }).push(input, 0);
    return undefined;
  },
};

const sequence: Target = {
  name: 'H.264 sequence parameter set',
  input: (random) => mutateBytes(random, SPS.subarray(4)),
  run: (input) => {
    readSequence(input);
    return undefined;
  },
};

export const VIDEO_TARGETS: readonly Target[] = [accessUnits, sequence];
