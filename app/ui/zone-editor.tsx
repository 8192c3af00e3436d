import { type JSX, useState } from './preact.js';
import type { Zone } from '../../protocol/objects/command.js';
import type { CameraView } from '../core/session-view.js';
import type { InForce } from '../core/in-force.js';
import { useSessionView } from './context.js';
import { Picture, usePicture } from './event-card.js';
import { InForceNote, useInForce } from './in-force.js';
import type { OrderState } from './use-order.js';

type Corner = Zone['corners'][number];

/** Zone corners are in 1/65535 of the picture's width and height. */
const FULL_SCALE = 65_535;
const CORNERS_MAX = 16;
const ZONES_MAX = 8;

/** Draws zones on the newest picture, one click per corner. Motion counts only inside zones. */
export function ZoneEditor({
  camera,
  order,
}: {
  readonly camera: CameraView;
  readonly order: OrderState;
}): JSX.Element {
  const { events } = useSessionView();
  const newest = events.find(
    ({ device, epoch, picture }) => device === camera.device && epoch === camera.epoch && picture !== null,
  );
  const state = usePicture(newest?.picture ?? null, true);
  const inForce = useInForce(camera, 'zones');
  const known = knownZones(inForce);
  /** Null while nothing was changed here. */
  const [draft, setDraft] = useState<readonly Zone[] | null>(null);
  const zones = draft ?? known ?? [];
  const [corners, setCorners] = useState<readonly Corner[]>([]);
  const [name, setName] = useState('');

  const addCorner = (event: MouseEvent): void => {
    const target = event.currentTarget as Element;
    const { left, top, width, height } = target.getBoundingClientRect();
    const at = (value: number, size: number): number => Math.round(Math.min(1, Math.max(0, value / size)) * FULL_SCALE);
    const corner: Corner = [at(event.clientX - left, width), at(event.clientY - top, height)];
    if (corners.length < CORNERS_MAX) setCorners([...corners, corner]);
  };
  const finish = (): void => {
    setDraft([...zones, { name: name.trim().slice(0, 32) || `zone ${String(zones.length + 1)}`, corners }]);
    setCorners([]);
    setName('');
  };
  const set = async (next: readonly Zone[]): Promise<void> => {
    const names = next.map((zone) => zone.name).join(', ');
    const sentence = next.length === 0 ? 'Motion counts everywhere.' : `Motion counts in ${names}.`;
    if ((await order.send({ action: 'zones', zones: next }, sentence)) !== undefined) setDraft(null);
  };
  return (
    <div class="form">
      <p>
        <strong>Zones.</strong> Motion counts only inside zones. Without zones it counts everywhere. Click on the
        picture to set the corners of a zone.
      </p>
      <InForceNote camera={camera} what="zones" />
      <div class="zone-picture">
        <Picture state={state} alt="The newest picture" />
        <svg
          viewBox={`0 0 ${String(FULL_SCALE)} ${String(FULL_SCALE)}`}
          preserveAspectRatio="none"
          onClick={addCorner}
          role="img"
          aria-label="Zones on the picture"
        >
          {zones.map((zone) => (
            <polygon key={zone.name} points={pointsOf(zone.corners)} />
          ))}
          <polygon class="zone-now" points={pointsOf(corners)} />
        </svg>
      </div>
      {corners.length > 0 && (
        <div class="form-buttons">
          <input
            aria-label="Name of the zone"
            placeholder="door"
            maxLength={32}
            value={name}
            onInput={(event) => {
              setName(event.currentTarget.value);
            }}
          />
          <button
            type="button"
            class="button"
            disabled={corners.length < 3 || zones.length >= ZONES_MAX}
            onClick={finish}
          >
            Close the zone
          </button>
          <button
            type="button"
            class="text-button"
            onClick={() => {
              setCorners([]);
            }}
          >
            Start over
          </button>
        </div>
      )}
      {draft !== null && known === null && inForce.type !== 'unordered' && (
        <p class="note note-warn">This replaces the zones in force, whatever they are.</p>
      )}
      <div class="form-buttons">
        <button
          type="button"
          class="button"
          disabled={order.isBusy || corners.length > 0 || draft === null}
          onClick={() => void set(zones)}
        >
          {labelOf(zones, draft !== null || known !== null)}
        </button>
        {(zones.length > 0 || known === null) && draft?.length !== 0 && (
          <button
            type="button"
            class="text-button"
            onClick={() => {
              setDraft([]);
            }}
          >
            {zones.length > 0 ? 'Remove all' : 'Count motion everywhere'}
          </button>
        )}
        {draft !== null && (
          <button
            type="button"
            class="text-button"
            onClick={() => {
              setDraft(null);
            }}
          >
            Undo
          </button>
        )}
      </div>
    </div>
  );
}

/** Returns the zones in force where the page knows them. */
function knownZones(inForce: InForce): readonly Zone[] | null {
  if (inForce.type !== 'known' || inForce.order.action !== 'zones') return null;
  return inForce.order.zones;
}

function labelOf(zones: readonly Zone[], isKnown: boolean): string {
  if (!isKnown) return 'Set the zones';
  return zones.length === 0
    ? 'Set: everywhere'
    : `Set ${String(zones.length)} ${zones.length === 1 ? 'zone' : 'zones'}`;
}

function pointsOf(corners: readonly Corner[]): string {
  return corners.map(([x, y]) => `${String(x)},${String(y)}`).join(' ');
}
