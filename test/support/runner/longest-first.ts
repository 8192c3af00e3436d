import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take minutes, however they are cut: begun last, the machine would wait for them alone. */
const LONGEST = ['integration/sim.test.ts', 'integration/fleet.test.ts', 'integration/herd-sockets.test.ts'];

function rank({ moduleId }: TestSpecification): number {
  const place = LONGEST.findIndex((name) => moduleId.endsWith(name));
  return place < 0 ? LONGEST.length : place;
}

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
