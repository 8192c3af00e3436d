import { type ComponentChildren, type JSX, type RefObject, useEffect, useRef } from './preact.js';
import { moveBy, WHOLE, zoomAt, type FramePoint, type Zoom } from '../core/zoom.js';

/** One press of a key or click of a wheel. */
const STEP = 1.25;
const DOUBLE = 2.5;
/** Two taps this close in time and place are one double tap. */
const DOUBLE_MS = 320;
const DOUBLE_PX = 28;
/** A finger that moved this far to the side wants the next picture. */
const SWIPE_PX = 56;
/** A part of the frame by which an arrow key moves a picture that is zoomed. */
const PAN = 0.08;

interface Finger {
  readonly x: number;
  readonly y: number;
}

/** What a frame knows between two events of the pointer. */
interface Gesture {
  zoom: Zoom;
  readonly fingers: Map<number, Finger>;
  /** Where the first finger came down; null once there were two. */
  start: Finger | null;
  lastTap: { readonly atMs: number; readonly at: Finger } | null;
}

/** A frame whose picture can be zoomed: pinch, wheel, double tap, and the keys of {@link zoomKey}. A swipe asks for a neighbour. */
export function ZoomPicture({
  frame,
  onSwipe,
  children,
}: {
  readonly frame: RefObject<ZoomFrame>;
  readonly onSwipe: (by: 1 | -1) => void;
  readonly children: ComponentChildren;
}): JSX.Element {
  const element = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  const gesture = useRef<Gesture>({ zoom: WHOLE, fingers: new Map(), start: null, lastTap: null });
  const swipe = useRef(onSwipe);
  swipe.current = onSwipe;
  useEffect(() => {
    const box = element.current;
    if (box === null) return undefined;
    const set = (zoom: Zoom): void => {
      gesture.current.zoom = zoom;
      const { scale, x, y } = zoom;
      if (inner.current !== null) {
        inner.current.style.transform = `translate(${String(x * 100)}%, ${String(y * 100)}%) scale(${String(scale)})`;
      }
      box.dataset['zoom'] = scale.toFixed(2);
    };
    frame.current = {
      zoomBy: (factor) => {
        set(zoomAt(gesture.current.zoom, factor, [0, 0]));
      },
      panBy: (dx, dy) => {
        set(moveBy(gesture.current.zoom, dx, dy));
      },
      reset: () => {
        set(WHOLE);
      },
      isZoomed: () => gesture.current.zoom.scale > 1,
    };
    set(WHOLE);
    return followPointer(box, gesture.current, set, (by) => {
      swipe.current(by);
    });
  }, [frame]);
  return (
    <div class="zoom" ref={element}>
      <div class="zoom-inner" ref={inner}>
        {children}
      </div>
    </div>
  );
}

/** What the dialog's keys and buttons do with a frame. */
export interface ZoomFrame {
  readonly zoomBy: (factor: number) => void;
  readonly panBy: (dx: number, dy: number) => void;
  readonly reset: () => void;
  readonly isZoomed: () => boolean;
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [PAN, 0],
  ArrowRight: [-PAN, 0],
  ArrowUp: [0, PAN],
  ArrowDown: [0, -PAN],
};

/** Applies a key to a frame: + and - zoom, 0 shows the whole picture, arrows move one that is zoomed. Returns whether it did. */
export function zoomKey(frame: ZoomFrame | null, key: string): boolean {
  if (frame === null) return false;
  const arrow = ARROWS[key];
  if (arrow !== undefined && frame.isZoomed()) frame.panBy(...arrow);
  else if (key === '+' || key === '=') frame.zoomBy(STEP);
  else if (key === '-') frame.zoomBy(1 / STEP);
  else if (key === '0') frame.reset();
  else return false;
  return true;
}

/** Follows pointer and wheel over a frame. Returns the function that ends it. */
function followPointer(
  box: HTMLElement,
  gesture: Gesture,
  set: (zoom: Zoom) => void,
  onSwipe: (by: 1 | -1) => void,
): () => void {
  const pointOf = ({ x, y }: Finger): FramePoint => {
    const { left, top, width, height } = box.getBoundingClientRect();
    return [(x - left) / width - 0.5, (y - top) / height - 0.5];
  };
  const onWheel = (event: WheelEvent): void => {
    event.preventDefault();
    set(zoomAt(gesture.zoom, event.deltaY < 0 ? STEP : 1 / STEP, pointOf(event)));
  };
  const onDown = (event: PointerEvent): void => {
    // A button over the picture is pressed, not dragged.
    if (event.target instanceof Element && event.target.closest('button, input, a') !== null) return;
    box.setPointerCapture(event.pointerId);
    const finger = { x: event.clientX, y: event.clientY };
    gesture.fingers.set(event.pointerId, finger);
    gesture.start = gesture.fingers.size === 1 ? finger : null;
  };
  const onMove = (event: PointerEvent): void => {
    const before = gesture.fingers.get(event.pointerId);
    if (before === undefined) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...gesture.fingers].find(([id]) => id !== event.pointerId)?.[1];
    gesture.fingers.set(event.pointerId, now);
    const { width, height } = box.getBoundingClientRect();
    if (other !== undefined) {
      const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
      set(zoomAt(gesture.zoom, distance(now, other) / Math.max(1, distance(before, other)), pointOf(middle)));
    } else if (gesture.zoom.scale > 1) {
      set(moveBy(gesture.zoom, (now.x - before.x) / width, (now.y - before.y) / height));
    }
  };
  const onUp = (event: PointerEvent): void => {
    const at = { x: event.clientX, y: event.clientY };
    const { start } = gesture;
    if (!gesture.fingers.delete(event.pointerId) || start === null) return;
    gesture.start = null;
    const dx = at.x - start.x;
    if (gesture.zoom.scale === 1 && Math.abs(dx) > SWIPE_PX && Math.abs(dx) > 2 * Math.abs(at.y - start.y)) {
      onSwipe(dx < 0 ? 1 : -1);
      return;
    }
    if (distance(start, at) > DOUBLE_PX) return;
    const { lastTap } = gesture;
    const isDouble =
      lastTap !== null && event.timeStamp - lastTap.atMs < DOUBLE_MS && distance(lastTap.at, at) < DOUBLE_PX;
    gesture.lastTap = isDouble ? null : { atMs: event.timeStamp, at };
    if (isDouble) set(gesture.zoom.scale > 1 ? WHOLE : zoomAt(gesture.zoom, DOUBLE, pointOf(at)));
  };
  const onCancel = (event: PointerEvent): void => {
    gesture.fingers.delete(event.pointerId);
    gesture.start = null;
  };
  box.addEventListener('wheel', onWheel, { passive: false });
  box.addEventListener('pointerdown', onDown);
  box.addEventListener('pointermove', onMove);
  box.addEventListener('pointerup', onUp);
  box.addEventListener('pointercancel', onCancel);
  return () => {
    box.removeEventListener('wheel', onWheel);
    box.removeEventListener('pointerdown', onDown);
    box.removeEventListener('pointermove', onMove);
    box.removeEventListener('pointerup', onUp);
    box.removeEventListener('pointercancel', onCancel);
  };
}

function distance(a: Finger, b: Finger): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
