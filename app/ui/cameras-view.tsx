import { type JSX, useEffect, useState } from './preact.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { VERDICTS } from '../../protocol/verify/verdict.js';
import { loadPeriodOpener } from '../core/load-period-opener.js';
import { currentOf, type Presence } from '../core/presence.js';
import type { CameraView } from '../core/session-view.js';
import { sortMs } from '../core/timeline.js';
import { CameraControls } from './camera-controls.js';
import { CameraPlace, useCameraOrder, type CameraOrder } from './camera-order.js';
import { useChanges, useNames, useNow, usePage, usePresence, useSessionView } from './context.js';
import { EditableName } from './editable-name.js';
import { Picture, usePicture } from './event-card.js';
import { CameraHealth } from './camera-health.js';
import { ago, shortTime } from './format.js';
import { CameraIcon, PlusIcon } from './icons.js';
import { NotLoaded } from './not-loaded.js';
import { LookGrid } from './look-part.js';
import { Problem } from './problem.js';

/** Looks at once on one page. */
const LOOKS_MAX = 4;

/** All cameras, each with its newest health report. */
export function CamerasView({
  onAddCamera,
  onAddMember,
}: {
  readonly onAddCamera: () => void;
  readonly onAddMember: () => void;
}): JSX.Element {
  const { cameras, isLoaded, connection } = useSessionView();
  const { putAway } = usePage();
  useChanges(putAway);
  const current = currentOf(cameras);
  const order = useCameraOrder(current.filter((camera) => !putAway.has(camera)));
  const shown = order.ordered;
  const away = current.filter((camera) => putAway.has(camera));
  /** Device ids, in the order in which they were opened. */
  const [looks, setLooks] = useState<readonly string[]>([]);
  const seen = looks.flatMap((device) => shown.find((camera) => camera.device === device && camera.mayLook) ?? []);
  const mayLook = shown.some((camera) => camera.mayLook);
  useEffect(() => {
    if (!mayLook) return;
    // The first picture does not wait for them.
    LookGrid.preload();
    loadPeriodOpener().catch(() => undefined);
  }, [mayLook]);
  const onLook = (camera: CameraView): (() => void) | null =>
    looks.includes(camera.device) || seen.length >= LOOKS_MAX
      ? null
      : () => {
          setLooks([...looks, camera.device]);
        };
  return (
    <section aria-labelledby="cameras-heading">
      <div class="section-head">
        <h1 id="cameras-heading">Cameras</h1>
        <button type="button" class="button button-main" onClick={onAddCamera}>
          <PlusIcon /> Add a camera
        </button>
      </div>
      {!isLoaded && <NotLoaded what="Cameras" connection={connection} />}
      {isLoaded && current.length === 0 && (
        <div class="empty">
          <CameraIcon />
          <h2>No camera yet</h2>
          <p>Add one with the claim code from its label.</p>
        </div>
      )}
      {seen.length > 0 && (
        <LookGrid.View
          cameras={seen}
          onClose={({ device }) => {
            setLooks(looks.filter((other) => other !== device));
          }}
        />
      )}
      <ul class="camera-list">
        {shown.map((camera) => (
          <CameraCard
            key={camera.device}
            camera={camera}
            order={order}
            onAddMember={onAddMember}
            onLook={onLook(camera)}
          />
        ))}
      </ul>
      {away.length > 0 && <PutAwayList cameras={away} />}
    </section>
  );
}

/** What was put away on this device, with the way back. */
function PutAwayList({ cameras }: { readonly cameras: readonly CameraView[] }): JSX.Element {
  const { putAway } = usePage();
  const { nameOf } = useNames();
  return (
    <details class="panel put-away">
      <summary>Put away ({cameras.length})</summary>
      <p class="muted small">Released cameras, hidden on this device. What they recorded stays under Events.</p>
      <ul class="members">
        {cameras.map((camera) => (
          <li key={camera.device}>
            <span>{nameOf(camera.device)}</span>
            <button type="button" class="text-button" onClick={() => void putAway.remove(camera)}>
              Show again
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}

function CameraCard({
  camera,
  order,
  onAddMember,
  onLook,
}: {
  readonly camera: CameraView;
  readonly order: CameraOrder;
  readonly onAddMember: () => void;
  readonly onLook: (() => void) | null;
}): JSX.Element {
  const now = useNow(10_000);
  const { nameOf, rename } = useNames();
  const name = nameOf(camera.device);
  const presence = usePresence(camera);
  return (
    <li class={`panel camera camera-${PRESENCE[presence][1]}`}>
      <div class="camera-top">
        <LastPicture camera={camera} name={name} />
        <div class="camera-text">
          <h2>{name}</h2>
          <PresenceChip camera={camera} presence={presence} nowMs={now} />
        </div>
      </div>
      {camera.deletedAtMs !== null && (
        <p class="note note-wait">Its owner deleted everything of this camera on {shortTime(camera.deletedAtMs)}.</p>
      )}
      {!camera.isListed && camera.deletedAtMs === null && <Unlisted camera={camera} />}
      {camera.isReportedEnded && (
        <p class="note note-warn">
          The cloud says that this camera was released. The camera itself has not said so, so it may still be recording
          for you.
        </p>
      )}
      {presence === 'silent' && <p class="small ink-warn">{VERDICTS.incomplete.sentence}</p>}
      <CameraControls camera={camera} onAddMember={onAddMember} onLook={onLook}>
        <EditableName name={name} label="Name of the camera" onRename={(next) => rename(camera.device, next)}>
          <span>
            <span class="muted">Name</span> {name}
          </span>
        </EditableName>
        <CameraPlace device={camera.device} order={order} />
        <CameraHealth camera={camera} nowMs={now} />
        <p class="mono muted">{camera.device}</p>
      </CameraControls>
    </li>
  );
}

/** The newest picture of a camera, and when it is from: it is never what the camera sees now. */
function LastPicture({ camera, name }: { readonly camera: CameraView; readonly name: string }): JSX.Element {
  const { events } = useSessionView();
  const now = useNow(30_000);
  const newest = events.find(
    ({ device, epoch, picture }) => device === camera.device && epoch === camera.epoch && picture !== null,
  );
  const state = usePicture(newest?.picture ?? null, true);
  const time = newest === undefined ? null : ago(sortMs(newest), now);
  return (
    <div class="frame">
      <Picture
        state={state}
        alt={time === null ? `No picture of ${name} yet` : `The last picture of ${name}, ${time}`}
      />
      {time !== null && <span class="frame-time">{time}</span>}
    </div>
  );
}

const PRESENCE = {
  released: ['Released', 'wait'],
  deleted: ['Deleted', 'wait'],
  unlisted: ['Not in the cloud', 'bad'],
  unknown: ['Not known now', 'wait'],
  private: ['Privacy mode', 'warn'],
  silent: ['Silent', 'warn'],
  offline: ['Offline', 'wait'],
  unheard: ['Not heard yet', 'wait'],
  online: ['Online', 'good'],
} as const satisfies Record<Presence, readonly [string, string]>;

function PresenceChip({
  camera,
  presence,
  nowMs,
}: {
  readonly camera: CameraView;
  readonly presence: Presence;
  readonly nowMs: number;
}): JSX.Element {
  const [word, tone] = PRESENCE[presence];
  const heard = camera.lastWordMs === null ? 'never heard' : `last heard ${ago(camera.lastWordMs, nowMs)}`;
  return (
    <span class={`chip chip-${tone}`}>
      {word}
      {presence !== 'released' && presence !== 'unheard' && ` · ${heard}`}
    </span>
  );
}

/** A camera that this browser knows and the cloud does not name. */
function Unlisted({ camera }: { readonly camera: CameraView }): JSX.Element {
  const { owner, session } = usePage();
  const [state, setState] = useState<'idle' | 'busy' | SealcamError>('idle');
  const handIn = (): void => {
    setState('busy');
    owner
      .handInAgain(camera.device, camera.epoch)
      .then(() => session.refresh())
      .then(
        () => {
          setState('idle');
        },
        (error: unknown) => {
          setState(asSealcamError(error));
        },
      );
  };
  return (
    <div class="note note-bad" role="alert">
      <strong>The cloud no longer names this camera.</strong> This browser has seen it accept you as its owner or as a
      member. The cloud may have lost it, or is hiding it{camera.isOwned ? '' : ', or its owner ended it'}.
      {camera.isOwned && (
        <p class="small">
          If the cloud was restored from a back-up, your claim and the camera’s answer bring it back.{' '}
          <button type="button" class="text-button" disabled={state === 'busy'} onClick={handIn}>
            Hand them in again
          </button>
        </p>
      )}
      {typeof state === 'object' && <Problem error={state} />}
    </div>
  );
}
