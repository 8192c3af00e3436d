/**
 * The numbers that decide most in the detector, in one place; docs/detector.md lists what happens when they change. Areas
 * are fractions of the picture, lengths are fractions of its width. Each was set on real clips and the golden scenarios.
 */
export interface Tuning {
  /**
   * Least difference that counts where the noise is strong, in grey levels, and multiples of the usual deviation of a pixel
   * and of its tile; both at a sensitivity of 50.
   */
  readonly floor: number;
  readonly deviations: number;
  /** Share of the local contrast of the background by which the threshold rises, against leaves and a swaying pole. */
  readonly edges: number;
  /** Smaller patches do not count, at a sensitivity of 50. */
  readonly minArea: number;
  /** A smaller patch must last for `smallMs`, travel `smallTravel` and be steady to `smallSteady`. */
  readonly smallArea: number;
  readonly smallMs: number;
  readonly smallTravel: number;
  readonly smallSteady: number;
  /** A patch that travelled this far came from elsewhere. */
  readonly movedTravel: number;
  /** A patch that travels less only sways, unless it came in from the edge and lasts this long. A small one must be that straight. */
  readonly swayTravel: number;
  readonly swayMs: number;
  readonly swayStraightness: number;
  /** A patch that is faster, in widths a second, and less straight is an insect. */
  readonly erraticSpeed: number;
  readonly erraticStraightness: number;
  /**
   * A patch is a change of light when texture kept minus steepness is above `light`, when texture alone is above
   * `lightTexture`, or when steepness is below `lightSteepness`.
   */
  readonly light: number;
  readonly lightTexture: number;
  readonly lightSteepness: number;
  /** A still patch with a smaller share of new edges is the hole that somebody left. */
  readonly holeNovelty: number;
  /** Time constants of the background, of the background under undecided patches, of the deviation and of the flicker. */
  readonly followMs: number;
  readonly unknownMs: number;
  readonly spreadMs: number;
  readonly flickerMs: number;
  /** How long a person in whom nothing changes is kept as an object, and any other patch. */
  readonly holdMs: number;
  readonly quietMs: number;
}

/** The values in use. */
export const TUNING: Tuning = {
  floor: 9,
  deviations: 5,
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
  holdMs: 9000,
  quietMs: 1000,
};
