import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take minutes: if they started last, the suite would wait for them alone. */
const LONGEST = [
  'integration/crash.test.ts',
  'integration/siege.test.ts',
  'integration/sim.test.ts',
  'integration/fleet.test.ts',
  'integration/herd-sockets.test.ts',
  'contract/rtsp.test.ts',
];

function rank({ moduleId }: TestSpecification): number {
  const place = LONGEST.findIndex((name) => moduleId.endsWith(name));
  return place < 0 ? LONGEST.length : place;
}

/** Starts {@link LONGEST} first, and the others in vitest's order. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
