import { type JSX, useState } from './preact.js';
import { SealcamError } from '../../common/errors.js';
import { passphraseWeakness } from '../core/recovery-file.js';

/** A passphrase that is typed twice. */
export interface NewPassphrase {
  /** The two fields, and what is said of its strength. */
  readonly fields: JSX.Element;
  readonly isWeak: boolean;
  /** Returns the passphrase. @throws SealcamError `recovery-refused` where the two differ */
  readonly checked: () => string;
  readonly clear: () => void;
}

/** Keeps a passphrase while it is typed. */
export function useNewPassphrase(label = 'Passphrase', again = 'Repeat it'): NewPassphrase {
  const [passphrase, setPassphrase] = useState('');
  const [repeated, setRepeated] = useState('');
  const weakness = passphraseWeakness(passphrase);
  return {
    fields: (
      <>
        <PassphraseField label={label} value={passphrase} onInput={setPassphrase} />
        <PassphraseField label={again} value={repeated} onInput={setRepeated} />
        <small class="muted">
          {weakness !== null && passphrase !== '' && `This one ${weakness}. `}
          Four or five unrelated words work best.
        </small>
      </>
    ),
    isWeak: weakness !== null,
    checked: () => {
      if (passphrase === repeated) return passphrase;
      throw new SealcamError('recovery-refused', 'the two passphrases differ', { hint: 'Type both again.' });
    },
    clear: () => {
      setPassphrase('');
      setRepeated('');
    },
  };
}

/** An input for a passphrase: a new one, or one that a password manager may know. */
export function PassphraseField({
  label,
  isKnown = false,
  value,
  onInput,
}: {
  readonly label: string;
  readonly isKnown?: boolean;
  readonly value: string;
  readonly onInput: (text: string) => void;
}): JSX.Element {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        type="password"
        autocomplete={isKnown ? 'current-password' : 'new-password'}
        required
        value={value}
        onInput={(event) => {
          onInput(event.currentTarget.value);
        }}
      />
    </label>
  );
}
