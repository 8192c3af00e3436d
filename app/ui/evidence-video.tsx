import { type JSX, useEffect, useRef, useState } from './preact.js';
import type { EvidenceClip } from '../core/evidence-check.js';
import { ClipCanvas } from './clip-canvas.js';
import type { ClipScreen } from './clip-screen.js';
import { ClipVideo, playsVideo } from './clip-video.js';
import { download } from './download.js';
import { WORDS } from './evidence-words.js';

/** A clip of a verified event, on the screens that clips of the timeline have. */
export function EvidenceVideo({ clip }: { readonly clip: EvidenceClip }): JSX.Element {
  const { form, parts, bytes, number } = clip;
  const place = useRef<HTMLDivElement>(null);
  const [screen, setScreen] = useState<ClipScreen | null>(null);
  const [isFaulty, setFaulty] = useState(form === null || (form.codec === 'h264' && !playsVideo(form)));
  const [, setTick] = useState(0);
  useEffect(() => {
    if (isFaulty || form === null || place.current === null) return undefined;
    const events = {
      onChange: () => {
        setTick((tick) => tick + 1);
      },
      onFault: () => {
        setFaulty(true);
      },
    };
    const made = form.codec === 'h264' ? new ClipVideo(form, events) : new ClipCanvas(form, events);
    made.element.setAttribute('aria-label', `Video ${String(number + 1)} of this event`);
    if (made.element instanceof HTMLCanvasElement) made.element.setAttribute('role', 'img');
    place.current.append(made.element);
    made.show({ parts, awaited: [], isWhole: true });
    setScreen(made);
    return () => {
      made.close();
      made.element.remove();
    };
  }, [isFaulty]);
  const ending = form?.codec === 'jpeg' ? 'mov' : 'mp4';
  return (
    <div class="evidence-video">
      {isFaulty ? <p>{WORDS.cannotPlay}</p> : <div class="evidence-screen" ref={place} />}
      <div class="form-buttons">
        {!isFaulty && screen !== null && (
          <button
            type="button"
            class="button button-main"
            onClick={() => {
              if (screen.isPlaying) screen.pause();
              else screen.play();
            }}
          >
            {screen.isPlaying ? WORDS.pause : WORDS.play}
          </button>
        )}
        <button
          type="button"
          class="button"
          onClick={() => {
            download(`sealcam-evidence-${String(number + 1)}.${ending}`, new Blob([new Uint8Array(bytes)]));
          }}
        >
          {WORDS.saveVideo}
        </button>
      </div>
    </div>
  );
}
