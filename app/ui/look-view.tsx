import { realClock } from '../../common/adapters/real-clock.js';
import { realRandom } from '../../common/adapters/real-random.js';
import type { SealcamError } from '../../common/errors.js';
import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import { LiveLook } from '../core/look.js';
import type { LookState } from '../core/look-state.js';
import type { CameraView } from '../core/session-view.js';
import { useChanges, useNames, usePage } from './context.js';
import { LookStage } from './look-stage.js';
import { lightSentence, LOOK_REASONS } from './look-words.js';
import { type JSX, type RefObject, useEffect, useRef, useState } from './preact.js';
import { Problem } from './problem.js';

interface ViewProps {
  readonly camera: CameraView;
  readonly onClose: () => void;
}

/** What a camera sees now. It ends with this view: nobody looks in the background. */
export function LookView({ camera, onClose }: ViewProps): JSX.Element {
  // A new one is a new order.
  const [round, setRound] = useState(0);
  return (
    <OneLook
      key={round}
      camera={camera}
      onClose={onClose}
      onAgain={() => {
        setRound(round + 1);
      }}
    />
  );
}

function OneLook({ camera, onClose, onAgain }: ViewProps & { readonly onAgain: () => void }): JSX.Element {
  const { nameOf } = useNames();
  const name = nameOf(camera.device);
  const { look, place, fault } = useLook(camera);
  useChanges(look);
  const { state } = look;
  const isLive = state.type === 'live';
  const { sentence, tone } = lightSentence(camera, isLive);
  const figure = useRef<HTMLElement>(null);
  return (
    <figure ref={figure} class="panel look" aria-label={`Live: ${name}`}>
      <div class="look-screen">
        <div ref={place} role="img" aria-label={`What ${name} sees now`} hidden={!isLive} />
        {!isLive && (
          <p class="look-note" role="status">
            {noteOf(state)}
          </p>
        )}
      </div>
      <figcaption class="look-caption">
        <strong>{name}</strong>
        {isLive && <Figures state={state} />}
      </figcaption>
      {state.type !== 'ended' && <p class={`note note-${tone}`}>{sentence}</p>}
      {isLive && fault !== null && <Problem error={fault} />}
      {isLive && typeof state.extension === 'object' && <Problem error={state.extension} />}
      {state.type === 'ended' && state.problem !== null && <Problem error={state.problem} />}
      {state.type === 'ended' && state.missing > 0 && (
        <p class="note note-warn">{counted(state.missing)} that the camera sent did not come.</p>
      )}
      <div class="form-buttons">
        {state.type === 'ended' ? (
          <>
            <button type="button" class="button button-main" onClick={onAgain}>
              Look again
            </button>
            <button type="button" class="button" onClick={onClose}>
              Close
            </button>
          </>
        ) : (
          <>
            {isLive && <Extend look={look} isAsked={state.extension === 'asked'} />}
            {isLive && document.fullscreenEnabled && (
              <button
                type="button"
                class="button"
                onClick={() => {
                  // The browser may refuse it; then the picture stays where it is.
                  void figure.current?.requestFullscreen().catch(() => undefined);
                }}
              >
                Full screen
              </button>
            )}
            <button
              type="button"
              class="button"
              onClick={() => {
                look.close();
              }}
            >
              End
            </button>
          </>
        )}
      </div>
    </figure>
  );
}

function Extend({ look, isAsked }: { readonly look: LiveLook; readonly isAsked: boolean }): JSX.Element {
  return (
    <button type="button" class="button button-main" disabled={isAsked} onClick={() => void look.extend()}>
      {isAsked ? 'Asking …' : 'Go on for a minute'}
    </button>
  );
}

function Figures({ state }: { readonly state: Extract<LookState, { type: 'live' }> }): JSX.Element {
  const { secondsLeft, missing, ageMs } = state;
  return (
    <span class="muted small">
      {secondsLeft} s left
      {ageMs !== null && ` · at most ${(Math.max(1, Math.ceil(ageMs / 100)) / 10).toFixed(1)} s behind`}
      {missing > 0 && ` · ${counted(missing)} did not come`}
    </span>
  );
}

function counted(messages: number): string {
  return messages === 1 ? '1 message' : `${String(messages)} messages`;
}

function noteOf(state: LookState): string {
  switch (state.type) {
    case 'asking':
      return 'Asking the camera …';
    case 'waiting':
      return 'Waiting for the camera’s answer …';
    case 'live':
      return '';
    case 'ended':
      return LOOK_REASONS[state.reason];
  }
}

/** Orders a look for as long as this component is there. */
function useLook({ device, epoch }: CameraView): {
  readonly look: LiveLook;
  readonly place: RefObject<HTMLDivElement>;
  readonly fault: SealcamError | null;
} {
  const { keys, client, history, session, liveness } = usePage();
  const [fault, setFault] = useState<SealcamError | null>(null);
  const place = useRef<HTMLDivElement>(null);
  const [{ look, stage }] = useState(() => {
    const made = new LookStage(setFault);
    const deps = {
      suite: tweetnaclSuite,
      clock: realClock,
      random: realRandom,
      signer: keys.signer,
      client,
      history,
      session,
      within: liveness.within.bind(liveness),
      screen: made,
    };
    return { look: new LiveLook(deps, { device, epoch }), stage: made };
  });
  useEffect(() => {
    place.current?.replaceChildren(stage.element);
    // Its end is a state, never an error.
    void look.run();
    return () => {
      look.close();
      stage.close();
    };
  }, [look, stage]);
  return { look, place, fault };
}
