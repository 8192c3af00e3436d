import { realClock } from '../../common/adapters/real-clock.js';
import { ClipLoader, type ClipPart } from '../core/clip-loader.js';
import { judgeClip, playable, type JudgedClip } from '../core/clip-verdict.js';
import { clipsOf, type Clip } from '../core/clips.js';
import type { TimelineEvent } from '../core/timeline.js';
import { ClipCanvas } from './clip-canvas.js';
import { ClipControls } from './clip-controls.js';
import type { ClipScreen } from './clip-screen.js';
import { SaveEvidence, SaveVideo } from './clip-save.js';
import { ClipVideo, playsVideo } from './clip-video.js';
import { CLIP_VERDICTS, clipTitle, holeSentence, playTime, seconds } from './clip-words.js';
import { useChanges, useNow, usePage, useSessionView } from './context.js';
import { PlayIcon } from './icons.js';
import { type JSX, type RefObject, useEffect, useRef, useState } from './preact.js';
import { Chip } from './verdict-chip.js';

interface PlayerProps {
  readonly event: TimelineEvent;
  /** Of the camera. */
  readonly name: string;
  /** What is shown before the video plays. */
  readonly poster: JSX.Element;
}

/** The video of an event, in its place; an event with more than one lets the viewer choose. */
export function ClipPlayer({ event, name, poster }: PlayerProps): JSX.Element {
  const clips = clipsOf(event);
  const [chosen, setChosen] = useState(0);
  const clip = clips[Math.min(chosen, clips.length - 1)];
  if (clip === undefined) return <div class="dialog-picture">{poster}</div>;
  return (
    <div class="clip">
      <OneClip key={clip.key} clip={clip} event={event} name={name} poster={poster} />
      {clips.length > 1 && (
        <div class="filters clip-choice" role="group" aria-label="Videos of this event">
          {clips.map(({ key }, i) => (
            <button
              key={key}
              type="button"
              class="filter"
              aria-pressed={key === clip.key}
              onClick={() => {
                setChosen(i);
              }}
            >
              Video {i + 1}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

function OneClip({ clip, event, name, poster }: PlayerProps & { readonly clip: Clip }): JSX.Element {
  const loader = useLoader(clip, event.lostSegments);
  const [isStarted, setStarted] = useState(false);
  const parts = loader.parts();
  // By the clip that the parts are of: one that has its end already would make them whole too early.
  const judged = useJudged(loader.clip, parts);
  const player = useScreen(loader, parts, judged, isStarted);
  const { form } = loader;
  const isUnplayable = form?.codec === 'h264' && !playsVideo(form);
  const start = (): void => {
    setStarted(true);
    loader.start();
  };
  const { tone, sentence } = CLIP_VERDICTS[judged.verdict];
  return (
    <>
      <div class="dialog-picture">
        {player.screen === null && poster}
        <div
          ref={player.place}
          class="clip-screen"
          hidden={player.screen === null}
          role="img"
          aria-label={`Video of ${name}`}
          onClick={player.toggle}
        />
        {!isStarted && (
          <button type="button" class="clip-start" onClick={start}>
            <PlayIcon size={34} />
            <span class="visually-hidden">Play the video, </span>
            <span>{playTime(judged.lengthMs)}</span>
          </button>
        )}
        {isStarted && player.screen === null && !isUnplayable && (
          <p class="clip-note" role="status">
            {parts[0]?.state === 'coming' ? 'Waiting for the video…' : 'Opening the video…'}
          </p>
        )}
        {(isUnplayable || player.isFaulty) && (
          <p class="clip-note" role="alert">
            This browser does not play this video. Save it, and play it with another program.
          </p>
        )}
      </div>
      {player.screen !== null && (
        <ClipControls
          screen={player.screen}
          lengthMs={judged.lengthMs}
          prerollMs={clip.prerollMs}
          holes={judged.holes}
          onToggle={player.toggle}
        />
      )}
      <div class="clip-facts">
        <div class="verdict-line">
          <Chip tone={tone} title={`Video: ${clipTitle(judged)}`} />
          <p>{sentence}</p>
        </div>
        {judged.holes.length > 0 && (
          <ul class="clip-holes" aria-label="What does not play">
            {judged.holes.map((hole) => (
              <li key={`${String(hole.fromMs)} ${hole.why}`}>{holeSentence(hole)}</li>
            ))}
          </ul>
        )}
        <div class="clip-line">
          <span class="muted">
            {seconds(judged.lengthMs)}
            {clip.prerollMs > 0 && `, the first ${seconds(clip.prerollMs)} before the event began`}
          </span>
          <div class="clip-save">
            <SaveVideo loader={loader} event={event} name={name} isWhole={judged.holes.length === 0} />
            <SaveEvidence event={event} name={name} />
          </div>
        </div>
      </div>
    </>
  );
}

function useLoader(clip: Clip, lostSegments: readonly string[]): ClipLoader {
  const { owner, session } = usePage();
  const [loader] = useState(
    () =>
      new ClipLoader(
        {
          open: (segment) => owner.openSegment(segment),
          keyStateOf: (segment) => owner.keyStateOfSegment(segment),
          refuse: (message, code, about) => {
            session.refusePicture(message, code, about);
          },
          clock: realClock,
        },
        clip,
      ),
  );
  useChanges(loader);
  const view = useSessionView();
  useEffect(() => {
    loader.update(clip, lostSegments);
  }, [loader, view]);
  useEffect(
    () => () => {
      loader.stop();
    },
    [loader],
  );
  return loader;
}

function useJudged(clip: Clip, parts: readonly ClipPart[]): JudgedClip {
  const { cameras, marks } = useSessionView();
  const nowMs = useNow(5000);
  const camera = cameras.find(({ device, epoch }) => device === clip.device && epoch === clip.epoch);
  return judgeClip(clip, parts, { lastWordMs: camera?.lastWordMs ?? null, marks, nowMs });
}

interface Player {
  /** Where the screen goes. */
  readonly place: RefObject<HTMLDivElement>;
  /** Null before there is something to show. */
  readonly screen: ClipScreen | null;
  readonly isFaulty: boolean;
  readonly toggle: () => void;
}

/** Makes the screen once it is known what the clip is, and gives it what may be played, as it comes. */
function useScreen(
  { form }: ClipLoader,
  parts: readonly ClipPart[],
  { holes, verdict }: JudgedClip,
  isStarted: boolean,
): Player {
  const place = useRef<HTMLDivElement>(null);
  const [screen, setScreen] = useState<ClipScreen | null>(null);
  const [isFaulty, setFaulty] = useState(false);
  const [, setTick] = useState(0);
  useEffect(() => {
    if (!isStarted || form === null || place.current === null) return undefined;
    if (form.codec === 'h264' && !playsVideo(form)) return undefined;
    const events = {
      onChange: () => {
        setTick((tick) => tick + 1);
      },
      onFault: () => {
        setFaulty(true);
      },
    };
    const made = form.codec === 'h264' ? new ClipVideo(form, events) : new ClipCanvas(form, events);
    place.current.replaceChildren(made.element);
    setScreen(made);
    made.play();
    return () => {
      made.close();
      made.element.remove();
      setScreen(null);
    };
  }, [form, isStarted]);
  const awaited = parts.filter(({ state }) => state === 'named' || state === 'asked' || state === 'coming');
  const isWhole = awaited.length === 0 && verdict !== 'coming' && !holes.some(({ why }) => why === 'coming');
  const states = parts.map(({ state }) => state).join(' ');
  useEffect(() => {
    screen?.show({ parts: playable(parts), awaited, isWhole });
  }, [screen, states, isWhole]);
  const toggle = (): void => {
    if (screen?.isPlaying === true) screen.pause();
    else screen?.play();
  };
  return { place, screen, isFaulty, toggle };
}
