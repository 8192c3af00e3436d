import { type ComponentChildren, type JSX, useState } from './preact.js';
import { fromHex } from '../../common/bytes.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import type { CameraView } from '../core/session-view.js';
import { orderedSnapshot } from '../core/snapshot.js';
import { useNames, useNow, usePage, useSessionView } from './context.js';
import { Picture, usePicture } from './event-card.js';
import { ago, clockTime } from './format.js';
import { NeedsRoot } from './further-browser.js';
import { Household } from './household.js';
import { CameraIcon, EyeIcon, GearIcon, PlayIcon } from './icons.js';
import { InForceList, InForceNote, useInForce, useInForceReader } from './in-force.js';
import { accountNumber } from '../core/account-number.js';
import { LookList } from './look-list.js';
import { Problem } from './problem.js';
import { TypeToConfirm } from './type-to-confirm.js';
import { useOrder, type OrderState } from './use-order.js';
import { ZoneEditor } from './zone-editor.js';

/** Orders to a camera. Each is signed here and counts as done only when the camera's own record reports it. */
export function CameraControls({
  camera,
  onAddMember,
  onLook,
  children,
}: {
  readonly camera: CameraView;
  /** What stands first behind "More". */
  readonly children: ComponentChildren;
  readonly onAddMember: () => void;
  /** Opens a look; null while one is open, and while there are too many. */
  readonly onLook: (() => void) | null;
}): JSX.Element {
  const { putAway, undo } = usePage();
  const { nameOf } = useNames();
  const order = useOrder(camera);
  const unread = useInForceReader(camera);
  const [answerSeq, setAnswerSeq] = useState<number | null>(null);
  if (camera.hasEnded) {
    return (
      <div class="controls">
        <p class="note note-wait">This ownership is over. You can still see what was recorded under it.</p>
        <div class="form-buttons">
          <button
            type="button"
            class="button"
            onClick={() => {
              void putAway.add(camera);
              undo.offer({ text: `${nameOf(camera.device)} is put away.`, undo: () => putAway.remove(camera) });
            }}
          >
            Put it away
          </button>
        </div>
        <More>{children}</More>
      </div>
    );
  }
  const root = camera.members[0]?.ed25519 ?? null;
  const isPrivate = camera.health?.body.privacy === true;
  const look = camera.mayLook && (
    <button
      type="button"
      class="button button-main"
      disabled={onLook === null || isPrivate}
      onClick={onLook ?? undefined}
    >
      <PlayIcon /> Look
    </button>
  );
  const looks = camera.mayLook && (
    <details class="more-controls">
      <summary>Who looked</summary>
      <LookList camera={camera} />
    </details>
  );
  if (!camera.mayOrder) {
    return (
      <div class="controls">
        <p class="muted small">
          Shared with you by account <span class="mono">{root === null ? '?' : accountNumber(root)}</span>.
          {camera.mayLook && ' You may look, and everybody in the household sees that you did. Orders are the owner’s.'}
        </p>
        {look !== false && <div class="form-buttons">{look}</div>}
        <More>
          {children}
          <InForceList camera={camera} problem={unread} />
          {looks}
        </More>
      </div>
    );
  }
  return (
    <div class="controls">
      <div class="form-buttons">
        {look}
        <button
          type="button"
          class="button"
          disabled={order.isBusy || isPrivate}
          onClick={() => {
            setAnswerSeq(null);
            void order
              .send({ action: 'snapshot' }, 'The camera took a picture. It is under Events too.')
              .then((seq) => {
                setAnswerSeq(seq ?? null);
              });
          }}
        >
          <CameraIcon /> Picture now
        </button>
        <button
          type="button"
          class={`button ${isPrivate ? 'button-main' : ''}`}
          aria-pressed={isPrivate}
          disabled={order.isBusy}
          onClick={() =>
            void order.send(
              { action: 'privacy', privacy: !isPrivate },
              isPrivate
                ? 'Privacy mode is off. The camera sees again.'
                : 'Privacy mode is on. The camera sees nothing until you end it.',
            )
          }
        >
          <EyeIcon /> {isPrivate ? 'End privacy mode' : 'Privacy mode'}
        </button>
      </div>
      <div aria-live="polite">
        {order.isBusy && (order.isAway ? <Away camera={camera} /> : <p class="muted small">{WAITING}</p>)}
        {order.done !== null && <p class="note note-good">{order.done}</p>}
        {order.problem !== null && <Problem error={order.problem} />}
        {answerSeq !== null && <OrderedPicture camera={camera} answerSeq={answerSeq} />}
      </div>
      <More>
        {children}
        {looks}
        <details class="more-controls">
          <summary>In force</summary>
          <InForceList camera={camera} problem={unread} />
        </details>
        <details class="more-controls">
          <summary>Motion</summary>
          <Sensitivity camera={camera} order={order} />
          <ZoneEditor camera={camera} order={order} />
        </details>
        <details class="more-controls">
          <summary>Household ({camera.members.length})</summary>
          {camera.isOwned ? (
            <Household camera={camera} onAdd={onAddMember} />
          ) : (
            <NeedsRoot root={root} what="change the household, release the camera or revoke it" />
          )}
        </details>
        {camera.isOwned && <GiveAway order={order} />}
        {camera.isOwned && <Stolen camera={camera} />}
      </More>
    </div>
  );
}

/** Diagnostics, what lasts and what is dangerous: out of the way of what one does each day. */
function More({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return (
    <details class="camera-more">
      <summary>
        <GearIcon /> More
      </summary>
      <div class="camera-more-body">{children}</div>
    </details>
  );
}

const WAITING = 'Waiting for the camera’s answer …';

function Away({ camera: { lastWordMs } }: { readonly camera: CameraView }): JSX.Element {
  const now = useNow(10_000);
  return (
    <p class="note note-warn">
      The camera is away{lastWordMs === null ? '' : `, last heard ${ago(lastWordMs, now)}`}. Orders are not stored: it
      gets this one only if it comes back within seconds. {WAITING}
    </p>
  );
}

/** The picture that was just ordered, where the order was given. */
function OrderedPicture({
  camera,
  answerSeq,
}: {
  readonly camera: CameraView;
  readonly answerSeq: number;
}): JSX.Element {
  const event = orderedSnapshot(useSessionView(), camera, answerSeq);
  const picture = event?.picture ?? null;
  const state = usePicture(picture, true);
  const { pictures } = usePage();
  const retry = (): void => {
    if (picture !== null) pictures.retry(picture);
  };
  const time = event === null ? null : clockTime(event.startedAtMs ?? event.receivedAtMs);
  return (
    <figure class="ordered">
      <div class="frame">
        <Picture
          state={event === null ? { type: 'loading' } : state}
          alt={time === null ? 'The picture you asked for' : `The picture of ${time}`}
          onRetry={retry}
        />
      </div>
      {time !== null && <figcaption class="muted small">Taken at {time}</figcaption>}
    </figure>
  );
}

/** For a camera that was taken away: orders may no longer reach it, but everything it sends can be refused. */
function Stolen({ camera }: { readonly camera: CameraView }): JSX.Element {
  const { owner, session } = usePage();
  const [problem, setProblem] = useState<SealcamError | null>(null);
  const revoke = async (): Promise<void> => {
    try {
      await owner.revoke(fromHex(camera.device, 32) ?? new Uint8Array(32), camera.epoch);
      await session.refresh();
    } catch (error) {
      setProblem(asSealcamError(error));
    }
  };
  return (
    <details class="more-controls danger">
      <summary>It was stolen</summary>
      <p>
        The cloud will refuse everything this camera sends, and will show nothing of this ownership to anyone, including
        what was recorded before. This cannot be undone. To keep your events, export them first under Settings.
      </p>
      {problem !== null && <Problem error={problem} />}
      <TypeToConfirm word="stolen" actions={[{ label: 'Revoke it', act: () => void revoke() }]} />
    </details>
  );
}

/** The results of `npm run sensitivity` in words. */
function meaningOf(sensitivity: number): string {
  if (sensitivity < 35) return 'Detects people who come near, and little else.';
  if (sensitivity <= 65) return 'Detects a person whose height is a fourteenth of the picture’s.';
  return 'Detects animals, and people twice as far away, with occasional false alarms.';
}

function Sensitivity({ camera, order }: { readonly camera: CameraView; readonly order: OrderState }): JSX.Element {
  const inForce = useInForce(camera, 'sensitivity');
  const [draft, setDraft] = useState<number | null>(null);
  const known = inForce.type === 'known' && inForce.order.action === 'sensitivity' ? inForce.order.sensitivity : null;
  const value = draft ?? known;
  const set = async (sensitivity: number): Promise<void> => {
    const seq = await order.send({ action: 'sensitivity', sensitivity }, `Sensitivity is now ${String(sensitivity)}.`);
    if (seq !== undefined) setDraft(null);
  };
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (draft !== null) void set(draft);
      }}
    >
      <InForceNote camera={camera} what="sensitivity" />
      <label class="field">
        <span>Sensitivity: {value ?? 'not known here'}</span>
        <input
          type="range"
          class={value === null ? 'unset' : ''}
          min={0}
          max={100}
          step={5}
          value={value ?? 50}
          onInput={(event) => {
            setDraft(Number(event.currentTarget.value));
          }}
        />
        <small>{value !== null && meaningOf(value)} 50 suits most places.</small>
      </label>
      <div class="form-buttons">
        <button type="submit" class="button" disabled={order.isBusy || draft === null}>
          Set the sensitivity
        </button>
      </div>
    </form>
  );
}

function GiveAway({ order }: { readonly order: OrderState }): JSX.Element {
  return (
    <details class="more-controls danger">
      <summary>Give this camera away</summary>
      <p>
        The camera forgets you and everything it has not sent yet. Anyone standing at it can then claim it with its
        code. You keep what was recorded until now. You cannot see what is recorded later.
      </p>
      <TypeToConfirm
        word="release"
        isBusy={order.isBusy}
        actions={[
          {
            label: 'Release it',
            act: () => void order.send({ action: 'release' }, 'The camera is no longer yours.'),
          },
        ]}
      />
    </details>
  );
}
