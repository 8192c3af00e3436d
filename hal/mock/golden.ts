import type { GoldenName, HardName } from '../mock-scenarios.js';
import { always, DEFAULTS, during, person, type Golden } from './golden-parts.js';
import { HARD } from './golden-hard.js';
import type { Happening } from './script.js';

const HURRY_EVENTS = [
  [8000, 10_000],
  [16_000, 18_000],
] as const;
const hurryTwice = (size: number): Happening[] => [
  person(8000, 10_000, { size }),
  person(16_000, 18_000, { size, path: 'cross-back', look: 99 }),
];

const TREE_CROWN = { kind: 'leaves', x: 112, y: 84, radius: 80 } as const;

/** The difficulties that a camera meets, one per scenario, most of them with a person in the picture as well. */
const USUAL: Readonly<Record<Exclude<GoldenName, HardName>, Golden>> = {
  'empty-night': {
    ...DEFAULTS,
    scene: 'porch',
    noise: 9,
    happenings: [during(0, 120_000, { kind: 'sunrise', from: 0.3 })],
  },
  leaves: {
    ...DEFAULTS,
    scene: 'garden',
    durationMs: 40_000,
    events: [[24_000, 30_000]],
    happenings: [always(TREE_CROWN), person(24_000, 30_000)],
  },
  downpour: {
    ...DEFAULTS,
    scene: 'driveway',
    events: [[16_000, 22_000]],
    happenings: [during(3000, 120_000, { kind: 'rain', drops: 400 }), person(16_000, 22_000)],
  },
  snow: {
    ...DEFAULTS,
    scene: 'driveway',
    withinMs: 3000,
    events: [[16_000, 22_000]],
    happenings: [during(3000, 120_000, { kind: 'snow', flakes: 100 }), person(16_000, 22_000)],
  },
  insect: { ...DEFAULTS, scene: 'porch', happenings: [during(9000, 9700, { kind: 'insect' })] },
  web: {
    ...DEFAULTS,
    scene: 'porch',
    events: [[20_000, 26_000]],
    happenings: [always({ kind: 'web' }), person(20_000, 26_000)],
  },
  headlights: {
    ...DEFAULTS,
    scene: 'driveway',
    scenes: ['illumination'],
    happenings: [always({ kind: 'sunrise', from: 0.4 }), during(9000, 11_500, { kind: 'headlights' })],
  },
  'lamp-alone': {
    ...DEFAULTS,
    scene: 'porch',
    scenes: ['illumination', 'illumination'],
    happenings: [{ kind: 'lamp', fromMs: 9000, toMs: 20_000 }],
  },
  'lamp-person': {
    ...DEFAULTS,
    scene: 'porch',
    events: [[8000, 16_000]],
    scenes: ['illumination', 'illumination'],
    happenings: [{ kind: 'lamp', fromMs: 9500, toMs: 24_000 }, person(8000, 16_000)],
  },
  cloud: {
    ...DEFAULTS,
    scene: 'garden',
    events: [[20_000, 26_000]],
    happenings: [during(8000, 15_000, { kind: 'cloud', least: 0.55 }), person(20_000, 26_000)],
  },
  sunrise: { ...DEFAULTS, scene: 'garden', happenings: [during(0, 30_000, { kind: 'sunrise', from: 0.25 })] },
  'ir-flip': {
    ...DEFAULTS,
    scene: 'porch',
    durationMs: 40_000,
    events: [[15_000, 21_000]],
    scenes: ['illumination', 'illumination'],
    happenings: [{ kind: 'night', fromMs: 8000, toMs: 28_000 }, person(15_000, 21_000)],
  },
  gain: {
    ...DEFAULTS,
    scene: 'driveway',
    events: [[18_000, 24_000]],
    happenings: [always({ kind: 'gain', swing: 0.2 }), person(18_000, 24_000)],
  },
  shake: {
    ...DEFAULTS,
    scene: 'garden',
    events: [[20_000, 26_000]],
    happenings: [always({ kind: 'shake', pixels: 5 }), person(20_000, 26_000)],
  },
  'overlay-clock': {
    ...DEFAULTS,
    scene: 'garden',
    events: [[20_000, 26_000]],
    scenes: ['overlay'],
    happenings: [always({ kind: 'clock' }), person(20_000, 26_000)],
  },
  covered: { ...DEFAULTS, scene: 'porch', scenes: ['tamper'], happenings: [during(9000, 30_000, { kind: 'cover' })] },
  defocused: {
    ...DEFAULTS,
    scene: 'driveway',
    scenes: ['tamper'],
    happenings: [during(9000, 30_000, { kind: 'defocus' })],
  },
  turned: { ...DEFAULTS, scene: 'driveway', scenes: ['tamper'], happenings: [during(9000, 30_000, { kind: 'turn' })] },
  far: {
    ...DEFAULTS,
    scene: 'garden',
    events: [[10_000, 20_000]],
    happenings: [person(10_000, 20_000, { size: 0.35 })],
  },
  near: {
    ...DEFAULTS,
    scene: 'porch',
    events: [[10_000, 15_000]],
    happenings: [person(10_000, 15_000, { size: 1.7 })],
  },
  standing: {
    ...DEFAULTS,
    scene: 'porch',
    durationMs: 60_000,
    events: [[6000, 50_000]],
    happenings: [person(6000, 50_000, { path: 'stand' })],
  },
  crossing: {
    ...DEFAULTS,
    scene: 'driveway',
    events: [[8000, 16_000]],
    happenings: [person(8000, 15_000), person(9000, 16_000, { path: 'cross-back', look: 99 })],
  },
  'at-start': {
    ...DEFAULTS,
    scene: 'porch',
    events: [[1500, 4000]],
    happenings: [person(-3000, 4000)],
  },
  'slow-frames': {
    ...DEFAULTS,
    scene: 'porch',
    framesPerSecond: 5,
    events: [[10_000, 16_000]],
    happenings: [person(10_000, 16_000)],
  },
  /** A person crosses in two seconds and comes back, at a frame rate at which they are never twice in one place. */
  'hurry-near': {
    ...DEFAULTS,
    scene: 'porch',
    framesPerSecond: 5,
    events: HURRY_EVENTS,
    happenings: hurryTwice(1.7),
  },
  'hurry-far': {
    ...DEFAULTS,
    scene: 'garden',
    framesPerSecond: 5,
    events: HURRY_EVENTS,
    happenings: hurryTwice(0.5),
  },
  uncovered: {
    ...DEFAULTS,
    scene: 'porch',
    scenes: ['tamper', 'tamper'],
    events: [[20_000, 26_000]],
    happenings: [during(9000, 16_000, { kind: 'cover' }), person(20_000, 26_000)],
  },
  'one-frame-a-second': {
    ...DEFAULTS,
    scene: 'porch',
    framesPerSecond: 1,
    withinMs: 5000,
    events: [[10_000, 20_000]],
    scenes: ['illumination', 'illumination'],
    durationMs: 40_000,
    happenings: [person(10_000, 20_000), { kind: 'lamp', fromMs: 26_000, toMs: 34_000 }],
  },
  'fast-frames': {
    ...DEFAULTS,
    scene: 'porch',
    framesPerSecond: 30,
    durationMs: 20_000,
    events: [[10_000, 16_000]],
    happenings: [person(10_000, 16_000)],
  },
};

/** All scenarios with a known right answer. */
export const GOLDEN: Readonly<Record<GoldenName, Golden>> = Object.assign({}, USUAL, HARD);
