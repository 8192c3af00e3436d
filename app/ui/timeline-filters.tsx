import { type JSX, useEffect, useState } from './preact.js';
import type { MergedList } from '../core/merged-list.js';
import { NO_FILTER, type EventFilter } from '../core/page-address.js';
import { isFiltering } from '../core/timeline-filter.js';
import { EVENT_KINDS } from '../core/timeline-kinds.js';
import { useNames, usePage, useSessionView } from './context.js';
import { counted, KIND_NAMES } from './timeline-words.js';

/** Pictures that a search for a zone opens side by side. */
const OPENED_AT_ONCE = 6;

/** Which events are shown: by camera, kind, zone, and whether somebody reviewed them. The address keeps the choice. */
export function TimelineFilters({ list }: { readonly list: MergedList }): JSX.Element {
  const { addresses, zonesSeen } = usePage();
  const { cameras } = useSessionView();
  const { nameOf } = useNames();
  const { filter, day } = addresses.behind;
  const devices = [...new Set(cameras.map(({ device }) => device))];
  const set = (change: Partial<EventFilter>): void => {
    addresses.go({ view: 'events', filter: { ...filter, ...change }, day });
  };
  const zones = [...new Set([...zonesSeen.names(), ...(filter.zone === null ? [] : [filter.zone])])];
  const chosen = [filter.kind, filter.zone, filter.isUnreviewed ? true : null].filter((one) => one !== null).length;
  // A choice that is taken back leaves the others where they are.
  const [isOpen, setOpen] = useState(chosen > 0);
  return (
    <div class="filter-bar">
      {devices.length > 1 && (
        <div class="filters" role="group" aria-label="Camera">
          <Filter
            label="All cameras"
            isOn={filter.camera === null}
            onClick={() => {
              set({ camera: null });
            }}
          />
          {devices.map((device) => (
            <Filter
              key={device}
              label={nameOf(device)}
              isOn={filter.camera === device}
              onClick={() => {
                set({ camera: device });
              }}
            />
          ))}
        </div>
      )}
      <details
        class="filter-more"
        open={isOpen}
        onToggle={(event) => {
          setOpen(event.currentTarget.open);
        }}
      >
        <summary>Filters{chosen > 0 && ` (${String(chosen)})`}</summary>
        <div class="filter-body">
          <div class="filters" role="group" aria-label="Kind">
            <Filter
              label="Everything"
              isOn={filter.kind === null}
              onClick={() => {
                set({ kind: null });
              }}
            />
            {EVENT_KINDS.map((kind) => (
              <Filter
                key={kind}
                label={KIND_NAMES[kind]}
                isOn={filter.kind === kind}
                onClick={() => {
                  set({ kind });
                }}
              />
            ))}
          </div>
          <label class="check">
            <input
              type="checkbox"
              checked={filter.isUnreviewed}
              onChange={(event) => {
                set({ isUnreviewed: event.currentTarget.checked });
              }}
            />
            Only what is not reviewed
          </label>
          {zones.length === 0 ? (
            <p class="muted small">Zones appear here once a picture that names one was opened.</p>
          ) : (
            <label class="filter-zone">
              <span>Zone</span>
              <select
                value={filter.zone ?? ''}
                onChange={(event) => {
                  const zone = event.currentTarget.value;
                  set({ zone: zone === '' ? null : zone });
                }}
              >
                <option value="">All zones</option>
                {zones.map((zone) => (
                  <option key={zone} value={zone}>
                    {zone}
                  </option>
                ))}
              </select>
            </label>
          )}
          {isFiltering(filter) && (
            <button
              type="button"
              class="text-button"
              onClick={() => {
                set(NO_FILTER);
              }}
            >
              Show everything
            </button>
          )}
        </div>
      </details>
      {filter.zone !== null && <ZoneSearch list={list} />}
    </div>
  );
}

/** Opens the pictures of loaded events, which alone tell their zones, a few at a time. */
function ZoneSearch({ list }: { readonly list: MergedList }): JSX.Element | null {
  const { pictures, zonesSeen, addresses } = usePage();
  const { events } = useSessionView();
  const { camera, kind } = addresses.behind.filter;
  const closed = events.filter(
    ({ key, device, picture, ...event }) =>
      picture !== null &&
      (camera === null || device === camera) &&
      (kind === null || event.kind === kind) &&
      zonesSeen.of(key) === null &&
      pictures.stateOf(picture).type === 'loading',
  );
  const next = closed.slice(0, OPENED_AT_ONCE);
  const names = next.map(({ key }) => key).join(' ');
  useEffect(() => {
    const hide = next.flatMap(({ picture }) => (picture === null ? [] : [pictures.show(picture)]));
    return () => {
      for (const one of hide) one();
    };
  }, [pictures, names]);
  return (
    <p class="muted small" aria-live="polite">
      {closed.length > 0
        ? `Opening pictures to see their zones: ${counted(closed.length, 'is', 'are')} left.`
        : `${counted(list.events.length, 'event')} of those loaded ${list.events.length === 1 ? 'names' : 'name'} this zone.`}
    </p>
  );
}

function Filter({
  label,
  isOn,
  onClick,
}: {
  readonly label: string;
  readonly isOn: boolean;
  readonly onClick: () => void;
}): JSX.Element {
  return (
    <button type="button" class="filter" aria-pressed={isOn} onClick={onClick}>
      {label}
    </button>
  );
}
