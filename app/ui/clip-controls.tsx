import type { ClipHole } from '../core/clip-verdict.js';
import type { ClipScreen } from './clip-screen.js';
import { playTime, seconds } from './clip-words.js';
import { PauseIcon, PlayIcon } from './icons.js';
import type { JSX } from './preact.js';

/** What one press of an arrow key moves. */
const KEY_STEP_MS = 1000;
/** Shown length of a hole whose length nobody knows. */
const UNKNOWN_HOLE_MS = 300;

/** Play, position and time, the same for each codec. Space plays and pauses, arrow keys move by a second. */
export function ClipControls({
  screen,
  lengthMs,
  prerollMs,
  holes,
  onToggle,
}: {
  readonly screen: ClipScreen;
  readonly lengthMs: number;
  readonly prerollMs: number;
  readonly holes: readonly ClipHole[];
  readonly onToggle: () => void;
}): JSX.Element {
  const { isPlaying } = screen;
  const positionMs = Math.min(screen.positionMs, lengthMs);
  const share = (ms: number): string => `${((100 * Math.min(ms, lengthMs)) / Math.max(1, lengthMs)).toFixed(2)}%`;
  const onKey = (key: KeyboardEvent): void => {
    const step = { ArrowLeft: -KEY_STEP_MS, ArrowRight: KEY_STEP_MS }[key.key];
    const isToggle = key.key === 'k' || (key.key === ' ' && key.target instanceof HTMLInputElement);
    if (step === undefined && !isToggle) return;
    // The dialog steps to another event on these keys.
    key.stopPropagation();
    key.preventDefault();
    if (step === undefined) onToggle();
    else screen.seek(Math.min(lengthMs, Math.max(0, positionMs + step)));
  };
  return (
    <div class="clip-controls" role="group" aria-label="Video" onKeyDown={onKey}>
      <button type="button" class="icon-button" onClick={onToggle} aria-label={isPlaying ? 'Pause' : 'Play'}>
        {isPlaying ? <PauseIcon /> : <PlayIcon />}
      </button>
      <div class="clip-bar">
        <div class="clip-track" aria-hidden="true">
          {prerollMs > 0 && <span class="clip-preroll" style={{ left: '0', width: share(prerollMs) }} />}
          {holes.map(({ fromMs, toMs, why }) => (
            <span
              key={`${String(fromMs)} ${why}`}
              class={`clip-hole clip-hole-${why === 'coming' ? 'wait' : 'bad'}`}
              style={{ left: share(fromMs), width: share((toMs ?? fromMs + UNKNOWN_HOLE_MS) - fromMs) }}
            />
          ))}
        </div>
        <input
          type="range"
          min="0"
          max={String(lengthMs)}
          step="10"
          value={String(Math.round(positionMs))}
          aria-label="Position in the video"
          aria-valuetext={`${seconds(positionMs)} of ${seconds(lengthMs)}${positionMs < prerollMs ? ', before the event' : ''}`}
          onInput={({ currentTarget }) => {
            screen.seek(Number(currentTarget.value));
          }}
        />
      </div>
      <span class="clip-time">
        {playTime(positionMs)} / {playTime(lengthMs)}
      </span>
    </div>
  );
}
