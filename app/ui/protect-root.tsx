import { type ComponentChildren, type JSX, useState } from './preact.js';
import { realClock } from '../../common/adapters/real-clock.js';
import { realRandom } from '../../common/adapters/real-random.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import { ownedNow, takesBrowsers } from '../core/own-browsers.js';
import { currentOf } from '../core/presence.js';
import { protectRoot } from '../core/root-lock.js';
import { useNames, usePage, useSessionView } from './context.js';
import { useNewPassphrase } from './new-passphrase.js';
import { OldWay } from './own-browsers.js';
import { Problem } from './problem.js';
import { Progress } from './recovery-form.js';

/** Puts the root key under a passphrase, in a browser that uses it for everything. */
export function ProtectRoot({ children }: { readonly children?: ComponentChildren }): JSX.Element {
  const { keys, storage, useRoot } = usePage();
  const { cameras } = useSessionView();
  const { nameOf } = useNames();
  const passphrase = useNewPassphrase('Passphrase of your root key', 'The same again');
  const [progress, setProgress] = useState<number | null>(null);
  const [problem, setProblem] = useState<SealcamError | null>(null);
  const old = ownedNow(cameras).filter((camera) => !takesBrowsers(camera));
  const shared = currentOf(cameras).filter(({ isOwned, hasEnded }) => !isOwned && !hasEnded);
  const protect = async (event: Event): Promise<void> => {
    event.preventDefault();
    setProblem(null);
    try {
      const typed = passphrase.checked();
      setProgress(0);
      const { root, open } = await protectRoot({
        suite: tweetnaclSuite,
        clock: realClock,
        random: realRandom,
        storage,
        master: keys.master,
        passphrase: typed,
        onProgress: setProgress,
      });
      useRoot(root, open);
    } catch (error) {
      setProblem(asSealcamError(error));
      setProgress(null);
    }
  };
  return (
    <form class="form" onSubmit={(event) => void protect(event)} data-protect-root>
      {children}
      <p>
        Then this browser uses a key of its own for every day, and asks for the passphrase only when your household
        changes. Who finds or steals this device unlocked sees what it sees, and cannot take your cameras.
      </p>
      <ul class="plain">
        <li>What was recorded until now opens with the passphrase only. What is recorded from now on opens here.</li>
        <li>Your recovery files stay valid, each with its own passphrase. If you forget this one, open such a file.</li>
        {shared.length > 0 && (
          <li>
            {shared.map(({ device }) => nameOf(device)).join(', ')}: shared with your root key. Open here with the
            passphrase only, until its owner adds this browser too.
          </li>
        )}
      </ul>
      {old.length > 0 ? (
        <p class="note note-wait">
          <OldWay cameras={old} />
        </p>
      ) : (
        <>
          {passphrase.fields}
          {problem !== null && <Problem error={problem} />}
          {progress !== null && <Progress value={progress} label="Step 1 of 2: protecting your root key" />}
          <div class="form-buttons">
            <button type="submit" class="button" disabled={progress !== null || passphrase.isWeak}>
              Protect my root key
            </button>
          </div>
        </>
      )}
    </form>
  );
}
