import type { CameraView } from '../core/session-view.js';
import { LookView } from './look-view.js';
import { type JSX, useEffect, useRef } from './preact.js';

/** What up to four cameras see now, one look each. */
export function LookGrid({
  cameras,
  onClose,
}: {
  readonly cameras: readonly CameraView[];
  readonly onClose: (camera: CameraView) => void;
}): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.scrollIntoView({ block: 'nearest' });
  }, [cameras.length]);
  return (
    <div ref={list} class={`looks ${cameras.length > 1 ? 'looks-several' : ''}`}>
      {cameras.map((camera) => (
        <LookView
          key={camera.device}
          camera={camera}
          onClose={() => {
            onClose(camera);
          }}
        />
      ))}
    </div>
  );
}
