import { type ComponentChildren, type JSX, useState } from './preact.js';
import { realClock } from '../../common/adapters/real-clock.js';
import { realRandom } from '../../common/adapters/real-random.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { makeRecoveryFile } from '../core/recovery-file.js';
import type { KnownEpoch } from '../core/storage.js';
import { download } from './download.js';
import { useNewPassphrase } from './new-passphrase.js';
import { Problem } from './problem.js';

/** Saves the key in a recovery file, under a passphrase that is typed twice. The children stand above the fields. */
export function RecoveryForm({
  master,
  epochs = [],
  className = '',
  submit,
  onSaved,
  onBack,
  children,
}: {
  readonly master: Uint8Array;
  /** What this browser verified of the cameras; nothing on a first visit. */
  readonly epochs?: readonly KnownEpoch[];
  readonly className?: string;
  readonly submit: { readonly label: string; readonly isMain?: boolean };
  readonly onSaved?: () => void;
  readonly onBack?: () => void;
  readonly children: ComponentChildren;
}): JSX.Element {
  const passphrase = useNewPassphrase();
  const [progress, setProgress] = useState<number | null>(null);
  const [problem, setProblem] = useState<SealcamError | null>(null);
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    setProblem(null);
    try {
      const typed = passphrase.checked();
      setProgress(0);
      const file = await makeRecoveryFile(
        { master, savedAtMs: realClock.wallMs(), epochs },
        typed,
        realRandom,
        setProgress,
      );
      download('sealcam-recovery.json', new Blob([file], { type: 'application/json' }));
      passphrase.clear();
      onSaved?.();
    } catch (error) {
      setProblem(asSealcamError(error));
    }
    setProgress(null);
  };
  return (
    <form class={`panel form ${className}`} onSubmit={(event) => void save(event)}>
      {children}
      {passphrase.fields}
      {problem !== null && <Problem error={problem} />}
      {progress !== null && <Progress value={progress} label="Encrypting the file" />}
      <div class="form-buttons">
        <button
          type="submit"
          class={`button ${submit.isMain === true ? 'button-main' : ''}`}
          disabled={progress !== null || passphrase.isWeak}
        >
          {submit.label}
        </button>
        {onBack !== undefined && (
          <button type="button" class="button" onClick={onBack}>
            Back
          </button>
        )}
      </div>
    </form>
  );
}

/** A progress bar; `value` from 0 to 1. */
export function Progress({ value, label }: { readonly value: number; readonly label: string }): JSX.Element {
  return (
    <label class="progress">
      <span>{label}</span>
      <progress max={1} value={value} />
    </label>
  );
}
