/** What cameras have in force, as far as this page knows. Only the part of the page that shows it loads this. */
import { toHex } from '../../common/bytes.js';
import { asSealcamError } from '../../common/errors.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import { decodeInForce, type Change, type InForce as Content } from '../../protocol/seal/in-force.js';
import type { Owner } from './owner.js';
import type { OwnerSession } from './owner-session.js';
import { REFUSALS } from './pictures.js';
import type { EpochFacts, SealedAnswer, Setting, StandingOrders } from './standing-orders.js';

type Value<S extends Setting> = Readonly<Record<S, NonNullable<Content[S]>[0]>>;
export type StandingOrder = { readonly [S in Setting]: { readonly action: S } & Value<S> }[Setting];

/** What this page knows of the order that a camera follows. */
export type InForce =
  | {
      readonly type: 'known';
      readonly order: StandingOrder;
      /** UTC by the camera's clock when it took the order; null where it had no time, and where nobody gave one. */
      readonly wallMs: number | null;
      /** Whose key ordered it; null where the camera's own configuration decides. */
      readonly by: Uint8Array | 'this browser' | null;
      /** Whether every record since the answer is here, so that no other browser can have changed it. */
      readonly isCurrent: boolean;
    }
  /** The camera answered an order that another browser gave, and its content is not known here. */
  | { readonly type: 'elsewhere'; readonly wallMs: number | null }
  /** No owner's order was given: the camera's own settings decide. */
  | { readonly type: 'unordered' }
  /** The camera says that it has no such setting. */
  | { readonly type: 'absent' }
  | { readonly type: 'unknown' };

/**
 * Returns what is known of the order in force: of the last one that the camera's own record answers as done, by this device or,
 * in version 2, by the answer itself, once it was opened.
 *
 * @param device hex of the device id
 */
export function inForceOf(
  standing: Pick<StandingOrders, 'factsOf'>,
  device: string,
  epoch: number,
  setting: Setting,
): InForce {
  for (let at = epoch; at >= 1; at--) {
    const facts = standing.factsOf(device, at, setting);
    const known = inEpoch(facts, setting);
    if (known !== null) return known;
    if (facts.top === null || facts.top[0] > 0) return { type: 'unknown' };
    if (at === 1) break;
    // Orders stay in force when the same owner claims again, and end with a release or a reset.
    const { end } = standing.factsOf(device, at - 1, setting);
    if (end === null) return { type: 'unknown' };
    if (end !== 'superseded') break;
  }
  return { type: 'unordered' };
}

/** Returns what the records of one epoch say of it; null if they say nothing. */
function inEpoch({ answer, ordered, said, top }: EpochFacts, setting: Setting): InForce | null {
  const isCurrent = (seq: number): boolean => top !== null && top[0] <= seq;
  if (said !== null && said.content !== null && said.answer.record.seq >= (answer?.seq ?? 0)) {
    const found = orderIn(said.content, setting);
    if (found === null) return { type: 'absent' };
    const [by = null, , , wallMs = null] = found.change ?? [];
    return { type: 'known', order: found.order, by, wallMs, isCurrent: isCurrent(said.answer.record.seq) };
  }
  if (answer === null) return null;
  const { wallMs, seq } = answer;
  if (ordered === null) return { type: 'elsewhere', wallMs };
  return { type: 'known', order: ordered, by: 'this browser', wallMs, isCurrent: isCurrent(seq) };
}

/** Returns what a camera says of one setting, null where it has none. */
function orderIn(
  { zones, sensitivity, masks, schedules }: Content,
  setting: Setting,
): { readonly order: StandingOrder; readonly change: Change | null } | null {
  switch (setting) {
    case 'zones':
      return zones === undefined ? null : { order: { action: setting, zones: zones[0] }, change: zones[1] };
    case 'sensitivity':
      return sensitivity === undefined
        ? null
        : { order: { action: setting, sensitivity: sensitivity[0] }, change: sensitivity[1] };
    case 'masks':
      return masks === undefined ? null : { order: { action: setting, masks: masks[0] }, change: masks[1] };
    case 'schedules':
      return schedules === undefined
        ? null
        : { order: { action: setting, schedules: schedules[0] }, change: schedules[1] };
  }
}

/**
 * Returns the newest answer that says what is in force, of this epoch or of the last one before it that has any; null without one.
 *
 * @param device hex of the device id
 */
function newestAnswer(standing: Pick<StandingOrders, 'factsOf'>, device: string, epoch: number): SealedAnswer | null {
  for (let at = epoch; at >= 1; at--) {
    const { said } = standing.factsOf(device, at, 'zones');
    if (said !== null) return said.answer;
  }
  return null;
}

export interface InForceDependencies {
  readonly standing: Pick<StandingOrders, 'factsOf' | 'noteContent'>;
  readonly owner: Pick<Owner, 'openAnswer' | 'periodStateOf'>;
  readonly session: Pick<OwnerSession, 'refusePicture'>;
}

/** Opens the answers of cameras that say what is in force. */
export class InForceReader {
  private readonly deps: InForceDependencies;
  /** Answers that are being opened, are open, or prove to be wrong. */
  private readonly settled = new WeakSet<AnyRecord>();

  constructor(deps: InForceDependencies) {
    this.deps = deps;
  }

  /**
   * Opens the newest answer of a camera that says what is in force, and notes what it says. Call it again whenever the view
   * changes. Returns whether something else is known now.
   *
   * @param device hex of the device id
   * @throws SealcamError `key-pending`, `cloud-unreachable`, …, after which another call tries again; `cloud-lied`, `seal-refused`,
   *   `not-sealed-to-you`, `malformed`, which are an alarm too
   */
  async read(device: string, epoch: number): Promise<boolean> {
    const { standing, owner, session } = this.deps;
    const answer = newestAnswer(standing, device, epoch);
    if (answer === null) return false;
    const { record, media } = answer;
    if (this.settled.has(record)) {
      const isContested = owner.periodStateOf({ ...record, media }) === 'equivocation';
      return isContested && standing.noteContent(answer, null);
    }
    this.settled.add(record);
    try {
      return standing.noteContent(answer, decodeInForce(await owner.openAnswer(answer)));
    } catch (error) {
      const { code, message } = asSealcamError(error);
      if (REFUSALS.includes(code)) session.refusePicture(message, code, { device: toHex(record.device), epoch });
      else this.settled.delete(record);
      throw error;
    }
  }
}
