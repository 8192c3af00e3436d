import { type JSX, useState } from './preact.js';
import { toHex } from '../../common/bytes.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { useChanges, usePage, useSessionView } from './context.js';
import { download } from './download.js';
import { NeedsRoot, useFurther } from './further-browser.js';
import { Problem } from './problem.js';
import { endPush } from './push-browser.js';
import { TypeToConfirm } from './type-to-confirm.js';

/** The account's number, and what its owner can do with all of it: export it, delete it, or forget the key here. */
export function YourData({ onForget }: { readonly onForget: () => void }): JSX.Element {
  const { client, keys } = usePage();
  const further = useFurther();
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
      {further === null && (
        <p>
          Your account is a number: <span class="mono">{account.match(/.{4}/g)?.join(' ')}</span>. The cloud does not
          know your name.
        </p>
      )}
      {problem !== null && <Problem error={problem} />}
      {further === null ? (
        <>
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
          <DeleteAccount run={run} />
        </>
      ) : (
        <ToExport root={further.root} />
      )}
      <ForgetKey run={run} isFurther={further !== null} onForget={onForget} />
    </div>
  );
}

function ToExport({ root }: { readonly root: Uint8Array | null }): JSX.Element {
  const { root: here } = usePage();
  if (here === null) return <NeedsRoot root={root} what="export or delete the account" />;
  return <p class="note note-wait">To export or delete the account, open your root key under “Your root key”.</p>;
}

type Run = (work: () => Promise<void>) => Promise<void>;

function DeleteAccount({ run }: { readonly run: Run }): JSX.Element {
  const { deletions } = usePage();
  const { cameras } = useSessionView();
  useChanges(deletions);
  const [isBusy, setBusy] = useState(false);
  const owned = new Set(cameras.filter(({ isOwned }) => isOwned).map(({ device }) => device)).size;
  const act = async (): Promise<void> => {
    setBusy(true);
    await run(() => deletions.deleteAccount(cameras));
    setBusy(false);
  };
  return (
    <details class="danger">
      <summary>Delete my account</summary>
      {deletions.accountErasedAtMs !== null ? (
        <p>It is deleted. Until it is erased you can undo that at the top of this page.</p>
      ) : (
        <>
          <p>
            The cloud stops showing the events and pictures of your{' '}
            {owned === 1 ? 'camera' : `${String(owned)} cameras`} at once, to you and to your household. Some days later
            it erases them for good; it names the day. Until then you can undo it with this key.
          </p>
          <p>To use the cameras afterwards you claim them again. To keep your events, export them first.</p>
          <TypeToConfirm
            word="delete"
            isBusy={isBusy}
            actions={[{ label: 'Delete my account', act: () => void act() }]}
          />
        </>
      )}
    </details>
  );
}

function ForgetKey({
  run,
  isFurther,
  onForget,
}: {
  readonly run: Run;
  readonly isFurther: boolean;
  readonly onForget: () => void;
}): JSX.Element {
  const { storage } = usePage();
  return (
    <details class="danger">
      <summary>Forget my key on this device</summary>
      <p>This browser loses, for good:</p>
      <ul class="plain">
        <li>
          {isFurther
            ? 'its own key, and with it everything that was sealed to it. It becomes a browser like any other'
            : 'your key. Only your recovery file, or another browser of yours, can open your pictures then'}
        </li>
        <li>the names that you gave to cameras and people, and the zones that it drew</li>
        <li>how far it has seen each camera’s history, by which it notices a cloud that shows less than before</li>
      </ul>
      <p>
        The cloud deletes nothing, and your cameras go on as before.{' '}
        {isFurther ? 'Sign it out in the browser with the root key too.' : 'Without a recovery file nobody can help.'}
      </p>
      <TypeToConfirm
        word="forget"
        actions={[
          {
            label: 'Forget my key here',
            act: () =>
              void run(async () => {
                // Without the key the worker could verify nothing of what comes.
                await endPush();
                await storage.clear();
                onForget();
              }),
          },
        ]}
      />
    </details>
  );
}
