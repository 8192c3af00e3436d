import type { JSX } from './preact.js';
import { toHex } from '../../common/bytes.js';
import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import { memberNumber } from '../../protocol/objects/member.js';
import { formatMemberCode, memberLink } from '../../protocol/objects/member-code.js';
import { memberOf } from '../core/owner-keys.js';
import type { CameraView } from '../core/session-view.js';
import { useNames, usePage } from './context.js';
import { PlusIcon } from './icons.js';
import { accountNumber } from '../core/account-number.js';
import { Problem } from './problem.js';
import { QrCode } from './qr.js';
import { MEMBER_STEPS, useMembers } from './use-members.js';

/** The members of one camera, for its owner. Each change is a new claim: a new epoch that the camera must accept. */
export function Household({ camera, onAdd }: { readonly camera: CameraView; readonly onAdd: () => void }): JSX.Element {
  const { labelOf } = useNames();
  const { change, step, problem } = useMembers();
  const others = camera.members.slice(1);
  return (
    <div class="form">
      <ul class="members">
        <li>You</li>
        {others.map((member) => (
          <li key={toHex(member.ed25519)}>
            <span>
              {labelOf(toHex(member.ed25519)) ?? 'Member'}{' '}
              <span class="mono muted small">{accountNumber(member.ed25519)}</span>
            </span>
            <button
              type="button"
              class="text-button"
              disabled={step !== null && step !== 'accepted'}
              onClick={() => void change([camera], (members) => members.filter((one) => one !== member))}
            >
              Remove
            </button>
          </li>
        ))}
      </ul>
      <p class="muted small">
        A removed member keeps what was recorded until then and sees nothing that is recorded later.
      </p>
      {step !== null && <p class="note note-wait">{MEMBER_STEPS[step]}</p>}
      {problem !== null && <Problem error={problem} />}
      <div class="form-buttons">
        <button type="button" class="button" onClick={onAdd}>
          <PlusIcon /> Add someone
        </button>
      </div>
    </div>
  );
}

/** The code that this person shows to an owner who wants to share a camera. */
export function MyCode(): JSX.Element {
  const { keys } = usePage();
  const member = memberOf(tweetnaclSuite, keys);
  const code = formatMemberCode(tweetnaclSuite, member);
  const link = memberLink(`${location.origin}${location.pathname}`, code);
  return (
    <div class="panel">
      <h2>Join a household</h2>
      <p>
        Show this to the person who wants to share a camera with you. It is not secret, but they must take it from your
        screen.
      </p>
      <details>
        <summary>Show my code</summary>
        <QrCode text={link} label="QR code of the link that adds you to a household" />
        <p>
          Code number <span class="mono">{memberNumber(member)}</span>: the other screen must show the same.
        </p>
        <p class="mono small code">{code}</p>
      </details>
    </div>
  );
}
