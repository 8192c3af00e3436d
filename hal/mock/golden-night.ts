import type { HardName } from '../mock-scenarios.js';
import type { Actor, Waypoint } from './actors.js';
import { actor, always, DEFAULTS, during, person, STAYS_MS, type Golden } from './golden-parts.js';
import type { Happening } from './script.js';

/** A camera smooths its night pictures: about one grey level is left, in patches. */
const NIGHT = { ...DEFAULTS, isNight: true, noise: 0.6, grain: 0.9 } as const;

/** Somebody who walks through the picture by night, lit by the lamp of the camera: clothes are as bright as they reflect it. */
const lit = (fromMs: number, feetY: number, height: number, more: Partial<Actor>): Happening =>
  actor(
    'person',
    [
      [fromMs, -height / 4, feetY, height],
      [fromMs + 6000, 640 + height / 4, feetY, height],
    ],
    more,
  );

/** The way of the man in the gateway, or of his shadow, which is aside and larger. */
const gatewayMan = (aside: number, larger: number): Waypoint[] => [
  [8000, 376 + aside, 194, 25 + larger],
  [10_500, 336 + aside, 195, 25 + larger],
  [34_500, 336 + aside, 195, 25 + larger],
  [36_500, 298 + aside, 194, 25 + larger],
];

/** The names of those that are by night. */
export type HardNightName = Extract<
  HardName,
  | 'night-gateway'
  | 'dark-standing'
  | 'night-shake'
  | 'night-rain'
  | 'night-snow'
  | 'wall-sweep'
  | 'night-cat'
  | 'wet-street'
>;

/** Hard scenes by night: see golden-hard.ts. */
export const HARD_NIGHT: Readonly<Record<HardNightName, Golden>> = {
  /** A man of 7 % of the picture's height, grey on grey, steps into a gateway and stands there; insects are at the lens. */
  'night-gateway': {
    ...NIGHT,
    scene: 'gateway',
    durationMs: 50_000,
    events: [[8000, 36_500]],
    withinMs: 3000,
    coverage: 0.7,
    happenings: [
      always({ kind: 'moths', count: 3 }),
      // The lamp beside the lens throws the man's shadow on the gate.
      actor('person', gatewayMan(9, 2), { brightness: 0, contrast: 0.16 }),
      actor('person', gatewayMan(0, 0), { brightness: 0.62, contrast: 0.34 }),
    ],
  },
  /** Two people meet in a dark street, talk for a while and go on. */
  'dark-standing': {
    ...NIGHT,
    scene: 'street',
    durationMs: 45_000,
    events: [[6000, 36_000]],
    coverage: 0.7,
    happenings: [
      actor(
        'person',
        [
          [6000, -20, 236, 76],
          [10_500, 226, 236, 76],
          [31_500, 226, 236, 76],
          [35_500, -30, 236, 76],
        ],
        { brightness: 0.75, contrast: 0.34 },
      ),
      actor(
        'person',
        [
          [7000, 660, 240, 78],
          [12_500, 272, 240, 78],
          [31_000, 272, 240, 78],
          [36_000, 670, 240, 78],
        ],
        { brightness: 0.6, contrast: 0.3, look: 99 },
      ),
    ],
  },
  'night-shake': {
    ...NIGHT,
    scene: 'driveway',
    events: [[16_000, 22_000]],
    happenings: [always({ kind: 'shake', pixels: 4 }), lit(16_000, 312, 118, { contrast: 0.6 })],
  },
  'night-rain': {
    ...NIGHT,
    scene: 'driveway',
    events: [[18_000, 24_000]],
    happenings: [during(3000, STAYS_MS, { kind: 'lit-rain', drops: 70 }), lit(18_000, 326, 146, { brightness: 1.9 })],
  },
  'night-snow': {
    ...NIGHT,
    scene: 'garden',
    withinMs: 3000,
    events: [[18_000, 24_000]],
    happenings: [during(3000, STAYS_MS, { kind: 'lit-snow', flakes: 70 }), lit(18_000, 300, 128, { brightness: 1.4 })],
  },
  /** The headlights of cars that turn outside sweep over the garage and its wall. */
  'wall-sweep': {
    ...NIGHT,
    scene: 'driveway',
    mayChangeLight: true,
    happenings: [
      [9000, 11_500],
      [15_000, 18_000],
      [22_000, 24_000],
    ].map(([fromMs = 0, toMs = 0]) =>
      during(fromMs, toMs, { kind: 'wall-sweep', x: 0, y: 66, width: 440, height: 168, strength: 1.1 }),
    ),
  },
  'night-cat': {
    ...NIGHT,
    scene: 'porch',
    events: [[10_000, 16_000]],
    happenings: [
      actor('cat', [
        [9700, -30, 318, 34],
        [16_300, 670, 318, 34],
      ]),
    ],
  },
  'wet-street': {
    ...NIGHT,
    scene: 'street',
    durationMs: 40_000,
    events: [[28_000, 34_000]],
    mayChangeLight: true,
    happenings: [
      always({ kind: 'wet-street', x: 0, y: 204, width: 640, height: 102, strength: 70 }),
      person(28_000, 34_000),
    ],
  },
};
