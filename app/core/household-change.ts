import { fromHex } from '../../common/bytes.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { HASH_BYTES } from '../../protocol/objects/ids.js';
import type { MemberKeys } from './member-keys.js';
import type { ClaimStep, Owner } from './owner.js';
import type { CameraView } from './session-view.js';

/** How far a change of the household has come at one camera. */
export interface CameraChange {
  /** Hex of the device id. */
  readonly device: string;
  readonly step: ClaimStep;
  /** Why it ended without the camera's accept; null while it may still come. */
  readonly problem: SealcamError | null;
}

export interface HouseholdChange {
  readonly owner: Pick<Owner, 'changeMembers'>;
  readonly cameras: readonly Pick<CameraView, 'device' | 'epoch' | 'members'>[];
  /** Returns a camera's new members, without the owner. */
  readonly next: (members: readonly MemberKeys[]) => readonly MemberKeys[];
  readonly needsVersionTwo: boolean;
  readonly onChange: (changes: readonly CameraChange[]) => void;
  readonly onKeptBack: (members: readonly MemberKeys[]) => void;
  readonly signal: AbortSignal;
}

/** Claims these cameras again, all at once: one that is away holds up none of the others. Returns how each ended; never rejects. */
export async function changeHousehold(change: HouseholdChange): Promise<readonly CameraChange[]> {
  const { owner, cameras, next, needsVersionTwo, onChange, onKeptBack, signal } = change;
  let changes = cameras.map(({ device }): CameraChange => ({ device, step: 'waiting-for-camera', problem: null }));
  const note = (device: string, news: Partial<CameraChange>): void => {
    changes = changes.map((one) => (one.device === device ? { ...one, ...news } : one));
    onChange(changes);
  };
  onChange(changes);
  await Promise.all(
    cameras.map(async ({ device, epoch, members }) => {
      try {
        await owner.changeMembers({
          device: fromHex(device, HASH_BYTES) ?? new Uint8Array(HASH_BYTES),
          epoch,
          members: next(members.slice(1)),
          needsVersionTwo,
          onStep: (step) => {
            note(device, { step });
          },
          onKeptBack,
          signal,
        });
      } catch (error) {
        note(device, { problem: asSealcamError(error) });
      }
    }),
  );
  return changes;
}

/** Returns the step that all of them have reached, of those that have not failed; null where none is left. */
export function stepOfAll(changes: readonly CameraChange[]): ClaimStep | null {
  const steps = changes.filter(({ problem }) => problem === null).map(({ step }) => step);
  return STEPS.find((step) => steps.includes(step)) ?? null;
}

const STEPS: readonly ClaimStep[] = ['waiting-for-camera', 'claim-sent', 'accepted'];
