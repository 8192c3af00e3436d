import { type JSX, useEffect, useRef, useState } from './preact.js';
import type { PictureState } from '../core/pictures.js';
import type { TimelineEvent } from '../core/timeline.js';
import { ClipPlayer } from './clip-player.js';
import { usePage } from './context.js';
import { DeleteEvent } from './delete-event.js';
import { eventTitle, Picture, usePicture } from './event-card.js';
import { Facts, HowItIsKnown } from './event-facts.js';
import { EventActions } from './event-actions.js';
import { WhoSawEvent } from './event-access.js';
import { fullTime, shortTime } from './format.js';
import { CloseIcon, LeftIcon, MinusIcon, PlusIcon, RightIcon } from './icons.js';
import { VerdictChip, verdictSentence } from './verdict-chip.js';
import { ZoomPicture, zoomKey, type ZoomFrame } from './zoom-picture.js';

/**
 * One event in full, with the evidence for it. Arrow keys and swipes step to the next events, + and - zoom, Escape closes.
 * Opening it marks it as reviewed.
 */
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
  const { pictures, reviewed } = usePage();
  const dialog = useRef<HTMLDialogElement>(null);
  const frame = useRef<ZoomFrame>(null);
  const state = usePicture(event.picture, true);
  const [showsBox, setShowsBox] = useState(true);
  useEffect(() => {
    const element = dialog.current;
    if (element !== null && !element.open) element.showModal();
  }, []);
  const retry = (): void => {
    if (event.picture !== null) pictures.retry(event.picture);
  };
  const atMs = event.startedAtMs ?? event.receivedAtMs;
  useEffect(() => {
    retry();
    frame.current?.reset();
    if (!reviewed.isReviewed(event.key)) void reviewed.markReviewed([event.key], true);
    document.title = `${eventTitle(event)}, ${name}, ${shortTime(atMs)} · sealcam`;
  }, [event.key, name]);
  const onKey = (key: KeyboardEvent): void => {
    // A slider or a field has its own arrows.
    if (key.target instanceof HTMLInputElement || key.ctrlKey || key.metaKey || key.altKey) return;
    if (zoomKey(frame.current, key.key)) key.preventDefault();
    else if (key.key === 'ArrowLeft') onStep(-1);
    else if (key.key === 'ArrowRight') onStep(1);
  };
  const picture = (
    <ZoomPicture frame={frame} onSwipe={onStep}>
      <div class="picture-fit" onLoadCapture={fitPicture}>
        <Picture state={state} alt={`${name}, ${eventTitle(event)}`} onRetry={retry} />
        {showsBox && <MotionBox state={state} />}
      </div>
    </ZoomPicture>
  );
  return (
    <dialog ref={dialog} class="event-dialog" onClose={onClose} onKeyDown={onKey} aria-labelledby="event-title">
      <header class="dialog-head">
        <div>
          <h2 id="event-title">
            {eventTitle(event)} · {name}
          </h2>
          <p class="muted">{fullTime(atMs)}</p>
        </div>
        <div class="dialog-buttons">
          <IconButton
            label="Newer event"
            onClick={() => {
              onStep(-1);
            }}
          >
            <LeftIcon />
          </IconButton>
          <IconButton
            label="Older event"
            onClick={() => {
              onStep(1);
            }}
          >
            <RightIcon />
          </IconButton>
          <IconButton label="Close" onClick={() => dialog.current?.close()}>
            <CloseIcon />
          </IconButton>
        </div>
      </header>
      {event.clips.length === 0 ? (
        <div class="dialog-picture">{picture}</div>
      ) : (
        <ClipPlayer key={event.key} event={event} name={name} poster={picture} />
      )}
      <div class="zoom-buttons" role="group" aria-label="Zoom">
        <IconButton label="Zoom out" onClick={() => zoomKey(frame.current, '-')}>
          <MinusIcon />
        </IconButton>
        <IconButton label="Zoom in" onClick={() => zoomKey(frame.current, '+')}>
          <PlusIcon />
        </IconButton>
        <button type="button" class="text-button" onClick={() => zoomKey(frame.current, '0')}>
          Whole picture
        </button>
      </div>
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
        <EventActions key={event.key} event={event} />
        <WhoSawEvent key={`saw ${event.key}`} event={event} />
        <HowItIsKnown event={event} />
        <DeleteEvent key={`delete ${event.key}`} event={event} onDeleted={onClose} />
      </div>
    </dialog>
  );
}

/** A picture is drawn at most twice as wide as it is: beyond that one zooms. */
function fitPicture({ target, currentTarget }: JSX.TargetedEvent<HTMLElement>): void {
  if (target instanceof HTMLImageElement) {
    currentTarget.style.setProperty('--picture-width', `${String(2 * target.naturalWidth)}px`);
  }
}

function IconButton({
  label,
  onClick,
  children,
}: {
  readonly label: string;
  readonly onClick: () => void;
  readonly children: JSX.Element;
}): JSX.Element {
  return (
    <button type="button" class="icon-button" aria-label={label} onClick={onClick}>
      {children}
    </button>
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
