import { type ComponentChildren, type JSX, useEffect, useRef, useState } from './preact.js';
import { equal, toHex } from '../../common/bytes.js';
import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import { ChangeProgress } from './change-progress.js';
import { useNames, usePage, useSessionView } from './context.js';
import { NeedsRoot, useFurther } from './further-browser.js';
import { KeptBack } from './household.js';
import { CloseIcon } from './icons.js';
import { accountNumber } from '../core/account-number.js';
import { parseMemberCodes, type ShownMember } from '../core/member-codes.js';
import type { MemberKeys } from '../core/member-keys.js';
import { ownedNow, takesBrowsers } from '../core/own-browsers.js';
import type { CameraView } from '../core/session-view.js';
import { noteSignedOut } from '../core/signed-out.js';
import { OldWay } from './own-browsers.js';
import { Problem } from './problem.js';
import { useMembers } from './use-members.js';

/** Adds the person, or the further browser of the owner's, with this member code to cameras; it is typed or from a link. */
export function AddMember({
  initialCode,
  isOwnBrowser,
  onClose,
}: {
  readonly initialCode: string;
  /** Whether the choice at first is a browser of the owner's, rather than somebody else's. */
  readonly isOwnBrowser: boolean;
  readonly onClose: () => void;
}): JSX.Element {
  const { rename, nameOf } = useNames();
  const { keys, kem, storage } = usePage();
  const ownNumber = accountNumber(keys.signer.publicKey);
  const dialog = useRef<HTMLDialogElement>(null);
  const { change, step, changes, keptBackBy, problem, fail } = useMembers();
  const [code, setCode] = useState(initialCode);
  const [name, setName] = useState('');
  const [isBrowser, setBrowser] = useState(isOwnBrowser);
  const [unchosen, setUnchosen] = useState<readonly string[]>([]);
  const further = useFurther();
  const current = ownedNow(useSessionView().cameras);
  const old = current.filter((camera) => !takesBrowsers(camera));
  useEffect(() => {
    const element = dialog.current;
    if (element !== null && !element.open) element.showModal();
  }, []);
  const member = parsed(code);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    let added: MemberKeys;
    try {
      added = parseMemberCodes(tweetnaclSuite, code).keys;
      await kem.members.add([added]);
      await noteSignedOut(storage, added, false);
    } catch (error) {
      fail(error);
      return;
    }
    if (name.trim() !== '') await rename(toHex(added.ed25519), name);
    const chosen = isBrowser
      ? current.filter(takesBrowsers)
      : current.filter(({ device }) => !unchosen.includes(device));
    const named: MemberKeys = isBrowser ? { ...added, role: 'owner' } : added;
    await change(chosen, (members) => [...members.filter((one) => !equal(one.ed25519, named.ed25519)), named], {
      needsVersionTwo: isBrowser,
    });
  };
  return (
    <dialog ref={dialog} class="small-dialog" onClose={onClose} aria-labelledby="member-title">
      <header class="dialog-head">
        <h2 id="member-title">Add someone to your household</h2>
        <button type="button" class="icon-button" onClick={onClose} aria-label="Close">
          <CloseIcon />
        </button>
      </header>
      {further !== null ? (
        <NeedsRoot root={further.root} what="change the household" />
      ) : step === 'accepted' ? (
        <div class="form">
          <p class="note note-good">
            Done. From now on the camera seals its pictures to {isBrowser ? 'that browser too' : 'both of you'}.
          </p>
          <KeptBack members={keptBackBy} />
          <p>
            Your household now appears on {isBrowser ? 'its' : 'their'} screen with the number{' '}
            <span class="mono">{ownNumber}</span>. {isBrowser ? 'Accept it there.' : 'They must accept it there.'}
          </p>
          <button type="button" class="button button-main" onClick={onClose}>
            Close
          </button>
        </div>
      ) : (
        <form class="form" onSubmit={(event) => void submit(event)}>
          <fieldset class="choices">
            <legend>Who is it?</legend>
            <Choice
              isOn={!isBrowser}
              onChoose={() => {
                setBrowser(false);
              }}
            >
              Somebody else, who sees
            </Choice>
            <Choice
              isOn={isBrowser}
              onChoose={() => {
                setBrowser(true);
              }}
            >
              Another browser of mine, which sees and gives orders
            </Choice>
          </fieldset>
          <label class="field">
            <span>{isBrowser ? 'Its code' : 'Their code'}</span>
            <textarea
              rows={4}
              required
              spellcheck={false}
              autocomplete="off"
              class="mono"
              value={code}
              onInput={(event) => {
                setCode(event.currentTarget.value);
              }}
            />
            <small>
              From {isBrowser ? 'its' : 'their'} screen{isBrowser ? '' : ', under Settings'}: scan the QR code or copy
              it. Never take it from an e-mail.
            </small>
          </label>
          {member !== null && (
            <p class="note note-wait">
              Code number <span class="mono">{member.number}</span>. Is this the number on {isBrowser ? 'its' : 'their'}{' '}
              screen?
            </p>
          )}
          <label class="field">
            <span>Name</span>
            <input
              value={name}
              maxLength={40}
              onInput={(event) => {
                setName(event.currentTarget.value);
              }}
            />
            <small>Only your household sees it: the cloud gets it sealed.</small>
          </label>
          {isBrowser ? (
            <WhatItGets cameras={current.filter(takesBrowsers)} old={old} />
          ) : (
            <fieldset class="choices">
              <legend>May see</legend>
              {current.map(({ device }) => (
                <label key={device} class="check">
                  <input
                    type="checkbox"
                    checked={!unchosen.includes(device)}
                    onChange={() => {
                      setUnchosen(
                        unchosen.includes(device)
                          ? unchosen.filter((other) => other !== device)
                          : [...unchosen, device],
                      );
                    }}
                  />
                  {nameOf(device)}
                </label>
              ))}
            </fieldset>
          )}
          {problem !== null && <Problem error={problem} />}
          <ChangeProgress changes={changes} />
          <button
            type="submit"
            class="button button-main"
            disabled={step !== null || (isBrowser ? old.length : unchosen.length) >= current.length}
          >
            {isBrowser ? 'Add this browser' : 'Add to my household'}
          </button>
        </form>
      )}
    </dialog>
  );
}

function Choice({
  isOn,
  onChoose,
  children,
}: {
  readonly isOn: boolean;
  readonly onChoose: () => void;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <label class="check">
      <input type="radio" name="who" checked={isOn} onChange={onChoose} />
      {children}
    </label>
  );
}

/** What a further browser can do, with which cameras, and what it does not get. */
function WhatItGets({
  cameras,
  old,
}: {
  readonly cameras: readonly CameraView[];
  readonly old: readonly CameraView[];
}): JSX.Element {
  const { nameOf } = useNames();
  return (
    <>
      <p class="small">
        {cameras.length > 0 && <strong>{cameras.map(({ device }) => nameOf(device)).join(', ')}. </strong>}
        It cannot claim or give away cameras, change your household, or delete anything: only a browser with your root
        key can. What was recorded before, it cannot open: for that, open your recovery file there instead.
      </p>
      {old.length > 0 && (
        <p class="note note-wait">
          <OldWay cameras={old} />
        </p>
      )}
    </>
  );
}

/** Returns the member of a code; null while it is incomplete. */
function parsed(code: string): ShownMember | null {
  try {
    return parseMemberCodes(tweetnaclSuite, code);
  } catch {
    return null;
  }
}
