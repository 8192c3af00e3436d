import type { Agent } from '../../../agent/main/agent.js';
import type { XWingKeys } from '../../../protocol/crypto/xwing.js';
import type { RecipientKeys } from '../../../protocol/seal/seal.js';
import type { Life } from './life.js';

/** What the oracle, the taps and the planted bugs see of a camera. */
export interface ObservedCamera {
  readonly name: string;
  readonly device: Uint8Array;
  readonly hex: string;
  /** Null while no process runs. */
  readonly agent: Agent | null;
  readonly life: Life;
  /** Processes that ran so far, this one included. */
  readonly lives: number;
}

/** What the oracle sees of an owner. */
export interface ObservedOwner {
  readonly name: string;
  readonly account: Uint8Array;
  readonly keys: RecipientKeys;
  /** For claims of version 2. */
  readonly kem: XWingKeys;
}
