import type { JSX } from './preact.js';
import type { CameraView } from '../core/session-view.js';
import { ago, duration, size } from './format.js';

const CLOCKS = { ntp: 'Set by the network', rtc: 'Own clock only', unset: 'Not set' } as const;
const PICTURE = {
  ok: 'Running',
  starting: 'Starting',
  stalled: 'No frames arriving',
  absent: 'Camera module not found',
} as const;

/** What a camera says of itself, signed by it. */
export function CameraHealth({ camera, nowMs }: { readonly camera: CameraView; readonly nowMs: number }): JSX.Element {
  const { health } = camera;
  if (health === null) return <p class="muted">No health report yet.</p>;
  const { body, clockQuality, reportedAtMs } = health;
  const facts: readonly (readonly [string, string, boolean])[] = [
    [
      'Picture',
      body.privacy ? 'Closed by you' : PICTURE[body.camera],
      body.privacy || body.camera === 'ok' || body.camera === 'starting',
    ],
    ['Clock', CLOCKS[clockQuality], clockQuality !== 'unset'],
    ['Waiting to be sent', body.queued === 0 ? 'nothing' : counted(body.queued), body.queued < 100],
    [
      'Lost',
      body.lost === 0 ? 'nothing' : `${counted(body.lost)}, ${body.lost === 1 ? '' : 'each '}accounted for`,
      body.lost === 0,
    ],
    ['Running for', duration(body.uptimeS * 1000), true],
    ['Free space', size(body.freeBytes), body.freeBytes > 64 * 1024 ** 2],
    ...(body.temperatureDeciC === undefined
      ? []
      : [['Temperature', `${(body.temperatureDeciC / 10).toFixed(1)} °C`, body.temperatureDeciC < 850] as const]),
    ['Version', body.agent, true],
  ];
  return (
    <>
      <dl class="facts">
        {facts.map(([term, value, isFine]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd class={isFine ? '' : 'ink-warn'}>{value}</dd>
          </div>
        ))}
      </dl>
      <p class="muted small">
        {reportedAtMs === null ? 'Reported at an unknown time' : `Reported ${ago(reportedAtMs, nowMs)}`}, signed by the
        camera.
      </p>
    </>
  );
}

function counted(records: number): string {
  return records === 1 ? '1 record' : `${String(records)} records`;
}
