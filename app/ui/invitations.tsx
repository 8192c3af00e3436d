import type { JSX } from './preact.js';
import { toHex } from '../../common/bytes.js';
import { accountNumber } from '../core/account-number.js';
import { usePage, useSessionView } from './context.js';

/** Households that have added this person and are not accepted yet. */
export function Invitations(): JSX.Element {
  const { history, session } = usePage();
  const { invitations } = useSessionView();
  return (
    <>
      {invitations.map((invitation) => (
        <div key={toHex(invitation.ownerKey)} class="note note-wait">
          <strong>
            Account {accountNumber(invitation.ownerKey)}{' '}
            {invitation.isOwnBrowser ? 'made this browser one of its own.' : 'wants to show you a camera.'}
          </strong>{' '}
          Accept only if this is the number under Settings on{' '}
          {invitation.isOwnBrowser ? 'your own screen that has the root key' : 'the screen of someone you know'}.{' '}
          <button
            type="button"
            class="button"
            onClick={() => void history.accept(invitation).then(() => session.refresh())}
          >
            Accept
          </button>
        </div>
      ))}
    </>
  );
}
