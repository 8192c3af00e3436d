import { toHex } from '../../common/bytes.js';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Within any hour: of one signer, of the camera, and of all members together, so that five minutes are left to the owner. */
const SIGNER_MAX_MS = 10 * MINUTE_MS;
const CAMERA_MAX_MS = 20 * MINUTE_MS;
const MEMBERS_MAX_MS = 15 * MINUTE_MS;
const ORDERS_MAX = 60;

/** Who looks. */
export interface Viewer {
  /** Ed25519 public key. */
  readonly key: Uint8Array;
  readonly isOwner: boolean;
}

/** A look on the monotonic clock; `toMs` is when it ends unless it is renewed, then when it ended. */
export interface Use extends Viewer {
  readonly fromMs: number;
  toMs: number;
}

/** How long and how often a camera may be looked through. Pure: time is passed in. */
export class LookBudget {
  private uses: Use[] = [];
  private orders: { readonly signer: string; readonly atMs: number }[] = [];

  /** Counts an order of this signer. Returns false for one too many within an hour, which is not counted. */
  countOrder(key: Uint8Array, nowMs: number): boolean {
    const signer = toHex(key);
    this.orders = this.orders.filter(({ atMs }) => nowMs - atMs < HOUR_MS);
    if (this.orders.filter((order) => order.signer === signer).length >= ORDERS_MAX) return false;
    this.orders.push({ signer, atMs: nowMs });
    return true;
  }

  /** Returns how long this viewer may look from now on. `own` is a look of its own that would end now. */
  leftMs(viewer: Viewer, nowMs: number, own?: Use): number {
    this.uses = this.uses.filter(({ toMs }) => toMs > nowMs - HOUR_MS);
    const signer = toHex(viewer.key);
    const usedBy = (isCounted: (use: Use) => boolean): number =>
      this.uses.filter(isCounted).reduce((sum, use) => sum + usedMs(use, nowMs, use === own ? nowMs : use.toMs), 0);
    return Math.max(
      0,
      Math.min(
        SIGNER_MAX_MS - usedBy(({ key }) => toHex(key) === signer),
        CAMERA_MAX_MS - usedBy(() => true),
        viewer.isOwner ? Infinity : MEMBERS_MAX_MS - usedBy(({ isOwner }) => !isOwner),
      ),
    );
  }

  /** Charges a look that ends at `toMs` unless that is changed. */
  charge(viewer: Viewer, fromMs: number, toMs: number): Use {
    const use = { ...viewer, fromMs, toMs };
    this.uses.push(use);
    return use;
  }
}

/** What of a look lies in the hour before now or is still to come. */
function usedMs({ fromMs }: Use, nowMs: number, toMs: number): number {
  return Math.max(0, toMs - Math.max(fromMs, nowMs - HOUR_MS));
}
