import { type JSX, useState } from './preact.js';
import { toHex } from '../../common/bytes.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import type { AccessEntry } from '../core/cloud-answers.js';
import { Browsers } from './browsers.js';
import { useNames, usePage } from './context.js';
import { download } from './download.js';
import { shortTime } from './format.js';
import { MyCode } from './household.js';
import { Problem } from './problem.js';
import { ReceiptKeys } from './receipt-keys.js';
import { RecoveryForm } from './recovery-form.js';
import { applyTheme, THEMES, useTheme } from './theme.js';
import { TypeToConfirm } from './type-to-confirm.js';

/** Theme, recovery file, own code, access log, export and deletion. */
export function SettingsView({ onForget }: { readonly onForget: () => void }): JSX.Element {
  return (
    <section aria-labelledby="settings-heading">
      <div class="section-head">
        <h1 id="settings-heading">Settings</h1>
      </div>
      <div class="settings">
        <Appearance />
        <Recovery />
        <MyCode />
        <Browsers />
        <ReceiptKeys />
        <WhoSaw />
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

function WhoSaw(): JSX.Element {
  const { client, keys } = usePage();
  const { nameOf } = useNames();
  const [entries, setEntries] = useState<readonly AccessEntry[] | null>(null);
  const [problem, setProblem] = useState<SealcamError | null>(null);
  const own = toHex(keys.signer.publicKey);
  const load = async (): Promise<void> => {
    try {
      setEntries(await client.access());
    } catch (error) {
      setProblem(asSealcamError(error));
    }
  };
  const others = (entries ?? []).filter(({ reader }) => reader !== own);
  return (
    <div class="panel">
      <h2>Who was shown what</h2>
      <p>The cloud logs every read of your cameras before it answers, and cannot change the log later.</p>
      {problem !== null && <Problem error={problem} />}
      {entries === null ? (
        <button type="button" class="button" onClick={() => void load()}>
          Show the log
        </button>
      ) : (
        <>
          <p class={`note ${others.length === 0 ? 'note-good' : 'note-warn'}`}>
            {others.length === 0
              ? `Nobody but you: the last ${String(entries.length)} reads were made with your own key.`
              : `${String(others.length)} of the last ${String(entries.length)} reads were made with another key.`}
          </p>
          <ul class="access">
            {entries.slice(0, 20).map((entry, i) => (
              <li key={i}>
                <time>{shortTime(entry.atMs)}</time> {entry.what}, {nameOf(entry.device)}, by{' '}
                {entry.reader === own ? 'you' : <span class="mono">{entry.reader.slice(0, 16)}…</span>}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function YourData({ onForget }: { readonly onForget: () => void }): JSX.Element {
  const { client, keys, storage } = usePage();
  const [note, setNote] = useState<string | null>(null);
  const [problem, setProblem] = useState<SealcamError | null>(null);
  const account = toHex(keys.account);
  const run = async (work: () => Promise<void>): Promise<void> => {
    setProblem(null);
    try {
      await work();
    } catch (error) {
      setProblem(asSealcamError(error));
    }
  };
  return (
    <div class="panel form">
      <h2>Your data</h2>
      <p>
        Your account is a number: <span class="mono">{account.match(/.{4}/g)?.join(' ')}</span>. The cloud does not know
        your name.
      </p>
      {problem !== null && <Problem error={problem} />}
      {note !== null && <p class="note note-good">{note}</p>}
      <div class="form-buttons">
        <button
          type="button"
          class="button"
          onClick={() =>
            void run(async () => {
              download(`sealcam-${account.slice(0, 8)}.jsonl`, await client.export());
            })
          }
        >
          Export everything
        </button>
      </div>
      <details class="danger">
        <summary>Delete and forget</summary>
        <TypeToConfirm
          word="delete"
          actions={[
            {
              label: 'Delete my events from the cloud',
              act: () =>
                void run(async () => {
                  await client.deleteAccount();
                  setNote('The cloud has deleted everything in your account.');
                }),
            },
            {
              label: 'Forget my key on this device',
              act: () =>
                void run(async () => {
                  await storage.clear();
                  onForget();
                }),
            },
          ]}
        />
      </details>
    </div>
  );
}
