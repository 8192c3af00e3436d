import type { JSX } from './preact.js';
import { LIMITS } from '../../common/limits.js';
import { PUSH_KINDS, type PushChoices, type PushKind } from '../core/push-choices.js';
import { currentOf } from '../core/presence.js';
import { useNames, useSessionView } from './context.js';
import { KIND_LABELS, NOTIFICATION_WORDS as WORDS } from './notification-words.js';

interface Chosen {
  readonly choices: PushChoices;
  readonly onChange: (next: PushChoices) => void;
}

/** What this browser is notified of: kinds, cameras that differ, quiet hours. */
export function NotificationChoices({ choices, onChange }: Chosen): JSX.Element {
  return (
    <>
      <Kinds
        legend={WORDS.kinds}
        kinds={choices.kinds}
        onChange={(kinds) => {
          onChange({ ...choices, kinds });
        }}
      />
      <QuietHours choices={choices} onChange={onChange} />
      <PerCamera choices={choices} onChange={onChange} />
    </>
  );
}

function Kinds({
  legend,
  kinds,
  onChange,
}: {
  readonly legend: string;
  readonly kinds: readonly PushKind[];
  readonly onChange: (next: PushKind[]) => void;
}): JSX.Element {
  return (
    <fieldset class="notify-part">
      <legend>{legend}</legend>
      {PUSH_KINDS.map((kind) => (
        <label key={kind} class="check">
          <input
            type="checkbox"
            checked={kinds.includes(kind)}
            onChange={({ currentTarget: { checked } }) => {
              onChange(PUSH_KINDS.filter((one) => (one === kind ? checked : kinds.includes(one))));
            }}
          />
          {KIND_LABELS[kind]}
        </label>
      ))}
    </fieldset>
  );
}

const NIGHT = { fromMinute: 22 * 60, toMinute: 7 * 60 } as const;

function QuietHours({ choices, onChange }: Chosen): JSX.Element {
  const { quiet } = choices;
  const change = (next: PushChoices['quiet']): void => {
    onChange({ ...choices, quiet: next });
  };
  const set = (at: number, part: Partial<(typeof quiet)[number]>): void => {
    change(quiet.map((one, i) => (i === at ? { ...one, ...part } : one)));
  };
  return (
    <fieldset class="notify-part">
      <legend>{WORDS.quiet}</legend>
      {quiet.length === 0 && <p class="muted small">{WORDS.quietNone}</p>}
      {quiet.map(({ fromMinute, toMinute }, i) => (
        <div key={i} class="notify-times">
          <Time
            label={WORDS.from}
            minute={fromMinute}
            onChange={(minute) => {
              set(i, { fromMinute: minute });
            }}
          />
          <Time
            label={WORDS.to}
            minute={toMinute}
            onChange={(minute) => {
              set(i, { toMinute: minute });
            }}
          />
          <button
            type="button"
            class="text-button"
            onClick={() => {
              change(quiet.filter((_, at) => at !== i));
            }}
          >
            {WORDS.removeQuiet}
          </button>
        </div>
      ))}
      {quiet.length < LIMITS.pushQuietMax && (
        <button
          type="button"
          class="text-button"
          onClick={() => {
            change([...quiet, NIGHT]);
          }}
        >
          {WORDS.addQuiet}
        </button>
      )}
    </fieldset>
  );
}

function Time({
  label,
  minute,
  onChange,
}: {
  readonly label: string;
  readonly minute: number;
  readonly onChange: (minute: number) => void;
}): JSX.Element {
  const two = (value: number): string => String(value).padStart(2, '0');
  return (
    <label class="field">
      {label}
      <input
        type="time"
        required
        value={`${two(Math.floor(minute / 60))}:${two(minute % 60)}`}
        onChange={({ currentTarget: { value } }) => {
          const [hours, minutes] = value.split(':').map(Number);
          // A field that was emptied changes nothing.
          if (hours !== undefined && minutes !== undefined) onChange(60 * hours + minutes);
        }}
      />
    </label>
  );
}

function PerCamera({ choices, onChange }: Chosen): JSX.Element | null {
  const { cameras } = useSessionView();
  const { nameOf } = useNames();
  const devices = currentOf(cameras).filter(({ hasEnded }) => !hasEnded);
  if (devices.length === 0) return null;
  const isFull = Object.keys(choices.cameras).length >= LIMITS.pushCamerasMax;
  const choose = (device: string, kinds: PushKind[] | null): void => {
    const others = Object.entries(choices.cameras).filter(([one]) => one !== device);
    onChange({ ...choices, cameras: Object.fromEntries(kinds === null ? others : [...others, [device, kinds]]) });
  };
  return (
    <details class="notify-part">
      <summary>{WORDS.cameras}</summary>
      {isFull && <p class="muted small">{WORDS.camerasFull(LIMITS.pushCamerasMax)}</p>}
      {devices.map(({ device }) => {
        const own = choices.cameras[device] ?? null;
        const options = [
          [WORDS.asOthers, own === null, null],
          [WORDS.nothing, own?.length === 0, []],
          [WORDS.own, own !== null && own.length > 0, [...PUSH_KINDS]],
        ] as const;
        return (
          <fieldset key={device} class="notify-part">
            <legend>{nameOf(device)}</legend>
            {options.map(([label, isChosen, kinds]) => (
              <label key={label} class="check">
                <input
                  type="radio"
                  name={`notify-${device}`}
                  checked={isChosen}
                  disabled={isFull && own === null}
                  onChange={() => {
                    choose(device, kinds === null ? null : [...kinds]);
                  }}
                />
                {label}
              </label>
            ))}
            {own !== null && own.length > 0 && (
              <Kinds
                legend={`${nameOf(device)}: ${WORDS.kinds}`}
                kinds={own}
                onChange={(next) => {
                  choose(device, next);
                }}
              />
            )}
          </fieldset>
        );
      })}
    </details>
  );
}
