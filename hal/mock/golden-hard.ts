import type { HardName } from '../mock-scenarios.js';
import type { Waypoint } from './actors.js';
import { HARD_NIGHT, type HardNightName } from './golden-night.js';
import { actor, always, DEFAULTS, during, person, STAYS_MS, type Golden } from './golden-parts.js';
import type { Happening } from './script.js';

/** What arrives, stops and is forgotten: no living thing keeps that still. */
const SETTLES_MS = 12_000;
/** Scaled down, the noise of a camera by day is about half a grey level to one. */
const DAY = { ...DEFAULTS, noise: 1 } as const;
/** A car that comes from the left or the right, slows down, and stands from `stopsMs` on. */
const parkingCar = (fromMs: number, stopsMs: number, toX: number, look: number): Happening => {
  const fromX = toX < 320 ? -90 : 730;
  const lengthMs = stopsMs - fromMs;
  const at = (time: number, way: number): Waypoint => [
    fromMs + time * lengthMs,
    fromX + way * (toX - fromX),
    toX < 320 ? 250 : 254,
    64,
  ];
  const way = [at(0, 0), at(0.4, 0.6), at(0.7, 0.9), at(0.85, 0.98), at(1, 1)];
  return actor('car', [...way, [STAYS_MS, toX, toX < 320 ? 250 : 254, 64]], { look });
};

const HARD_DAY: Readonly<Record<Exclude<HardName, HardNightName>, Golden>> = {
  /** Somebody stands close to the camera from the first frame on, in strongly compressed pictures, and then leaves. */
  'start-close': {
    ...DAY,
    scene: 'room',
    quality: 12,
    durationMs: 24_000,
    events: [[1200, 17_000]],
    withinMs: 3000,
    coverage: 0.7,
    happenings: [
      actor('person', [
        [-5000, 236, 430, 330],
        [14_000, 236, 430, 330],
        [17_000, 800, 430, 330],
      ]),
    ],
  },
  balloons: {
    ...DAY,
    scene: 'garden',
    durationMs: 40_000,
    events: [[28_000, 34_000]],
    happenings: [
      always({ kind: 'balloons', x: 420, y: 206, size: 23, calmMs: 5000 }),
      always({ kind: 'balloons', x: 250, y: 214, size: 19, calmMs: 6500 }),
      person(28_000, 34_000),
    ],
  },
  washing: {
    ...DAY,
    scene: 'garden',
    durationMs: 40_000,
    events: [[28_000, 34_000]],
    happenings: [
      ...[
        { x: 190, width: 62, height: 84, periodMs: 2300, level: 214, pattern: 12 },
        { x: 262, width: 44, height: 60, periodMs: 1900, level: 96, pattern: 40 },
        { x: 316, width: 74, height: 92, periodMs: 2700, level: 186, pattern: 30 },
      ].map((cloth) => always({ kind: 'cloth', y: 118, swing: 22, calmMs: 6000, ...cloth })),
      person(28_000, 34_000),
    ],
  },
  'window-clouds': {
    ...DAY,
    scene: 'room',
    durationMs: 40_000,
    events: [[28_000, 34_000]],
    happenings: [
      always({ kind: 'window-clouds', x: 70, y: 36, width: 190, height: 132, speed: 16 }),
      person(28_000, 34_000),
    ],
  },
  parking: {
    ...DAY,
    scene: 'street',
    durationMs: 40_000,
    events: [[6000, 11_000]],
    settlesMs: SETTLES_MS,
    happenings: [parkingCar(6000, 11_000, 400, 1)],
  },
  /** People at the rim of a fisheye: small, thin and aslant. */
  'fisheye-rim': {
    ...DAY,
    scene: 'garden',
    durationMs: 34_000,
    events: [
      [8000, 14_000],
      [22_000, 28_000],
    ],
    happenings: [
      actor('person', [
        [7000, -70, 290, 120],
        [9500, 66, 300, 124],
        [11_500, 92, 318, 128],
        [14_500, -60, 334, 132],
      ]),
      actor(
        'person',
        [
          [21_000, 710, 280, 114],
          [23_500, 574, 292, 118],
          [25_500, 548, 310, 124],
          [28_500, 700, 330, 130],
        ],
        { look: 99 },
      ),
      always({ kind: 'fisheye' }),
    ],
  },
  /** Somebody comes up to a doorbell: the face fills the picture in a second, stays, and is gone as fast. */
  doorbell: {
    ...DAY,
    scene: 'driveway',
    events: [[8000, 19_500]],
    mayChangeLight: true,
    happenings: [
      actor('person', [
        [8000, 300, 250, 70],
        [9000, 316, 380, 300],
      ]),
      actor('face', [
        [9000, 318, 310, 230],
        [9600, 322, 400, 430],
        [17_500, 322, 400, 430],
        [18_300, 340, 380, 300],
        [19_500, 860, 380, 280],
      ]),
    ],
  },
  blinds: {
    ...DAY,
    scene: 'room',
    durationMs: 40_000,
    events: [[28_000, 34_000]],
    mayChangeLight: true,
    happenings: [
      always({ kind: 'blinds', x: 280, y: 130, width: 330, height: 220, strength: 0.45 }),
      person(28_000, 34_000),
    ],
  },
  curtain: {
    ...DAY,
    scene: 'room',
    durationMs: 40_000,
    events: [[28_000, 34_000]],
    happenings: [
      ...[
        { x: 40, width: 74, swing: 26, periodMs: 4700 },
        { x: 222, width: 74, swing: 18, periodMs: 5600 },
      ].map((one) => always({ kind: 'cloth', y: 22, height: 196, level: 196, pattern: 14, calmMs: 5000, ...one })),
      person(28_000, 34_000),
    ],
  },
  fountain: {
    ...DAY,
    scene: 'garden',
    events: [[20_000, 26_000]],
    happenings: [always({ kind: 'fountain', x: 330, y: 250, height: 66 }), person(20_000, 26_000)],
  },
  /** A robot cleaner drives through a room: it moves, so it is motion. */
  robot: {
    ...DAY,
    scene: 'room',
    events: [[8000, 22_000]],
    happenings: [
      actor('robot', [
        [7500, -30, 338, 17],
        [13_000, 290, 326, 16],
        [14_500, 310, 326, 16],
        [19_000, 540, 346, 18],
        [22_500, 680, 346, 18],
      ]),
    ],
  },
  /** Somebody brings a parcel, which stays. */
  parcel: {
    ...DAY,
    scene: 'porch',
    durationMs: 40_000,
    events: [[6000, 16_000]],
    settlesMs: SETTLES_MS,
    happenings: [
      actor('parcel', [
        [11_500, 500, 310, 40],
        [STAYS_MS, 500, 310, 40],
      ]),
      actor('person', [
        [5700, -40, 322, 168],
        [9500, 448, 322, 168],
        [12_500, 448, 322, 168],
        [16_300, -40, 322, 168],
      ]),
    ],
  },
  'parking-two': {
    ...DAY,
    scene: 'street',
    durationMs: 45_000,
    events: [
      [5000, 9500],
      [24_000, 28_500],
    ],
    settlesMs: SETTLES_MS,
    happenings: [parkingCar(5000, 9500, 180, 2), parkingCar(24_000, 28_500, 470, 3)],
  },
  /** A person gets out of a car that has stood there from the start, and walks away. */
  'leaves-car': {
    ...DAY,
    scene: 'street',
    events: [[12_000, 18_000]],
    happenings: [
      actor(
        'car',
        [
          [-5000, 250, 246, 64],
          [STAYS_MS, 250, 246, 64],
        ],
        { look: 4 },
      ),
      actor('person', [
        [12_000, 262, 252, 72],
        [13_000, 266, 268, 84],
        [13_600, 276, 276, 86],
        [18_200, 670, 330, 96],
      ]),
    ],
  },
  flag: {
    ...DAY,
    scene: 'driveway',
    durationMs: 40_000,
    events: [[28_000, 34_000]],
    happenings: [
      always({
        kind: 'flag',
        x: 486,
        y: 44,
        width: 104,
        height: 60,
        swing: 13,
        periodMs: 1300,
        level: 140,
        pattern: 130,
        calmMs: 4000,
      }),
      person(28_000, 34_000),
    ],
  },
  'dawn-branches': {
    ...DAY,
    scene: 'garden',
    durationMs: 40_000,
    isLightFixed: true,
    events: [[30_000, 36_000]],
    mayChangeLight: true,
    happenings: [
      always({ kind: 'leaves', x: 112, y: 84, radius: 80 }),
      always({ kind: 'dapple', x: 0, y: 200, width: 430, height: 150, strength: 0.35 }),
      person(30_000, 36_000),
      during(0, 40_000, { kind: 'sunrise', from: 0.3 }),
    ],
  },
  /** At dusk the infrared filter switches to and fro, until it is dark. */
  'ir-hunt': {
    ...DAY,
    scene: 'porch',
    durationMs: 44_000,
    isLightFixed: true,
    events: [[33_000, 39_000]],
    mayChangeLight: true,
    happenings: [
      ...[
        [6000, 8500],
        [11_000, 12_500],
        [15_000, 19_000],
        [20_500, 22_000],
        [24_000, STAYS_MS],
      ].map(([fromMs = 0, toMs = 0]): Happening => ({ kind: 'night', fromMs, toMs })),
      person(33_000, 39_000),
    ],
  },
};

/**
 * Kinds of scenes at which the detector of version 0.1.0 failed on clips of others, and kinds of which nobody had a clip.
 * The answers are what a person says who watches the scene.
 */
export const HARD: Readonly<Record<HardName, Golden>> = Object.assign({}, HARD_DAY, HARD_NIGHT);
