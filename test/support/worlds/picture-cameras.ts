import type { SceneScript } from '../../../hal/mock/script.js';

/** Cameras that an owner has only while the pictures in docs/screens are taken, which must show different things. */
export const CAMERAS_FOR_PICTURES: readonly { readonly name: string; readonly script: SceneScript }[] = [
  {
    name: 'Drive',
    script: {
      scene: 'driveway',
      seed: 21,
      noise: 2,
      repeatMs: 30_000,
      happenings: [
        { kind: 'effect', fromMs: 0, toMs: 10_000, effect: { kind: 'snow', flakes: 60 } },
        { kind: 'person', fromMs: 2000, toMs: 8000, path: 'cross', look: 4711, size: 1.2 },
        { kind: 'person', fromMs: 12_000, toMs: 18_000, path: 'cross-back', look: 31, size: 1.5 },
        { kind: 'effect', fromMs: 19_000, toMs: 30_000, effect: { kind: 'rain', drops: 150 } },
        { kind: 'person', fromMs: 21_000, toMs: 27_000, path: 'cross', look: 8, size: 1.1 },
      ],
    },
  },
  {
    name: 'Garden',
    script: {
      scene: 'garden',
      seed: 22,
      noise: 2,
      repeatMs: 26_000,
      happenings: [
        { kind: 'person', fromMs: 3000, toMs: 9000, path: 'cross-back', look: 99, size: 1.3 },
        { kind: 'person', fromMs: 15_000, toMs: 21_000, path: 'cross', look: 17, size: 0.8 },
      ],
    },
  },
  {
    name: 'Back door',
    script: {
      scene: 'porch',
      seed: 23,
      noise: 4,
      repeatMs: 28_000,
      happenings: [
        { kind: 'night', fromMs: 0, toMs: 28_000 },
        { kind: 'person', fromMs: 3000, toMs: 11_000, path: 'visit', look: 1234 },
        { kind: 'person', fromMs: 16_000, toMs: 22_000, path: 'cross-back', look: 56 },
      ],
    },
  },
];
