import { type JSX, useEffect, useState } from './preact.js';
import { realClock } from '../../common/adapters/real-clock.js';
import { equal } from '../../common/bytes.js';
import { asSealcamError } from '../../common/errors.js';
import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import type { OpenRoot } from '../core/open-root.js';
import { ownedNow, takesBrowsers } from '../core/own-browsers.js';
import { ownBrowser } from '../core/root-lock.js';
import { ChangeProgress } from './change-progress.js';
import { useNames, usePage, useSessionView } from './context.js';
import { clockTime } from './format.js';
import { Problem } from './problem.js';
import { useMembers } from './use-members.js';
import { useOwnKey } from './use-own-key.js';

/** Stands above every view while the root key is open, and names this browser's own key in the cameras that do not know it. */
export function RootOpen({ open }: { readonly open: OpenRoot }): JSX.Element {
  const [untilMs] = useState(() => realClock.wallMs() + open.untilMs - realClock.monotonicMs());
  return (
    <div class="note note-wait" data-root-open>
      <strong>Your root key is open.</strong> It locks by itself at {clockTime(untilMs)}.{' '}
      <button type="button" class="button" onClick={open.lock}>
        Lock it now
      </button>
      <OwnKeyMissing />
    </div>
  );
}

function OwnKeyMissing(): JSX.Element | null {
  const { storage, client } = usePage();
  const { cameras, isLoaded } = useSessionView();
  const { nameOf } = useNames();
  const { change, step, changes, problem, fail } = useMembers();
  const [isTried, setTried] = useState(false);
  const ownKey = useOwnKey();
  const missing =
    ownKey === null
      ? []
      : ownedNow(cameras).filter(
          (camera) => takesBrowsers(camera) && !camera.members.some(({ ed25519 }) => equal(ed25519, ownKey)),
        );
  const add = async (): Promise<void> => {
    setTried(true);
    try {
      const own = await ownBrowser(tweetnaclSuite, storage, client);
      await change(missing, (members) => [...members, own], { needsVersionTwo: true });
    } catch (error) {
      fail(asSealcamError(error));
    }
  };
  // Once by itself: the key was opened to change the household.
  const isDue = isLoaded && missing.length > 0 && !isTried;
  useEffect(() => {
    if (isDue) void add();
  }, [isDue]);
  if (missing.length === 0 && step === null && problem === null) return null;
  return (
    <>
      {missing.length > 0 && (
        <p>
          Step 2 of 2: adding this browser’s own key to {missing.map(({ device }) => nameOf(device)).join(', ')}. Until
          then you see that only while the root key is open.
        </p>
      )}
      {missing.length > 0 && <ChangeProgress changes={changes} />}
      {problem !== null && <Problem error={problem} />}
      {missing.length > 0 && problem !== null && (
        <button type="button" class="button" onClick={() => void add()}>
          Try again
        </button>
      )}
      {missing.length === 0 && <p>This browser’s own key is added. You can lock the root key.</p>}
    </>
  );
}
