/** How a picture is shown inside of its frame. `x` and `y` move its middle, in widths and heights of the frame. */
export interface Zoom {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

/** A point of the frame, from -0.5 to 0.5 of its width and height; 0, 0 is the middle. */
export type FramePoint = readonly [x: number, y: number];

export const WHOLE: Zoom = { scale: 1, x: 0, y: 0 };
export const ZOOM_MAX = 8;

/** Changes the scale so that what is under a point of the frame stays under it. */
export function zoomAt({ scale, x, y }: Zoom, factor: number, [atX, atY]: FramePoint): Zoom {
  const next = Math.min(ZOOM_MAX, Math.max(1, scale * factor));
  const ratio = next / scale;
  return inside({ scale: next, x: atX - (atX - x) * ratio, y: atY - (atY - y) * ratio });
}

/** Moves the picture, in widths and heights of the frame. */
export function moveBy({ scale, x, y }: Zoom, dx: number, dy: number): Zoom {
  return inside({ scale, x: x + dx, y: y + dy });
}

/** Keeps the picture over the whole frame. */
function inside({ scale, x, y }: Zoom): Zoom {
  const most = (scale - 1) / 2;
  const kept = (value: number): number => Math.min(most, Math.max(-most, value)) + 0;
  return { scale, x: kept(x), y: kept(y) };
}
