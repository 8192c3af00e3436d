import { crossedRow, crossedTopic } from './at-ingest.js';
import { crossedKeys, crossedMedia, crossedMembers, crossedRows, swappedOfOne, swappedOfTwo } from './at-read.js';
import {
  alteredClaim,
  alteredRecords,
  crossedSessions,
  olderHead,
  strangeKeys,
  strangeRecords,
  swappedOnTheWay,
} from './at-the-page.js';
import { CLIP_FAULTS } from './clips.js';
import { crossedViewers } from './looks.js';
import { runFault, type Fault, type FaultReport } from './fault.js';
import { FaultWorld } from './world.js';

const FAULTS: readonly Fault[] = [
  crossedRow,
  crossedTopic,
  crossedRows,
  crossedMembers,
  crossedMedia,
  crossedKeys,
  swappedOfOne,
  swappedOfTwo,
  crossedSessions,
  swappedOnTheWay,
  strangeKeys,
  strangeRecords,
  alteredRecords,
  olderHead,
  alteredClaim,
  ...CLIP_FAULTS,
  crossedViewers,
];

/** Runs every fault in turn, in one small world. */
export async function runFaults(
  folder: string,
  progress: (text: string) => void,
  isSealedToAll = false,
): Promise<readonly FaultReport[]> {
  const world = await FaultWorld.open(folder, isSealedToAll);
  const reports: FaultReport[] = [];
  try {
    for (const fault of FAULTS) {
      progress(`fault: ${fault.name}`);
      reports.push(await runFault(world, fault));
    }
  } finally {
    await world.close();
  }
  return reports;
}
