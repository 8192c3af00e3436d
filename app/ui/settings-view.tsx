import { type JSX, useEffect, useState } from './preact.js';
import { toHex } from '../../common/bytes.js';
import { currentOf } from '../core/presence.js';
import { signedOut } from '../core/signed-out.js';
import { Browsers } from './browsers.js';
import { EvidencePanel } from './evidence-panel.js';
import { EvidenceCheckPart } from './evidence-part.js';
import { accountNumber } from '../core/account-number.js';
import { useNames, usePage, useSessionView, type RootHere } from './context.js';
import { ThisFurtherBrowser, useFurther } from './further-browser.js';
import { MyCode } from './household.js';
import { OwnBrowsers } from './own-browsers.js';
import { part } from './part.js';
import { ProtectRoot } from './protect-root.js';
import { ReceiptKeys } from './receipt-keys.js';
import { RecoveryForm } from './recovery-form.js';
import { applyTheme, THEMES, useTheme } from './theme.js';
import { UnlockRoot } from './unlock-root.js';
import { WhoSaw } from './who-saw.js';
import { YourData } from './your-data.js';

const Notifications = part(async () => (await import('./notifications.js')).Notifications);

/** Theme, notifications, recovery file, browsers, own code, access log, export and deletion. */
export function SettingsView({
  onForget,
  onAddBrowser,
}: {
  readonly onForget: () => void;
  readonly onAddBrowser: () => void;
}): JSX.Element {
  const further = useFurther();
  const { root } = usePage();
  const [isChecking, setChecking] = useState(false);
  useEffect(EvidenceCheckPart.preload, []);
  if (isChecking) {
    return (
      <EvidenceCheckPart.View
        onBack={() => {
          setChecking(false);
        }}
      />
    );
  }
  return (
    <section aria-labelledby="settings-heading">
      <div class="section-head">
        <h1 id="settings-heading">Settings</h1>
      </div>
      <div class="settings">
        <Appearance />
        <Notifications.View />
        {further === null ? <Recovery /> : root === null && <ThisFurtherBrowser root={further.root} />}
        {root === null ? further === null && <Unprotected /> : root.open === null && <Locked root={root} />}
        {further === null && <OwnBrowsers onAdd={onAddBrowser} />}
        <MyCode />
        <Browsers />
        <ReceiptKeys />
        <WhoSaw />
        <EvidencePanel
          onCheck={() => {
            setChecking(true);
          }}
        />
        <YourData onForget={onForget} />
      </div>
    </section>
  );
}

const THEME_LABELS = { auto: 'Same as the device', light: 'Light', dark: 'Dark' } as const;

function Appearance(): JSX.Element {
  const { storage } = usePage();
  const [theme, setTheme] = useTheme(storage);
  return (
    <fieldset class="panel">
      <legend>Appearance</legend>
      <div class="radios">
        {THEMES.map((option) => (
          <label key={option} class="check">
            <input
              type="radio"
              name="theme"
              checked={theme === option}
              onChange={() => {
                setTheme(option);
                applyTheme(option);
                void storage.saveSetting('theme', option);
              }}
            />
            {THEME_LABELS[option]}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function Recovery(): JSX.Element {
  const { keys, history } = usePage();
  return (
    <RecoveryForm master={keys.master} epochs={history.accepted()} submit={{ label: 'Save a recovery file' }}>
      <h2>Recovery file</h2>
      <p>
        Save another one, with the same or a new passphrase. Earlier files remain valid. A new one also holds how far
        this browser has followed your cameras, so that a browser restored from it notices what the cloud no longer
        shows.
      </p>
    </RecoveryForm>
  );
}

function Unprotected(): JSX.Element {
  return (
    <div class="panel">
      <ProtectRoot>
        <h2>Protect your root key</h2>
      </ProtectRoot>
    </div>
  );
}

function Locked({ root }: { readonly root: RootHere }): JSX.Element {
  return (
    <div class="panel">
      <h2>Your root key</h2>
      <p>
        Account <span class="mono">{accountNumber(root.publicKey)}</span>. Your root key rests here under its
        passphrase, and this browser sees and orders with a key of its own.
      </p>
      <StillSignedIn />
      <UnlockRoot root={root} what="change your household" />
    </div>
  );
}

/** Browsers that were signed out while some camera was away, which still names them. */
function StillSignedIn(): JSX.Element | null {
  const { storage } = usePage();
  const { cameras } = useSessionView();
  const { nameOf, labelOf } = useNames();
  const [out, setOut] = useState<readonly string[]>([]);
  useEffect(() => {
    void signedOut(storage).then(setOut);
  }, [storage]);
  const still = currentOf(cameras)
    .filter(({ mayOrder, hasEnded }) => mayOrder && !hasEnded)
    .flatMap(({ device, members }) =>
      members.flatMap(({ ed25519 }) => {
        const key = toHex(ed25519);
        return out.includes(key) ? [`${labelOf(key) ?? 'another browser'} at ${nameOf(device)}`] : [];
      }),
    );
  if (still.length === 0) return null;
  return (
    <p class="note note-warn">
      <strong>Not signed out yet: {still.join(', ')}.</strong> Once the camera is back, open your root key here: the
      rest goes by itself.
    </p>
  );
}
