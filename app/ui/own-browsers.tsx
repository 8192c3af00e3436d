import type { JSX } from './preact.js';
import { equal, toHex } from '../../common/bytes.js';
import { accountNumber } from '../core/account-number.js';
import { furtherBrowsers, ownedNow, takesBrowsers, type FurtherBrowser } from '../core/own-browsers.js';
import type { CameraView } from '../core/session-view.js';
import { addedAtMs, noteSignedOut } from '../core/signed-out.js';
import { ChangeProgress } from './change-progress.js';
import { useNames, usePage, useSessionView } from './context.js';
import { EditableName } from './editable-name.js';
import { shortTime } from './format.js';
import { PlusIcon } from './icons.js';
import { Problem } from './problem.js';
import { useOwnKey } from './use-own-key.js';
import { useMembers } from './use-members.js';

/** The owner's browsers: this one, which has the root key, and the further ones, each with keys of its own. */
export function OwnBrowsers({ onAdd }: { readonly onAdd: () => void }): JSX.Element {
  const { keys, root, storage } = usePage();
  const { cameras } = useSessionView();
  const { change, step, changes, problem } = useMembers();
  const ownKey = useOwnKey();
  const owned = ownedNow(cameras);
  const isBusy = step !== null && step !== 'accepted';
  const signOut = async ({ keys: out, cameras: naming }: FurtherBrowser): Promise<void> => {
    // Before: a camera that is away is asked again when the root key is opened next.
    await noteSignedOut(storage, out, true);
    await change(naming, (members) => members.filter((one) => !equal(one.ed25519, out.ed25519)));
  };
  const addRest = async ({ keys: added, missing }: FurtherBrowser): Promise<void> => {
    await noteSignedOut(storage, added, false);
    await change(missing, (members) => [...members, added], { needsVersionTwo: true });
  };
  return (
    <div class="panel form">
      <h2>Your browsers</h2>
      <ul class="members">
        <li>
          <span>
            {root === null ? 'This browser' : 'Your root key'}{' '}
            <span class="mono muted small">{accountNumber(keys.signer.publicKey)}</span>
            <br />
            <span class="muted small">
              {root === null && 'Has the root key: '}sees, orders, claims cameras, changes the household.
            </span>
          </span>
        </li>
        {furtherBrowsers(cameras).map((browser) => (
          <Further
            key={toHex(browser.keys.ed25519)}
            browser={browser}
            isThis={ownKey !== null && equal(ownKey, browser.keys.ed25519)}
            isBusy={isBusy}
            onSignOut={() => void signOut(browser)}
            onAddRest={() => void addRest(browser)}
          />
        ))}
      </ul>
      <ChangeProgress changes={changes} />
      {problem !== null && <Problem error={problem} />}
      <p class="muted small">
        A further browser has keys of its own. It cannot claim or give away cameras, change your household, or delete
        anything. A recovery file is another thing: it makes a browser that has the root key, like this one.
      </p>
      <p class="muted small">
        Once a camera has accepted that a browser is signed out, that browser gives no orders there and opens nothing
        that is recorded later. What was recorded until then stays open to it, and the orders that it gave stay in force
        until you give others.
      </p>
      {owned.some(takesBrowsers) ? (
        <div class="form-buttons">
          <button type="button" class="button" disabled={isBusy} onClick={onAdd}>
            <PlusIcon /> Add another browser
          </button>
        </div>
      ) : (
        <p class="note note-wait">{owned.length === 0 ? 'Claim a camera first.' : <OldWay cameras={owned} />}</p>
      )}
    </div>
  );
}

/** Why these cameras cannot be given to a further browser. */
export function OldWay({ cameras }: { readonly cameras: readonly CameraView[] }): JSX.Element {
  const { nameOf } = useNames();
  return (
    <>
      <strong>{cameras.map(({ device }) => nameOf(device)).join(', ')}:</strong> claimed in version 1, in which all your
      browsers share the root key. A browser of its own takes a claim of version 2: the camera, the cloud and everybody
      in the household must know it.
    </>
  );
}

function Further({
  browser: { keys, cameras, missing },
  isThis,
  isBusy,
  onSignOut,
  onAddRest,
}: {
  readonly browser: FurtherBrowser;
  /** Whether it is this browser's own key. */
  readonly isThis: boolean;
  readonly isBusy: boolean;
  readonly onSignOut: () => void;
  readonly onAddRest: () => void;
}): JSX.Element {
  const { nameOf, labelOf, rename } = useNames();
  const { history } = usePage();
  const since = addedAtMs(history, keys);
  const id = toHex(keys.ed25519);
  const name = labelOf(id) ?? (isThis ? 'This browser' : 'Another browser');
  const listed = (some: readonly CameraView[]): string => some.map(({ device }) => nameOf(device)).join(', ');
  return (
    <li>
      <div>
        <EditableName name={name} label="Name of the browser" onRename={(next) => rename(id, next)}>
          <span>
            {name} <span class="mono muted small">{accountNumber(keys.ed25519)}</span>
          </span>
        </EditableName>
        <span class="muted small">
          {since !== null && `Added on ${shortTime(since)}. `}
          Sees and orders: {listed(cameras)}.{' '}
          {missing.length > 0 && (
            <>
              Not yet: {listed(missing)}.{' '}
              <button type="button" class="text-button" disabled={isBusy} onClick={onAddRest}>
                Add it there
              </button>
            </>
          )}
        </span>
      </div>
      {!isThis && (
        <button type="button" class="text-button" disabled={isBusy} onClick={onSignOut}>
          Sign out
        </button>
      )}
    </li>
  );
}
