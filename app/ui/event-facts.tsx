import type { JSX } from './preact.js';
import { toHex } from '../../common/bytes.js';
import type { PictureState } from '../core/pictures.js';
import type { TimelineEvent } from '../core/timeline.js';
import { duration, size } from './format.js';

const CLOCKS = {
  ntp: 'set by the network',
  rtc: 'from the camera’s own clock',
  unset: 'the camera’s clock was not set',
} as const;

/** What is known of an event, from its records and its sealed picture. */
export function Facts({ event, state }: { readonly event: TimelineEvent; readonly state: PictureState }): JSX.Element {
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

/** The evidence, for those who want it. */
export function HowItIsKnown({ event }: { readonly event: TimelineEvent }): JSX.Element {
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
