import { type JSX, useState } from './preact.js';
import type { CameraView } from '../core/session-view.js';
import type { InForce, StandingAction } from '../core/standing-orders.js';
import { usePage, useSessionView } from './context.js';
import { shortTime } from './format.js';

/** Pages of older records that one click fetches at most. */
const PAGES_MAX = 20;

/** Returns what is known of the order that a camera follows. */
export function useInForce({ device, epoch }: CameraView, action: StandingAction): InForce {
  const { standing } = usePage();
  useSessionView();
  return standing.inForce(device, epoch, action);
}

const NAMES = { sensitivity: 'sensitivity is', zones: 'zones are' } as const satisfies Record<StandingAction, string>;

function sentenceOf(what: StandingAction, inForce: InForce): string {
  const at = (wallMs: number | null): string => (wallMs === null ? '' : ` on ${shortTime(wallMs)}`);
  switch (inForce.type) {
    case 'known':
      return inForce.isCurrent
        ? `In force: the camera accepted this${at(inForce.wallMs)}.`
        : `The camera accepted this${at(inForce.wallMs)}. Another browser of yours may have changed it since: the records from then on are not all loaded.`;
    case 'elsewhere':
      return `Another browser of yours changed this${at(inForce.wallMs)}. This page does not know which ${NAMES[what]} in force.`;
    case 'unordered':
      return 'Nobody has ordered anything here: the camera’s own settings decide.';
    case 'unknown':
      return `This page does not know which ${NAMES[what]} in force.`;
  }
}

/** Says what is known of the order in force, and searches older records for it. */
export function InForceNote({
  camera,
  what,
}: {
  readonly camera: CameraView;
  readonly what: StandingAction;
}): JSX.Element {
  const { session, standing } = usePage();
  const inForce = useInForce(camera, what);
  const [isBusy, setBusy] = useState(false);
  const isOpen = (): boolean => {
    const now = standing.inForce(camera.device, camera.epoch, what);
    return now.type === 'unknown' || (now.type === 'known' && !now.isCurrent);
  };
  const hasOlder = (): boolean => session.view().cameras.some((one) => one.device === camera.device && one.hasOlder);
  const search = async (): Promise<void> => {
    setBusy(true);
    try {
      for (let pages = 0; pages < PAGES_MAX && isOpen() && hasOlder(); pages++) await session.loadOlder();
    } finally {
      setBusy(false);
    }
  };
  return (
    <p class={`note ${inForce.type === 'known' && inForce.isCurrent ? 'note-good' : 'note-wait'}`}>
      {sentenceOf(what, inForce)}{' '}
      {isOpen() && hasOlder() && (
        <button
          type="button"
          class="text-button"
          disabled={isBusy}
          onClick={() => void search().catch(() => undefined)}
        >
          {isBusy ? 'Looking …' : 'Look in older records'}
        </button>
      )}
    </p>
  );
}
