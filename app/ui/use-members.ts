import { fromHex } from '../../common/bytes.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import type { MemberKeys } from '../core/member-keys.js';
import type { ClaimStep } from '../core/owner.js';
import type { CameraView } from '../core/session-view.js';
import { usePage } from './context.js';
import { useEffect, useRef, useState } from './preact.js';

/** What the page shows at each step of a change. */
export const MEMBER_STEPS: Readonly<Record<ClaimStep, string>> = {
  'waiting-for-camera': 'Asking the camera …',
  'claim-sent': 'The camera is checking your signature …',
  accepted: 'Accepted.',
};

/**
 * Changes the members of cameras, one camera after the other. `next` returns a camera's new members, without the owner.
 */
export function useMembers(): {
  readonly change: (
    cameras: readonly CameraView[],
    next: (members: readonly MemberKeys[]) => readonly MemberKeys[],
    options?: { readonly needsVersionTwo?: boolean },
  ) => Promise<void>;
  readonly step: ClaimStep | null;
  /** For whose sake the last change was of version 1. */
  readonly keptBackBy: readonly MemberKeys[];
  readonly problem: SealcamError | null;
  readonly fail: (error: unknown) => void;
} {
  const { owner, session } = usePage();
  const [step, setStep] = useState<ClaimStep | null>(null);
  const [keptBackBy, setKeptBackBy] = useState<readonly MemberKeys[]>([]);
  const [problem, setProblem] = useState<SealcamError | null>(null);
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);
  const fail = (error: unknown): void => {
    setStep(null);
    setProblem(asSealcamError(error));
  };
  return {
    step,
    keptBackBy,
    problem,
    fail,
    change: async (cameras, next, { needsVersionTwo = false } = {}) => {
      setProblem(null);
      setKeptBackBy([]);
      const controller = new AbortController();
      abort.current = controller;
      try {
        for (const { device, epoch, members } of cameras) {
          await owner.changeMembers({
            device: fromHex(device, 32) ?? new Uint8Array(32),
            epoch,
            members: next(members.slice(1)),
            needsVersionTwo,
            onStep: setStep,
            onKeptBack: setKeptBackBy,
            signal: controller.signal,
          });
        }
        await session.refresh();
      } catch (error) {
        if (!controller.signal.aborted) fail(error);
      }
    },
  };
}
