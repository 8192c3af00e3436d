import { type JSX, useEffect, useRef, useState } from './preact.js';
import { toHex } from '../../common/bytes.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import { parseClaimCode } from '../../protocol/objects/claim-code.js';
import { ownBrowser } from '../core/root-lock.js';
import type { ClaimStep } from '../core/owner.js';
import { useNames, usePage } from './context.js';
import { NeedsRoot, useFurther } from './further-browser.js';
import { CloseIcon } from './icons.js';
import { Problem } from './problem.js';

const STEPS: readonly (readonly [ClaimStep, string, string])[] = [
  [
    'waiting-for-camera',
    'Reaching the camera',
    'Press the button on the camera if this takes longer than a few seconds.',
  ],
  ['claim-sent', 'Signing', 'Your key has signed the claim. The camera checks it against the code on its label.'],
  ['accepted', 'Yours', 'The camera has signed that it is yours. From now on its pictures are sealed to your key.'],
];

function stepClass(index: number, current: number, isFinished: boolean): string {
  if (index < current || isFinished) return 'step-done';
  return index === current ? 'step-now' : '';
}

/** Claims a camera with the code from its label, typed or from a link. */
export function AddCamera({
  initialCode,
  onClose,
}: {
  readonly initialCode: string;
  readonly onClose: () => void;
}): JSX.Element {
  const { owner, session, root, storage, client } = usePage();
  const further = useFurther();
  const { rename } = useNames();
  const dialog = useRef<HTMLDialogElement>(null);
  const [code, setCode] = useState(initialCode);
  const [name, setName] = useState('');
  const [step, setStep] = useState<ClaimStep | null>(null);
  const [problem, setProblem] = useState<SealcamError | null>(null);
  const abort = useRef<AbortController | null>(null);
  useEffect(() => {
    const element = dialog.current;
    if (element !== null && !element.open) element.showModal();
    return () => abort.current?.abort();
  }, []);

  const claim = async (event: Event): Promise<void> => {
    event.preventDefault();
    setProblem(null);
    const controller = new AbortController();
    abort.current = controller;
    try {
      const parsed = parseClaimCode(tweetnaclSuite, code);
      if (name.trim() !== '') await rename(toHex(parsed.device), name);
      // A protected root key is not at hand every day: this browser's own key sees what the camera records.
      const browsers = root === null ? [] : [await ownBrowser(tweetnaclSuite, storage, client)];
      await owner.claim(parsed, setStep, controller.signal, browsers);
      await session.refresh();
    } catch (error) {
      if (controller.signal.aborted) return;
      setStep(null);
      setProblem(asSealcamError(error));
    }
  };
  const at = STEPS.findIndex(([name_]) => name_ === step);
  return (
    <dialog ref={dialog} class="small-dialog" onClose={onClose} aria-labelledby="add-title">
      <header class="dialog-head">
        <h2 id="add-title">Add a camera</h2>
        <button type="button" class="icon-button" onClick={onClose} aria-label="Close">
          <CloseIcon />
        </button>
      </header>
      {further !== null ? (
        <NeedsRoot root={further.root} what="claim cameras" />
      ) : step === null ? (
        <form class="form" onSubmit={(event) => void claim(event)}>
          <label class="field">
            <span>Claim code</span>
            <textarea
              rows={4}
              required
              spellcheck={false}
              autocomplete="off"
              autocapitalize="characters"
              class="mono"
              value={code}
              placeholder="ABCDEF-GHIJKL-…"
              onInput={(event) => {
                setCode(event.currentTarget.value);
              }}
            />
            <small>From the camera’s label or QR code. It stays on this page and is never sent.</small>
          </label>
          <label class="field">
            <span>Name</span>
            <input
              value={name}
              maxLength={40}
              placeholder="Front door"
              onInput={(event) => {
                setName(event.currentTarget.value);
              }}
            />
            <small>Only your household sees it: the cloud gets it sealed.</small>
          </label>
          {problem !== null && <Problem error={problem} />}
          <button type="submit" class="button button-main">
            Make it mine
          </button>
        </form>
      ) : (
        <div class="form">
          <ol class="steps">
            {STEPS.map(([id, title, text], i) => (
              <li key={id} class={stepClass(i, at, step === 'accepted')} aria-current={i === at ? 'step' : undefined}>
                <strong>{title}</strong>
                {i === at && <p>{text}</p>}
              </li>
            ))}
          </ol>
          {step === 'accepted' && (
            <button type="button" class="button button-main" onClick={onClose}>
              Done
            </button>
          )}
        </div>
      )}
    </dialog>
  );
}
