import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import type { ClipLoader } from '../core/clip-loader.js';
import { playable } from '../core/clip-verdict.js';
import { evidenceOf } from '../core/event-evidence.js';
import type { TimelineEvent } from '../core/timeline.js';
import { usePage } from './context.js';
import { download } from './download.js';
import { type JSX, useEffect, useState } from './preact.js';
import { Problem } from './problem.js';

/** Saves what may be played as one file: the segments in a row are one. */
export function SaveVideo({
  loader,
  event,
  name,
  isWhole,
}: {
  readonly loader: ClipLoader;
  readonly event: TimelineEvent;
  readonly name: string;
  readonly isWhole: boolean;
}): JSX.Element {
  const [isWanted, setWanted] = useState(false);
  const parts = loader.parts();
  const isReady = parts.every(({ state }) => state !== 'named' && state !== 'asked');
  const { form } = loader;
  useEffect(() => {
    if (!isWanted || !isReady) return;
    setWanted(false);
    if (form === null) return;
    const ending = form.codec === 'h264' ? 'mp4' : 'mov';
    const bytes = playable(parts).map((part) => new Uint8Array(part.bytes ?? []));
    const type = form.type.replace(/;.*/, '');
    download(`${fileName(name, event)}${isWhole ? '' : ' incomplete'}.${ending}`, new Blob(bytes, { type }));
  }, [isWanted, isReady]);
  return (
    <button
      type="button"
      class="button"
      disabled={isWanted}
      onClick={() => {
        setWanted(true);
        loader.start();
      }}
    >
      {isWanted ? 'Opening…' : isWhole ? 'Save the video' : 'Save what is here'}
    </button>
  );
}

/** Saves what somebody else can check without a key of the household: this event, and nothing else. */
export function SaveEvidence({ event, name }: { readonly event: TimelineEvent; readonly name: string }): JSX.Element {
  const { client, history, owner } = usePage();
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<SealcamError | null>(null);
  const save = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      const file = await evidenceOf({ suite: tweetnaclSuite, client, history, owner }, event);
      download(`${fileName(name, event)}.evidence`, new Blob([new Uint8Array(file)]));
    } catch (error) {
      setProblem(asSealcamError(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <button
        type="button"
        class="button"
        disabled={isBusy}
        title="Signed records, pictures and video of this event, for somebody who must check them without your key"
        onClick={() => void save()}
      >
        {isBusy ? 'Putting together…' : 'Save as evidence'}
      </button>
      {problem !== null && <Problem error={problem} />}
    </>
  );
}

/** Returns the start of a file's name: the camera, and when the event began. */
function fileName(name: string, event: TimelineEvent): string {
  const at = new Date(event.startedAtMs ?? event.receivedAtMs).toISOString().slice(0, 19).replaceAll(':', '-');
  return `${name} ${at}`;
}
