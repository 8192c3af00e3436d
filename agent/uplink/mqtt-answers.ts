import { parseVersions, VERSIONS_PROPERTY } from '../../protocol/transport/versions.js';
import type { CloseCause, RefusalKind, ServerHints } from './machine.js';

/** User properties of a CONNACK or DISCONNECT with which a cloud paces a fleet, in milliseconds. */
const WINDOW_PROPERTY = 'sealcam-window-ms';
const RETRY_PROPERTY = 'sealcam-retry-after-ms';

export const RECEIVE_MAXIMUM_DEFAULT = 65_535;
const CODE_PACKET_TOO_LARGE = 149;
const CODE_QUOTA_EXCEEDED = 151;
const CODE_SESSION_TAKEN_OVER = 142;

/** Reason codes of MQTT 5 §3.2.2.2 and return codes of MQTT 3.1.1 §3.2.2.3 that call for more than another attempt. */
const REFUSALS: Readonly<Record<number, RefusalKind>> = {
  1: 'protocol',
  2: 'credentials',
  3: 'busy',
  4: 'credentials',
  5: 'credentials',
  132: 'protocol',
  133: 'credentials',
  134: 'credentials',
  135: 'credentials',
  136: 'busy',
  137: 'busy',
  138: 'credentials',
  140: 'credentials',
  150: 'busy',
  151: 'busy',
  // "Use another server" and "server moved": the reference is ignored, a broker cannot send a camera elsewhere.
  156: 'busy',
  157: 'busy',
  159: 'busy',
};

/** Returns the kind of refusal that a CONNACK with this code is. */
export function refusalOf(code: number): RefusalKind {
  return REFUSALS[code] ?? 'other';
}

/** Returns why a connection ended, by the code of the broker's DISCONNECT. */
export function closeCauseOf(code: number): CloseCause {
  if (code === CODE_SESSION_TAKEN_OVER) return 'taken-over';
  const kind = refusalOf(code);
  return kind === 'busy' || kind === 'credentials' ? kind : 'lost';
}

export function isPacketTooLarge(code: number): boolean {
  return code === CODE_PACKET_TOO_LARGE;
}

export function isQuotaExceeded(code: number): boolean {
  return code === CODE_QUOTA_EXCEEDED;
}

/** Formats a reason code for a log, as the specification writes it. */
export function formatReason(code: number): string {
  return `0x${code.toString(16).padStart(2, '0')}`;
}

/** Returns the reason code of an error, if it carries one. Codes of the operating system are strings. */
export function codeOf(error: Error): number | undefined {
  return 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

interface PropertiesWithHints {
  readonly userProperties?: Readonly<Record<string, unknown>>;
}

/** Reads the pacing hints of a packet; what is not a number of milliseconds is ignored. */
export function hintsOf(properties: PropertiesWithHints | undefined): ServerHints {
  const windowMs = millisecondsOf(properties?.userProperties?.[WINDOW_PROPERTY]);
  const retryAfterMs = millisecondsOf(properties?.userProperties?.[RETRY_PROPERTY]);
  return {
    ...(windowMs === undefined ? {} : { windowMs }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** Returns the versions of the protocol that the cloud announces in a CONNACK. */
export function versionsOf(properties: PropertiesWithHints | undefined): readonly number[] {
  return parseVersions(properties?.userProperties?.[VERSIONS_PROPERTY]);
}

function millisecondsOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value) : NaN;
  return Number.isFinite(number) && number >= 0 ? number : undefined;
}
