import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { changeHousehold, stepOfAll, type CameraChange } from '../core/household-change.js';
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

/** Changes the members of cameras. `next` returns a camera's new members, without the owner. */
export function useMembers(): {
  readonly change: (
    cameras: readonly CameraView[],
    next: (members: readonly MemberKeys[]) => readonly MemberKeys[],
    options?: { readonly needsVersionTwo?: boolean },
  ) => Promise<void>;
  /** The step that all cameras of the change have reached. */
  readonly step: ClaimStep | null;
  /** How far each camera is; kept after the end where one of them failed. */
  readonly changes: readonly CameraChange[];
  /** For whose sake the last change was of version 1. */
  readonly keptBackBy: readonly MemberKeys[];
  readonly problem: SealcamError | null;
  readonly fail: (error: unknown) => void;
} {
  const { owner, session } = usePage();
  const [changes, setChanges] = useState<readonly CameraChange[]>([]);
  const [isBusy, setBusy] = useState(false);
  const [keptBackBy, setKeptBackBy] = useState<readonly MemberKeys[]>([]);
  const [problem, setProblem] = useState<SealcamError | null>(null);
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);
  return {
    step: isBusy || problem === null ? stepOfAll(changes) : null,
    changes,
    keptBackBy,
    problem,
    fail: (error) => {
      setProblem(asSealcamError(error));
    },
    change: async (cameras, next, { needsVersionTwo = false } = {}) => {
      setProblem(null);
      setKeptBackBy([]);
      setBusy(true);
      const { signal } = (abort.current = new AbortController());
      const ended = await changeHousehold({
        owner,
        cameras,
        next,
        needsVersionTwo,
        onChange: setChanges,
        onKeptBack: setKeptBackBy,
        signal,
      });
      if (signal.aborted) return;
      setProblem(ended.find((one) => one.problem !== null)?.problem ?? null);
      setBusy(false);
      await session.refresh().catch((error: unknown) => {
        setProblem(asSealcamError(error));
      });
    },
  };
}
