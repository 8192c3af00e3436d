import { type JSX, useEffect, useState } from './preact.js';
import { realClock } from '../../common/adapters/real-clock.js';
import { equal, toHex } from '../../common/bytes.js';
import { asSealcamError } from '../../common/errors.js';
import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import type { MemberKeys } from '../core/member-keys.js';
import type { OpenRoot } from '../core/open-root.js';
import { ownedNow, takesBrowsers } from '../core/own-browsers.js';
import { ownBrowser } from '../core/root-lock.js';
import type { CameraView } from '../core/session-view.js';
import { signedOut } from '../core/signed-out.js';
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
      <Unfinished />
    </div>
  );
}

/** What an earlier change has not reached yet: cameras without this browser's own key, or with a browser that was signed out. */
function Unfinished(): JSX.Element | null {
  const { storage, client } = usePage();
  const { cameras, isLoaded } = useSessionView();
  const { nameOf, labelOf } = useNames();
  const { change, step, changes, problem, fail } = useMembers();
  const [isTried, setTried] = useState(false);
  const [out, setOut] = useState<readonly string[]>([]);
  const ownKey = useOwnKey();
  useEffect(() => {
    // Once: what is signed out from here on is changed where it is asked for.
    void signedOut(storage).then(setOut);
  }, [storage]);
  const owned = ownedNow(cameras).filter(takesBrowsers);
  const without = ownKey === null ? [] : owned.filter(({ members }) => !members.some(isKey(ownKey)));
  const isOut = ({ ed25519 }: MemberKeys): boolean => out.includes(toHex(ed25519));
  const still = owned.filter(({ members }) => members.some(isOut));
  const chosen = owned.filter((camera) => without.includes(camera) || still.includes(camera));
  const finish = async (): Promise<void> => {
    setTried(true);
    try {
      const own = await ownBrowser(tweetnaclSuite, storage, client);
      const next = (members: readonly MemberKeys[]): readonly MemberKeys[] => [
        ...members.filter((member) => !isOut(member) && !isKey(own.ed25519)(member)),
        own,
      ];
      await change(chosen, next, { needsVersionTwo: true });
    } catch (error) {
      fail(asSealcamError(error));
    }
  };
  // Once by itself: the key was opened to change the household.
  const isDue = isLoaded && chosen.length > 0 && !isTried;
  useEffect(() => {
    if (isDue) void finish();
  }, [isDue]);
  if (chosen.length === 0 && step === null && problem === null) return null;
  const named = (some: readonly CameraView[]): string => some.map(({ device }) => nameOf(device)).join(', ');
  return (
    <>
      {without.length > 0 && (
        <p>
          Step 2 of 2: adding this browser’s own key to {named(without)}. Until then you see that only while the root
          key is open.
        </p>
      )}
      {still.length > 0 && (
        <p>
          Signing out {out.map((key) => labelOf(key) ?? 'another browser').join(', ')} at {named(still)}.
        </p>
      )}
      {chosen.length > 0 && <ChangeProgress changes={changes} />}
      {problem !== null && <Problem error={problem} />}
      {chosen.length > 0 && problem !== null && (
        <button type="button" class="button" onClick={() => void finish()}>
          Try again
        </button>
      )}
      {chosen.length === 0 && <p>Every camera knows this browser’s own key. You can lock the root key.</p>}
    </>
  );
}

function isKey(key: Uint8Array): (member: MemberKeys) => boolean {
  return ({ ed25519 }) => equal(ed25519, key);
}
