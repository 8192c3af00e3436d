import { type JSX, useEffect, useRef, useState } from './preact.js';
import { equal, toHex } from '../../common/bytes.js';
import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import { useNames, usePage, useSessionView } from './context.js';
import { KeptBack } from './household.js';
import { CloseIcon } from './icons.js';
import { accountNumber } from '../core/account-number.js';
import { parseMemberCodes, type ShownMember } from '../core/member-codes.js';
import type { MemberKeys } from '../core/member-keys.js';
import { Problem } from './problem.js';
import { MEMBER_STEPS, useMembers } from './use-members.js';

/** Adds the person with this member code, typed or from a link, to the chosen cameras. */
export function AddMember({
  initialCode,
  onClose,
}: {
  readonly initialCode: string;
  readonly onClose: () => void;
}): JSX.Element {
  const { rename, nameOf } = useNames();
  const { keys, kem } = usePage();
  const ownNumber = accountNumber(keys.signer.publicKey);
  const dialog = useRef<HTMLDialogElement>(null);
  const { change, step, keptBackBy, problem, fail } = useMembers();
  const [code, setCode] = useState(initialCode);
  const [name, setName] = useState('');
  const [unchosen, setUnchosen] = useState<readonly string[]>([]);
  const cameras = useSessionView().cameras.filter(({ isOwned, hasEnded }) => isOwned && !hasEnded);
  const current = cameras.filter(
    ({ device, epoch }) => !cameras.some((other) => other.device === device && other.epoch > epoch),
  );
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
    } catch (error) {
      fail(error);
      return;
    }
    if (name.trim() !== '') await rename(toHex(added.ed25519), name);
    const chosen = current.filter(({ device }) => !unchosen.includes(device));
    await change(chosen, (members) => [...members.filter((one) => !equal(one.ed25519, added.ed25519)), added]);
  };
  return (
    <dialog ref={dialog} class="small-dialog" onClose={onClose} aria-labelledby="member-title">
      <header class="dialog-head">
        <h2 id="member-title">Add someone to your household</h2>
        <button type="button" class="icon-button" onClick={onClose} aria-label="Close">
          <CloseIcon />
        </button>
      </header>
      {step === 'accepted' ? (
        <div class="form">
          <p class="note note-good">Done. From now on the camera seals its pictures to both of you.</p>
          <KeptBack members={keptBackBy} />
          <p>
            Your household now appears on their screen with the number <span class="mono">{ownNumber}</span>. They must
            accept it there.
          </p>
          <button type="button" class="button button-main" onClick={onClose}>
            Close
          </button>
        </div>
      ) : (
        <form class="form" onSubmit={(event) => void submit(event)}>
          <label class="field">
            <span>Their code</span>
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
            <small>From their screen, under Settings: scan the QR code or copy it. Never take it from an e-mail.</small>
          </label>
          {member !== null && (
            <p class="note note-wait">
              Code number <span class="mono">{member.number}</span>. Is this the number on their screen?
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
            <small>Only you see it. Names stay on this device.</small>
          </label>
          <fieldset class="choices">
            <legend>May see</legend>
            {current.map(({ device }) => (
              <label key={device} class="check">
                <input
                  type="checkbox"
                  checked={!unchosen.includes(device)}
                  onChange={() => {
                    setUnchosen(
                      unchosen.includes(device) ? unchosen.filter((other) => other !== device) : [...unchosen, device],
                    );
                  }}
                />
                {nameOf(device)}
              </label>
            ))}
          </fieldset>
          {problem !== null && <Problem error={problem} />}
          {step !== null && <p class="note note-wait">{MEMBER_STEPS[step]}</p>}
          <button
            type="submit"
            class="button button-main"
            disabled={step !== null || unchosen.length >= current.length}
          >
            Add to my household
          </button>
        </form>
      )}
    </dialog>
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
