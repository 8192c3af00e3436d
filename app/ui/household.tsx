import { type JSX, useEffect, useState } from './preact.js';
import { toHex } from '../../common/bytes.js';
import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import { memberNumber } from '../../protocol/objects/member.js';
import { formatMemberCodes, memberCodesLink } from '../core/member-codes.js';
import type { MemberKeys } from '../core/member-keys.js';
import { memberOf, memberV2Of } from '../core/owner-keys.js';
import type { CameraView } from '../core/session-view.js';
import { ChangeProgress } from './change-progress.js';
import { useNames, usePage } from './context.js';
import { PlusIcon } from './icons.js';
import { accountNumber } from '../core/account-number.js';
import { Problem } from './problem.js';
import { QrCode } from './qr.js';
import { useMembers } from './use-members.js';

/** The members of one camera, for its owner. Each change is a new claim: a new epoch that the camera must accept. */
export function Household({ camera, onAdd }: { readonly camera: CameraView; readonly onAdd: () => void }): JSX.Element {
  const { labelOf } = useNames();
  const { change, step, changes, keptBackBy, problem } = useMembers();
  const { kem } = usePage();
  const standing = camera.isVersionHidden ? kem.members.keepBack(camera.members.slice(1)) : [];
  const others = camera.members.slice(1);
  return (
    <div class="form">
      <ul class="members">
        <li>You, in browsers with the root key</li>
        {others.map((member) => (
          <li key={toHex(member.ed25519)}>
            <span>
              {labelOf(toHex(member.ed25519)) ?? (member.role === 'owner' ? 'Another browser' : 'Member')}{' '}
              <span class="mono muted small">{accountNumber(member.ed25519)}</span>{' '}
              <span class="muted small">
                {member.role === 'owner' ? 'a browser of yours: sees and orders' : 'a member: sees'}
              </span>
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
        Who is removed keeps what was recorded until then and sees nothing that is recorded later. A browser of yours
        that is removed gives no more orders; those that it gave stay in force until you give others.
      </p>
      <KeptBack members={keptBackBy.length > 0 ? keptBackBy : standing} />
      <ChangeProgress changes={changes} />
      {problem !== null && <Problem error={problem} />}
      <div class="form-buttons">
        <button type="button" class="button" onClick={onAdd}>
          <PlusIcon /> Add someone
        </button>
      </div>
    </div>
  );
}

/** The members for whose sake a camera stays at version 1, by name. */
export function KeptBack({ members }: { readonly members: readonly MemberKeys[] }): JSX.Element | null {
  const { labelOf } = useNames();
  if (members.length === 0) return null;
  const names = members.map(({ ed25519 }) => labelOf(toHex(ed25519)) ?? `member ${accountNumber(ed25519)}`);
  return (
    <p class="note note-wait" data-kept-back={members.length}>
      <strong>{names.join(', ')}</strong> {members.length === 1 ? 'keeps' : 'keep'} this camera at version 1: their code
      of version 2 was not shown to you. Ask them to open their page and to show you their code, and add them again.
    </p>
  );
}

/**
 * Returns the hash of this person's KEM key once the cloud has the key, so that an owner's page finds it there; null where the
 * cloud does not take it, and undefined until that is known.
 */
function useDepositedKem(): Uint8Array | null | undefined {
  const { kem, client } = usePage();
  const [hash, setHash] = useState<Uint8Array | null | undefined>(undefined);
  useEffect(() => {
    const deposit = async (): Promise<Uint8Array> => {
      const ownHash = await kem.own.hash();
      await client.sendKemKey(ownHash, await kem.own.publicKey());
      return ownHash;
    };
    deposit().then(setHash, () => {
      setHash(null);
    });
  }, [kem, client]);
  return hash;
}

/** The code that this person shows to an owner who wants to share a camera. */
export function MyCode(): JSX.Element {
  return (
    <div class="panel">
      <h2>Join a household</h2>
      <p>
        Show this to the person who wants to share a camera with you, or to your own browser that has the root key, to
        add this one to yours. It is not secret, but it must be taken from this screen.
      </p>
      <details>
        <summary>Show my code</summary>
        <Code />
      </details>
    </div>
  );
}

/** The code of this browser's own keys, with the number to compare. */
export function Code(): JSX.Element {
  const { keys } = usePage();
  const kem = useDepositedKem();
  if (kem === undefined) return <p class="muted">Making your code …</p>;
  const member = memberOf(tweetnaclSuite, keys);
  const memberV2 = kem === null ? null : memberV2Of(tweetnaclSuite, keys, kem);
  const codes = formatMemberCodes(tweetnaclSuite, member, memberV2);
  const link = memberCodesLink(`${location.origin}${location.pathname}`, codes);
  return (
    <>
      <QrCode text={link} label="QR code of the link that adds you to a household" />
      <p>
        Code number <span class="mono">{memberNumber(memberV2 ?? member)}</span>: the other screen must show the same.
      </p>
      {memberV2 !== null && (
        <p class="muted small">
          A page of an older version shows <span class="mono">{memberNumber(member)}</span>.
        </p>
      )}
      <p class="mono small code">{codes}</p>
    </>
  );
}
