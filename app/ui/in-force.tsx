import { type JSX, useEffect, useState } from './preact.js';
import { equal, toHex } from '../../common/bytes.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import type { Schedule } from '../../protocol/objects/command.js';
import { accountNumber } from '../core/account-number.js';
import { inForceOf, InForceReader, type InForce, type StandingOrder } from '../core/in-force.js';
import type { CameraView } from '../core/session-view.js';
import type { Setting } from '../core/standing-orders.js';
import { useNames, usePage, useSessionView } from './context.js';
import { shortTime } from './format.js';
import { Problem } from './problem.js';

/** Pages of older records that one click fetches at most. */
const PAGES_MAX = 20;

/** Returns what is known of the order that a camera follows. */
export function useInForce({ device, epoch }: CameraView, setting: Setting): InForce {
  const { standing } = usePage();
  useSessionView();
  return inForceOf(standing, device, epoch, setting);
}

/** Opens what a camera says is in force, as its answers come, and draws again. Returns why the newest one did not open. */
export function useInForceReader({ device, epoch }: CameraView): SealcamError | null {
  const { standing, owner, session } = usePage();
  const view = useSessionView();
  const [reader] = useState(() => new InForceReader({ standing, owner, session }));
  const [problem, setProblem] = useState<SealcamError | null>(null);
  const [, setReads] = useState(0);
  useEffect(() => {
    reader.read(device, epoch).then(
      (isNew) => {
        if (!isNew) return;
        setProblem(null);
        setReads((reads) => reads + 1);
      },
      (error: unknown) => {
        setProblem(asSealcamError(error));
      },
    );
  }, [reader, device, epoch, view]);
  return problem;
}

const NAMES = {
  sensitivity: 'sensitivity is',
  zones: 'zones are',
  masks: 'masks are',
  schedules: 'private times are',
} as const satisfies Record<Setting, string>;

/** Returns who ordered something, as this person calls them. */
export function useWho({ members }: CameraView): (by: Uint8Array) => string {
  const { keys } = usePage();
  const { labelOf } = useNames();
  const [root] = members;
  return (by) => {
    if (equal(by, keys.signer.publicKey)) return 'you';
    const isRoot = root !== undefined && equal(by, root.ed25519);
    return labelOf(toHex(by)) ?? (isRoot ? 'the browser with the root key' : `the browser ${accountNumber(by)}`);
  };
}

function at(wallMs: number | null): string {
  return wallMs === null ? '' : ` on ${shortTime(wallMs)}`;
}

function sentenceOf(what: Setting, inForce: InForce, who: (by: Uint8Array) => string): string {
  switch (inForce.type) {
    case 'known': {
      const { by, wallMs, isCurrent } = inForce;
      if (!isCurrent)
        return `The camera accepted this${at(wallMs)}. Another browser may have changed it since: the records from then on are not all loaded.`;
      if (by === null) return 'In force: the camera’s own settings, which nobody has changed by an order.';
      return by === 'this browser'
        ? `In force: the camera accepted this${at(wallMs)}.`
        : `In force: the camera accepted this${at(wallMs)} from ${who(by)}.`;
    }
    case 'elsewhere':
      return `Another browser changed this${at(inForce.wallMs)}. This page does not know which ${NAMES[what]} in force.`;
    case 'unordered':
      return 'Nobody has ordered anything here: the camera’s own settings decide.';
    case 'absent':
      return 'This camera has no such setting.';
    case 'unknown':
      return `This page does not know which ${NAMES[what]} in force.`;
  }
}

/** Says what is known of the order in force, and searches older records for it. */
export function InForceNote({ camera, what }: { readonly camera: CameraView; readonly what: Setting }): JSX.Element {
  const { session, standing } = usePage();
  const inForce = useInForce(camera, what);
  const who = useWho(camera);
  const [isBusy, setBusy] = useState(false);
  const isOpen = (): boolean => {
    const now = inForceOf(standing, camera.device, camera.epoch, what);
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
      {sentenceOf(what, inForce, who)}{' '}
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

const ROWS: readonly (readonly [Setting, string])[] = [
  ['zones', 'Zones'],
  ['sensitivity', 'Sensitivity'],
  ['masks', 'Masks'],
  ['schedules', 'Private times'],
];

/** What a camera follows, since when, and who ordered it, for everybody in the household to read. */
export function InForceList({
  camera,
  problem,
}: {
  readonly camera: CameraView;
  /** Why the newest answer did not open. */
  readonly problem: SealcamError | null;
}): JSX.Element {
  return (
    <>
      <dl class="facts">
        {ROWS.map(([setting, term]) => (
          <Row key={setting} camera={camera} setting={setting} term={term} />
        ))}
      </dl>
      {problem !== null && <Problem error={problem} />}
    </>
  );
}

function Row({
  camera,
  setting,
  term,
}: {
  readonly camera: CameraView;
  readonly setting: Setting;
  readonly term: string;
}): JSX.Element {
  const inForce = useInForce(camera, setting);
  const who = useWho(camera);
  const isKnown = inForce.type === 'known';
  return (
    <div data-setting={setting}>
      <dt>{term}</dt>
      <dd>
        {isKnown ? valueOf(inForce.order) : inForce.type === 'absent' ? 'this camera has none' : 'not known yet'}
        {isKnown && <span class="muted small"> {sinceOf(inForce, who)}</span>}
      </dd>
    </div>
  );
}

function sinceOf(
  { by, wallMs, isCurrent }: Extract<InForce, { type: 'known' }>,
  who: (by: Uint8Array) => string,
): string {
  const source =
    by === null ? 'the camera’s own setting' : `ordered by ${by === 'this browser' ? 'you' : who(by)}${at(wallMs)}`;
  return isCurrent ? source : `${source}; it may have changed since`;
}

function valueOf(order: StandingOrder): string {
  switch (order.action) {
    case 'zones':
      return order.zones.length === 0 ? 'everywhere' : order.zones.map(({ name }) => name).join(', ');
    case 'sensitivity':
      return String(order.sensitivity);
    case 'masks':
      return order.masks.length === 0 ? 'none' : String(order.masks.length);
    case 'schedules':
      return order.schedules.length === 0 ? 'none' : order.schedules.map(timesOf).join('; ');
  }
}

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

function timesOf({ days, fromMinute, toMinute }: Schedule): string {
  const clock = (minutes: number): string =>
    [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');
  const named = DAYS.filter((_, day) => (days & (1 << day)) !== 0);
  return `${named.join(', ')} ${clock(fromMinute)}–${clock(toMinute)}`;
}
