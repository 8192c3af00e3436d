import { type JSX, useState } from './preact.js';
import type { TimelineEvent } from '../core/timeline.js';
import { useChanges, usePage, useSessionView } from './context.js';
import { CheckIcon, PlayIcon } from './icons.js';
import { LookGrid } from './look-part.js';

/** What one does with an event: look through its camera now, or take the reviewed mark back. */
export function EventActions({ event }: { readonly event: TimelineEvent }): JSX.Element {
  const { reviewed } = usePage();
  useChanges(reviewed);
  const { cameras } = useSessionView();
  const [isLooking, setLooking] = useState(false);
  const camera = cameras.find(({ device, epoch }) => device === event.device && epoch === event.epoch);
  const mayLook = camera !== undefined && camera.mayLook && !camera.hasEnded;
  const isReviewed = reviewed.isReviewed(event.key);
  return (
    <>
      <div class="form-buttons">
        {mayLook && (
          <button
            type="button"
            class="button"
            disabled={isLooking || camera.health?.body.privacy === true}
            onClick={() => {
              setLooking(true);
            }}
          >
            <PlayIcon /> See what it sees now
          </button>
        )}
        <button
          type="button"
          class="button"
          aria-pressed={isReviewed}
          onClick={() => void reviewed.markReviewed([event.key], !isReviewed)}
        >
          <CheckIcon /> {isReviewed ? 'Reviewed' : 'Mark as reviewed'}
        </button>
      </div>
      {mayLook && isLooking && (
        <LookGrid.View
          cameras={[camera]}
          onClose={() => {
            setLooking(false);
          }}
        />
      )}
    </>
  );
}
