import { type JSX, useState } from './preact.js';
import { realClock } from '../../common/adapters/real-clock.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import { unlockRoot } from '../core/root-lock.js';
import { usePage, type RootHere } from './context.js';
import { PassphraseField } from './new-passphrase.js';
import { Problem } from './problem.js';
import { Progress } from './recovery-form.js';

/** Asks for the passphrase of the root key, for what only that key can do. */
export function UnlockRoot({ root, what }: { readonly root: RootHere; readonly what: string }): JSX.Element {
  const { useRoot } = usePage();
  const [passphrase, setPassphrase] = useState('');
  const [progress, setProgress] = useState<number | null>(null);
  const [problem, setProblem] = useState<SealcamError | null>(null);
  const unlock = async (event: Event): Promise<void> => {
    event.preventDefault();
    setProblem(null);
    setProgress(0);
    try {
      useRoot(root, await unlockRoot(tweetnaclSuite, realClock, root, passphrase, setProgress));
    } catch (error) {
      setProblem(asSealcamError(error));
      setProgress(null);
    }
  };
  return (
    <form class="form" data-unlock-root onSubmit={(event) => void unlock(event)}>
      <p>
        <strong>It takes your root key to {what}.</strong> Its passphrase opens it for five minutes, or until you lock
        it. The key stays in this tab.
      </p>
      <PassphraseField label="Passphrase of your root key" isKnown value={passphrase} onInput={setPassphrase} />
      {problem !== null && <Problem error={problem} />}
      {progress !== null && <Progress value={progress} label="Opening your root key" />}
      <div class="form-buttons">
        <button type="submit" class="button button-main" disabled={progress !== null || passphrase === ''}>
          Open my root key
        </button>
      </div>
    </form>
  );
}
