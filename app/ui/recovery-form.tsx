import { type ComponentChildren, type JSX, useState } from './preact.js';
import { realClock } from '../../common/adapters/real-clock.js';
import { realRandom } from '../../common/adapters/real-random.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import { makeRecoveryFile, passphraseWeakness } from '../core/recovery-file.js';
import type { KnownEpoch } from '../core/storage.js';
import { download } from './download.js';
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
  const [passphrase, setPassphrase] = useState('');
  const [repeated, setRepeated] = useState('');
  const [progress, setProgress] = useState<number | null>(null);
  const [problem, setProblem] = useState<SealcamError | null>(null);
  const weakness = passphraseWeakness(passphrase);
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (passphrase !== repeated) {
      setProblem(new SealcamError('recovery-refused', 'the two passphrases differ', { hint: 'Type both again.' }));
      return;
    }
    setProblem(null);
    setProgress(0);
    try {
      const file = await makeRecoveryFile(
        { master, savedAtMs: realClock.wallMs(), epochs },
        passphrase,
        realRandom,
        setProgress,
      );
      download('sealcam-recovery.json', new Blob([file], { type: 'application/json' }));
      setPassphrase('');
      setRepeated('');
      onSaved?.();
    } catch (error) {
      setProblem(asSealcamError(error));
    }
    setProgress(null);
  };
  return (
    <form class={`panel form ${className}`} onSubmit={(event) => void save(event)}>
      {children}
      <PassphraseField label="Passphrase" value={passphrase} onInput={setPassphrase} />
      <PassphraseField label="Repeat it" value={repeated} onInput={setRepeated} />
      <small class="muted">
        {weakness !== null && passphrase !== '' && `This one ${weakness}. `}
        Four or five unrelated words work best.
      </small>
      {problem !== null && <Problem error={problem} />}
      {progress !== null && <Progress value={progress} label="Encrypting the file" />}
      <div class="form-buttons">
        <button
          type="submit"
          class={`button ${submit.isMain === true ? 'button-main' : ''}`}
          disabled={progress !== null || weakness !== null}
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

/** An input for a passphrase. */
export function PassphraseField({
  label,
  value,
  onInput,
}: {
  readonly label: string;
  readonly value: string;
  readonly onInput: (text: string) => void;
}): JSX.Element {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        type="password"
        autocomplete="new-password"
        required
        value={value}
        onInput={(event) => {
          onInput(event.currentTarget.value);
        }}
      />
    </label>
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
