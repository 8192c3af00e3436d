/** Names of what the mock camera can show, for the configuration; hal/mock/scenarios.ts builds the scripts. */
export const SCENES = ['porch', 'garden', 'driveway'] as const;
/** Scenarios with a known right answer, which test/suites/contract/golden.test.ts checks. */
export const GOLDEN_NAMES = [
  'empty-night',
  'leaves',
  'downpour',
  'snow',
  'insect',
  'web',
  'headlights',
  'lamp-alone',
  'lamp-person',
  'cloud',
  'sunrise',
  'ir-flip',
  'gain',
  'shake',
  'overlay-clock',
  'covered',
  'defocused',
  'turned',
  'far',
  'near',
  'standing',
  'crossing',
  'at-start',
  'slow-frames',
  'fast-frames',
  'hurry-near',
  'hurry-far',
  'uncovered',
  'one-frame-a-second',
] as const;
export type GoldenName = (typeof GOLDEN_NAMES)[number];
export const SCENARIOS = [
  'walk',
  'quiet',
  'night',
  'rain',
  'lamp',
  'stall',
  'clock-jump',
  'corrupt',
  ...GOLDEN_NAMES,
] as const;
export type SceneName = (typeof SCENES)[number];
export type Scenario = (typeof SCENARIOS)[number];
