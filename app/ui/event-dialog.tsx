import { type JSX, useEffect, useRef, useState } from './preact.js';
import { toHex } from '../../common/bytes.js';
import type { PictureState } from '../core/pictures.js';
import type { TimelineEvent } from '../core/timeline.js';
import { ClipPlayer } from './clip-player.js';
import { usePage } from './context.js';
import { DeleteEvent } from './delete-event.js';
import { eventTitle, Picture, usePicture } from './event-card.js';
import { duration, fullTime, size } from './format.js';
import { CloseIcon, LeftIcon, RightIcon } from './icons.js';
import { VerdictChip, verdictSentence } from './verdict-chip.js';

const CLOCKS = {
  ntp: 'set by the network',
  rtc: 'from the camera’s own clock',
  unset: 'the camera’s clock was not set',
} as const;

/** One event in full, with the evidence for it. Arrow keys step to the next events, Escape closes. */
export function EventDialog({
  event,
  name,
  onClose,
  onStep,
}: {
  readonly event: TimelineEvent;
  readonly name: string;
  readonly onClose: () => void;
  readonly onStep: (by: 1 | -1) => void;
}): JSX.Element {
  const { pictures } = usePage();
  const dialog = useRef<HTMLDialogElement>(null);
  const state = usePicture(event.picture, true);
  const [showsBox, setShowsBox] = useState(true);
  useEffect(() => {
    const element = dialog.current;
    if (element !== null && !element.open) element.showModal();
  }, []);
  const retry = (): void => {
    if (event.picture !== null) pictures.retry(event.picture);
  };
  useEffect(retry, [event.key]);
  const onKey = (key: KeyboardEvent): void => {
    if (key.key === 'ArrowLeft') onStep(-1);
    if (key.key === 'ArrowRight') onStep(1);
  };
  const picture = (
    <>
      <Picture state={state} alt={`${name}, ${eventTitle(event)}`} onRetry={retry} />
      {showsBox && <MotionBox state={state} />}
    </>
  );
  return (
    <dialog ref={dialog} class="event-dialog" onClose={onClose} onKeyDown={onKey} aria-labelledby="event-title">
      <header class="dialog-head">
        <div>
          <h2 id="event-title">
            {eventTitle(event)} · {name}
          </h2>
          <p class="muted">{fullTime(event.startedAtMs ?? event.receivedAtMs)}</p>
        </div>
        <div class="dialog-buttons">
          <button
            type="button"
            class="icon-button"
            onClick={() => {
              onStep(-1);
            }}
            aria-label="Newer event"
          >
            <LeftIcon />
          </button>
          <button
            type="button"
            class="icon-button"
            onClick={() => {
              onStep(1);
            }}
            aria-label="Older event"
          >
            <RightIcon />
          </button>
          <button type="button" class="icon-button" onClick={onClose} aria-label="Close">
            <CloseIcon />
          </button>
        </div>
      </header>
      {event.clips.length === 0 ? (
        <div class="dialog-picture">{picture}</div>
      ) : (
        <ClipPlayer key={event.key} event={event} name={name} poster={picture} />
      )}
      <div class="dialog-body">
        <div class="verdict-line">
          <VerdictChip verdict={event.verdict} />
          <p>{verdictSentence(event.verdict, event.missing)}</p>
        </div>
        <Facts event={event} state={state} />
        {state.type === 'ready' && state.detail.box !== undefined && (
          <label class="check">
            <input
              type="checkbox"
              checked={showsBox}
              onChange={() => {
                setShowsBox(!showsBox);
              }}
            />
            Outline what moved
          </label>
        )}
        <HowItIsKnown event={event} />
        <DeleteEvent key={event.key} event={event} onDeleted={onClose} />
      </div>
    </dialog>
  );
}

/** Where something moved. The box was sealed with the picture, so only the household learns it. */
function MotionBox({ state }: { readonly state: PictureState }): JSX.Element | null {
  if (state.type !== 'ready' || state.detail.box === undefined) return null;
  const [left, top, width, height] = state.detail.box;
  const percent = (value: number): string => `${((value / 65_535) * 100).toFixed(2)}%`;
  const style = { left: percent(left), top: percent(top), width: percent(width), height: percent(height) };
  return <div class="motion-box" style={style} aria-hidden="true" />;
}

function Facts({ event, state }: { readonly event: TimelineEvent; readonly state: PictureState }): JSX.Element {
  const first = event.records[0]?.record.value;
  const quality = first?.time.quality ?? 'unset';
  const zones = state.type === 'ready' ? (state.detail.zones ?? []) : [];
  return (
    <dl class="facts">
      {event.hasImpossibleTime && (
        <Fact term="Camera's clock">Wrong when this was recorded. The time shown is when the cloud received it.</Fact>
      )}
      {event.startedAtMs !== null && event.endedAtMs !== null && (
        <Fact term="Lasted">{duration(event.endedAtMs - event.startedAtMs)}</Fact>
      )}
      {event.isOpen && <Fact term="Lasted">still moving</Fact>}
      <Fact term="Time">{CLOCKS[quality]}</Fact>
      {zones.length > 0 && <Fact term="Zone">{zones.join(', ')}</Fact>}
      {state.type === 'ready' && state.detail.area !== undefined && (
        <Fact term="Moved">{(state.detail.area / 10).toFixed(1)} % of the picture</Fact>
      )}
    </dl>
  );
}

function Fact({
  term,
  children,
}: {
  readonly term: string;
  readonly children: JSX.Element | string | (JSX.Element | string)[];
}): JSX.Element {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function HowItIsKnown({ event }: { readonly event: TimelineEvent }): JSX.Element {
  const last = event.records.at(-1)?.record;
  const media = event.picture?.media;
  return (
    <details class="known">
      <summary>How this page knows</summary>
      <p>
        This page verified your camera’s signature. It also checked that the record belongs to your claim of this camera
        and whether it follows the record before it. The picture was opened here, with your key; the cloud stores it
        sealed.
      </p>
      <dl class="facts facts-mono">
        <Fact term="Camera">{event.device}</Fact>
        <Fact term="Ownership">epoch {String(event.epoch)}</Fact>
        {last !== undefined && (
          <Fact term="Record">
            {String(last.value.seq)}, hash {toHex(last.hash)}
          </Fact>
        )}
        {media !== undefined && (
          <Fact term="Sealed">
            {size(media.length)}, SHA-256 {toHex(media.bodyHash)}
          </Fact>
        )}
      </dl>
    </details>
  );
}
