import { toHex } from '../../common/bytes.js';
import { sleep, type Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import type { ClaimRow, CloudStore } from '../store/store.js';

/** How long a record waits for its claim. An accept that was sent is stored within this time unless the store is away. */
const CLAIM_WAIT_MAX_MS = 2000;
const CLAIM_POLL_MS = 100;
/** How long a camera whose claim never arrived is refused without waiting, so that it cannot hold up ingest. */
const CLAIM_MISS_TTL_MS = 60_000;
const CLAIM_MISSES_MAX = 10_000;

interface ClaimWaitDependencies {
  readonly store: CloudStore;
  readonly clock: Clock;
  readonly counters: Counters;
}

/** Waits for claims that other workers are storing: a record may be read here before its epoch's accept is stored there. */
export class ClaimWait {
  private readonly deps: ClaimWaitDependencies;
  /** By device: the monotonic time at which a wait for its claim ended without one. */
  private readonly misses = new Map<string, number>();

  constructor(deps: ClaimWaitDependencies) {
    this.deps = deps;
  }

  /** Polls for the row of an epoch whose accept another worker may be storing. */
  async row(device: Uint8Array, epoch: number): Promise<ClaimRow | undefined> {
    const { store, clock, counters } = this.deps;
    const name = toHex(device);
    const missedAtMs = this.misses.get(name);
    if (missedAtMs !== undefined && clock.monotonicMs() - missedAtMs < CLAIM_MISS_TTL_MS) return undefined;
    counters.add('ingest.claim-awaited');
    for (let waitedMs = 0; waitedMs < CLAIM_WAIT_MAX_MS; waitedMs += CLAIM_POLL_MS) {
      await sleep(clock, CLAIM_POLL_MS);
      const row = await store.claims.row(device, epoch);
      if (row !== undefined) return row;
    }
    if (this.misses.size >= CLAIM_MISSES_MAX) this.misses.clear();
    this.misses.set(name, clock.monotonicMs());
    return undefined;
  }
}
