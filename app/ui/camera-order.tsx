import { type JSX, useEffect, useState } from './preact.js';
import { inOrder, moved } from '../core/camera-order.js';
import type { HouseholdSettings } from '../core/household-settings.js';
import type { CameraView } from '../core/session-view.js';
import { usePage } from './context.js';

/** Cameras in the order of the household, which its members share. */
export interface CameraOrder {
  readonly ordered: readonly CameraView[];
  /** Moves a camera; null until the household's settings are there. */
  readonly move: ((device: string, by: -1 | 1) => void) | null;
}

/** Returns the cameras in the household's order, and how to change it. */
export function useCameraOrder(cameras: readonly CameraView[]): CameraOrder {
  const { settings } = usePage();
  const [shared, setShared] = useState<HouseholdSettings | null>(null);
  const [, setTick] = useState(0);
  useEffect(() => {
    const ending = new AbortController();
    settings().then(
      (loaded) => {
        if (ending.signal.aborted) return;
        setShared(loaded);
        ending.signal.addEventListener(
          'abort',
          loaded.subscribe(() => {
            setTick((tick) => tick + 1);
          }),
        );
      },
      () => undefined,
    );
    return () => {
      ending.abort();
    };
  }, [settings]);
  if (shared === null) return { ordered: cameras, move: null };
  const ordered = inOrder(cameras, (device) => shared.placeOf(device));
  return {
    ordered,
    move: (device, by) => {
      const devices = ordered.map((camera) => camera.device);
      void shared.setOrder(moved(devices, device, by));
    },
  };
}

/** The place of a camera among the others, and the way up and down. Nothing where it is alone. */
export function CameraPlace({
  device,
  order: { ordered, move },
}: {
  readonly device: string;
  readonly order: CameraOrder;
}): JSX.Element | null {
  if (move === null || ordered.length < 2) return null;
  const at = ordered.findIndex((camera) => camera.device === device);
  const button = (label: string, by: -1 | 1, isEnd: boolean): JSX.Element => (
    <button
      type="button"
      class="text-button"
      disabled={isEnd}
      onClick={() => {
        move(device, by);
      }}
    >
      {label}
    </button>
  );
  return (
    <div class="camera-name">
      <span>
        <span class="muted">Place</span> {at + 1} of {ordered.length}
      </span>
      {button('Move up', -1, at === 0)}
      {button('Move down', 1, at === ordered.length - 1)}
    </div>
  );
}
