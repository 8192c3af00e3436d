import { type JSX, useEffect, useState } from './preact.js';
import { realRandom } from '../../common/adapters/real-random.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { saveRestored } from '../core/household-heads.js';
import { FURTHER_SETTING } from '../core/households.js';
import { openRecoveryFile, type Recovery } from '../core/recovery-file.js';
import type { AppStorage } from '../core/storage.js';
import { EvidenceCheckPart } from './evidence-part.js';
import { SPAN_WORDS } from './evidence-words.js';
import { KeyIcon, Logo } from './icons.js';
import { PassphraseField } from './new-passphrase.js';
import { Problem } from './problem.js';
import { Progress, RecoveryForm } from './recovery-form.js';
import { useFileDrop } from './use-file-drop.js';

type Mode = 'welcome' | 'create' | 'saved' | 'restore' | 'further' | 'check';

/** The first visit: makes or restores the owner's key. A new key is used only after its recovery file was saved. */
export function Onboarding({
  storage,
  onReady,
}: {
  readonly storage: AppStorage;
  readonly onReady: () => void;
}): JSX.Element {
  const [mode, setMode] = useState<Mode>('welcome');
  const [master, setMaster] = useState<Uint8Array | null>(null);
  const [dropped, setDropped] = useState<File | null>(null);
  // It must open too when the connection is gone by then.
  useEffect(EvidenceCheckPart.preload, []);
  const finish = async (key: Uint8Array, isFurther = false): Promise<void> => {
    // Before the key: a further browser must never take itself for one that has the root key.
    await storage.saveSetting(FURTHER_SETTING, isFurther ? 'yes' : '');
    await storage.saveMaster(key);
    if (!isFurther) await storage.saveSetting('recovery-saved', new Date().toISOString());
    // Otherwise the browser may delete the key when disk space runs low.
    await navigator.storage.persist().catch(() => false);
    onReady();
  };
  const restore = async ({ master: key, savedAtMs, epochs }: Recovery): Promise<void> => {
    for (const epoch of epochs) await storage.saveEpoch(epoch);
    await saveRestored(storage, { savedAtMs });
    await finish(key);
  };
  return (
    <main class="onboarding">
      <div class="onboarding-head">
        <Logo />
        <span class="wordmark">sealcam</span>
      </div>
      {mode === 'welcome' && (
        <Welcome
          onCreate={() => {
            setMode('create');
          }}
          onRestore={() => {
            setMode('restore');
          }}
          onFurther={() => {
            setMode('further');
          }}
          onCheck={(file) => {
            setDropped(file);
            setMode('check');
          }}
        />
      )}
      {mode === 'create' && (
        <CreateKey
          master={master}
          onBack={() => {
            setMode('welcome');
          }}
          onSaved={(key) => {
            setMaster(key);
            setMode('saved');
          }}
        />
      )}
      {mode === 'saved' && master !== null && (
        <Confirm
          onConfirm={() => void finish(master)}
          onAgain={() => {
            setMode('create');
          }}
        />
      )}
      {mode === 'further' && (
        <Further
          onBack={() => {
            setMode('welcome');
          }}
          onMake={() => void finish(realRandom.bytes(32), true)}
        />
      )}
      {mode === 'restore' && (
        <Restore
          onBack={() => {
            setMode('welcome');
          }}
          onRestored={(recovery) => void restore(recovery)}
        />
      )}
      {mode === 'check' && (
        <EvidenceCheckPart.View
          dropped={dropped}
          onBack={() => {
            setMode('welcome');
          }}
        />
      )}
    </main>
  );
}

function Welcome({
  onCreate,
  onRestore,
  onFurther,
  onCheck,
}: {
  readonly onCreate: () => void;
  readonly onRestore: () => void;
  readonly onFurther: () => void;
  /** With a file that was dropped onto the page, or null. */
  readonly onCheck: (file: File | null) => void;
}): JSX.Element {
  useFileDrop(onCheck);
  return (
    <div class="panel onboarding-panel">
      <h1>Only you can see what your cameras see</h1>
      <p>
        Every picture is sealed on the camera to a key that is made here, in your browser. The cloud stores the picture
        but cannot open it, and this page verifies everything it receives.
      </p>
      <ul class="ticks">
        <li>No password, no account name, no e-mail address.</li>
        <li>Your key stays on this device. With a recovery file you can move it to another one.</li>
        <li>If you lose both, nobody can open your pictures again, and nobody can help.</li>
      </ul>
      <div class="form-buttons">
        <button type="button" class="button button-main" onClick={onCreate}>
          <KeyIcon /> Make my key
        </button>
        <button type="button" class="button" onClick={onRestore}>
          I have a recovery file
        </button>
        <button type="button" class="button" onClick={onFurther}>
          Another browser of mine has the key
        </button>
        <button
          type="button"
          class="button"
          onClick={() => {
            onCheck(null);
          }}
        >
          {SPAN_WORDS.check}
        </button>
      </div>
    </div>
  );
}

/** Makes a browser whose keys are its own, beside one that has the root key. */
function Further({ onMake, onBack }: { readonly onMake: () => void; readonly onBack: () => void }): JSX.Element {
  return (
    <div class="panel onboarding-panel">
      <h1>Add this browser to yours</h1>
      <p>It gets a key of its own, made here, which your other browser then adds to your cameras.</p>
      <ul class="plain">
        <li>It sees what is recorded from then on, and gives orders to your cameras.</li>
        <li>It cannot claim or give away cameras, change your household, or delete anything.</li>
        <li>If it is lost or stolen, you remove it in your other browser, and your root key is not touched.</li>
        <li>
          It cannot open what was recorded before it was added. If you want that here, go back and open your recovery
          file: then this browser has the root key and can do everything.
        </li>
      </ul>
      <div class="form-buttons">
        <button type="button" class="button button-main" onClick={onMake}>
          <KeyIcon /> Make its key
        </button>
        <button type="button" class="button" onClick={onBack}>
          Back
        </button>
      </div>
    </div>
  );
}

function CreateKey({
  master,
  onBack,
  onSaved,
}: {
  /** The key that was made before, to be saved again; null the first time. */
  readonly master: Uint8Array | null;
  readonly onBack: () => void;
  readonly onSaved: (master: Uint8Array) => void;
}): JSX.Element {
  // A second file holds the same key: both files have one name, and a person keeps either.
  const [key] = useState(() => master ?? realRandom.bytes(32));
  return (
    <RecoveryForm
      master={key}
      className="onboarding-panel"
      submit={{ label: master === null ? 'Make my key and save the file' : 'Save the file again', isMain: true }}
      onSaved={() => {
        onSaved(key);
      }}
      onBack={onBack}
    >
      <h1>Save your recovery file</h1>
      <p>The file holds your key, encrypted with a passphrase. Keep it somewhere safe, away from this device.</p>
    </RecoveryForm>
  );
}

function Confirm({
  onConfirm,
  onAgain,
}: {
  readonly onConfirm: () => void;
  readonly onAgain: () => void;
}): JSX.Element {
  const [isSure, setSure] = useState(false);
  return (
    <div class="panel onboarding-panel form">
      <h1>Is the file safe?</h1>
      <p>
        <span class="mono">sealcam-recovery.json</span> is in your downloads. If you lose this device, only this file
        can bring your key back.
      </p>
      <label class="check">
        <input
          type="checkbox"
          checked={isSure}
          onChange={() => {
            setSure(!isSure);
          }}
        />
        I have put the file and its passphrase in a safe place.
      </label>
      <div class="form-buttons">
        <button type="button" class="button button-main" disabled={!isSure} onClick={onConfirm}>
          Continue
        </button>
        <button type="button" class="button" onClick={onAgain}>
          Save it again
        </button>
      </div>
    </div>
  );
}

function Restore({
  onBack,
  onRestored,
}: {
  readonly onBack: () => void;
  readonly onRestored: (recovery: Recovery) => void;
}): JSX.Element {
  const [file, setFile] = useState<File | null>(null);
  const [passphrase, setPassphrase] = useState('');
  const [progress, setProgress] = useState<number | null>(null);
  const [problem, setProblem] = useState<SealcamError | null>(null);
  const restore = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (file === null) return;
    setProblem(null);
    setProgress(0);
    try {
      onRestored(await openRecoveryFile(await file.text(), passphrase, setProgress));
    } catch (error) {
      setProblem(asSealcamError(error));
    }
    setProgress(null);
  };
  return (
    <form class="panel onboarding-panel form" onSubmit={(event) => void restore(event)}>
      <h1>Open your recovery file</h1>
      <label class="field">
        <span>File</span>
        <input
          type="file"
          accept=".json,application/json"
          required
          onChange={(event) => {
            setFile(event.currentTarget.files?.[0] ?? null);
          }}
        />
      </label>
      <PassphraseField label="Passphrase" value={passphrase} onInput={setPassphrase} />
      {problem !== null && <Problem error={problem} />}
      {progress !== null && <Progress value={progress} label="Decrypting the file" />}
      <div class="form-buttons">
        <button type="submit" class="button button-main" disabled={progress !== null || file === null}>
          Restore my key
        </button>
        <button type="button" class="button" onClick={onBack}>
          Back
        </button>
      </div>
    </form>
  );
}
