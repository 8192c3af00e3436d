import { type JSX, useState } from './preact.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { useChanges, usePage } from './context.js';
import { fullTime } from './format.js';
import { Problem } from './problem.js';

/** Above every view while the account is deleted and not yet erased. */
export function DeletedAccount(): JSX.Element | null {
  const { deletions, liveness } = usePage();
  useChanges(deletions);
  const [problem, setProblem] = useState<SealcamError | null>(null);
  const erasedAtMs = deletions.accountErasedAtMs;
  if (erasedAtMs === null) return null;
  const undo = async (): Promise<void> => {
    setProblem(null);
    try {
      await deletions.restoreAccount();
      liveness.retryNow();
    } catch (error) {
      setProblem(asSealcamError(error));
    }
  };
  return (
    <div class="note note-warn">
      <strong>You deleted your account.</strong> The cloud shows nothing of it, and erases it on {fullTime(erasedAtMs)}.
      {problem !== null && <Problem error={problem} />}
      <div class="form-buttons">
        <button type="button" class="button" onClick={() => void undo()}>
          Undo: keep my account
        </button>
      </div>
    </div>
  );
}
