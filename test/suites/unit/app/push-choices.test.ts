import { expect, it } from 'vitest';
import { firstChoices, PUSH_KINDS, pushChoices as ofPage } from '../../../../app/core/push-choices.js';
import { pushChoices as ofCloud } from '../../../../cloud/push/choices.js';
import { LIMITS } from '../../../../common/limits.js';
import * as v from '../../../../common/schema.js';

const first = firstChoices('Europe/Berlin');
const quiet = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ fromMinute: 60 * i, toMinute: 60 * i + 30 }));
const cameras = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [String(i).padStart(64, '0'), ['motion']]));
const hour = (fromMinute: unknown) => ({ ...first, quiet: [{ fromMinute, toMinute: 0 }] });

it.each([
  ['what a browser begins with', first, true],
  ['no kind', { ...first, kinds: [] }, true],
  ['every kind twice', { ...first, kinds: [...PUSH_KINDS, ...PUSH_KINDS] }, false],
  ['a kind of a later version', { ...first, kinds: ['weather'] }, false],
  ['the most quiet hours', { ...first, quiet: quiet(LIMITS.pushQuietMax) }, true],
  ['more quiet hours', { ...first, quiet: quiet(LIMITS.pushQuietMax + 1) }, false],
  ['the last minute of a day', hour(1439), true],
  ['a minute after it', hour(1440), false],
  ['a minute before it', hour(-1), false],
  ['half a minute', hour(0.5), false],
  ['the most cameras', { ...first, cameras: cameras(LIMITS.pushCamerasMax) }, true],
  ['more cameras', { ...first, cameras: cameras(LIMITS.pushCamerasMax + 1) }, false],
  ['a camera in capitals', { ...first, cameras: { ['A'.repeat(64)]: [] } }, false],
  ['a camera with another kind', { ...first, cameras: { ['0'.repeat(64)]: ['weather'] } }, false],
  ['a long time zone', firstChoices('A'.repeat(65)), false],
])('page and cloud say the same of choices with %s', (_what, choices, isGood) => {
  expect([v.safeParse(ofPage, choices).success, v.safeParse(ofCloud, choices).success]).toEqual([isGood, isGood]);
});
