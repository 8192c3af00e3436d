/**
 * What the detector's decisions hang on, in one place, so that docs/detector.md can say what happens when they are moved.
 * Areas are fractions of the picture, lengths of its width; each was set on real clips and on the golden scenarios.
 */
export interface Tuning {
  /** Least difference that counts, in grey levels, and multiples of the usual deviation; both at a sensitivity of 50. */
  readonly floor: number;
  readonly deviations: number;
  /** Share of the background's local contrast that a difference must exceed besides: leaves, and a pole that sways. */
  readonly edges: number;
  /** Smaller patches are none, at a sensitivity of 50. */
  readonly minArea: number;
  /** Smaller ones must prove themselves for longer. */
  readonly smallArea: number;
  readonly smallMs: number;
  readonly smallTravel: number;
  readonly smallSteady: number;
  /** A patch that came from elsewhere has come this far. */
  readonly movedTravel: number;
  /** What neither came nor goes this far straight on only sways, unless it lasts. */
  readonly swayTravel: number;
  readonly swayMs: number;
  readonly swayStraightness: number;
  /** Faster than this, in widths a second, and not straight on, is an insect. */
  readonly erraticSpeed: number;
  readonly erraticStraightness: number;
  /** Of texture kept less steepness gained; above it a patch is a change of light. */
  readonly light: number;
  readonly lightTexture: number;
  readonly lightSteepness: number;
  /** Below this share of new edges a still patch is the hole that somebody left. */
  readonly holeNovelty: number;
  /** Time constants in milliseconds: how the background follows, under what is not known, its deviation, its flicker. */
  readonly followMs: number;
  readonly unknownMs: number;
  readonly spreadMs: number;
  readonly flickerMs: number;
  /** So long without any change in it, a person is held, and anything else. */
  readonly holdMs: number;
  readonly quietMs: number;
}

export const TUNING: Tuning = {
  floor: 9,
  deviations: 4,
  edges: 0.25,
  minArea: 0.0012,
  smallArea: 0.004,
  smallMs: 600,
  smallTravel: 0.04,
  smallSteady: 0.75,
  movedTravel: 0.06,
  swayTravel: 0.025,
  swayMs: 1500,
  swayStraightness: 0.5,
  erraticSpeed: 0.7,
  erraticStraightness: 0.85,
  light: 0.2,
  lightTexture: 0.8,
  lightSteepness: 0.28,
  holeNovelty: 0.35,
  followMs: 6000,
  unknownMs: 10_000,
  spreadMs: 8000,
  flickerMs: 20_000,
  holdMs: 45_000,
  quietMs: 1000,
};
