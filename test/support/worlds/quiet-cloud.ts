import { realRandom } from '../../../common/adapters/real-random.js';
import { CloudClient } from '../../../app/core/cloud-client.js';
import type { PageFetch } from '../../../app/core/cloud-requests.js';
import { HistoryKeeper } from '../../../app/core/history-keeper.js';
import { Liveness } from '../../../app/core/liveness.js';
import { ownerKeys } from '../../../app/core/owner-keys.js';
import { OwnerSession } from '../../../app/core/owner-session.js';
import { MemoryStorage } from '../../../app/core/storage.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { VirtualClock } from '../runner/virtual-clock.js';
import { CameraWorld } from './camera-world.js';

const ORIGIN = 'https://cloud.example';
/** No answer, until the page gives up. */
function silence(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => {
      reject(new Error('aborted'));
    });
  });
}

/** Lets promises and streams that can go on do so. Nothing here waits for anything outside of this process. */
export async function runPromises(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export interface QuietCloud {
  readonly client: CloudClient;
  readonly session: OwnerSession;
  readonly liveness: Liveness;
  /** Sends a sign of life on the stream. */
  readonly ping: () => void;
  /** From now on no request is answered, and none fails. */
  readonly die: () => void;
  readonly live: () => void;
  /** Returns how many streams were opened. */
  readonly streams: () => number;
}

/** A cloud whose stream the test writes, and whose requests it can leave unanswered. */
export function quietCloud(clock: VirtualClock): QuietCloud {
  const body: { write: (text: string) => void } = { write: () => undefined };
  let isDead = false;
  let streams = 0;
  const answers: Readonly<Record<string, unknown>> = {
    '/v1/session/challenge': { cloudOrigin: ORIGIN, nonce: 'ab'.repeat(32), expiresAtMs: clock.wallMs() + 60_000 },
    '/v1/session': { token: 't', expiresAtMs: clock.wallMs() + 86_400_000 },
    '/v1/cameras': { cameras: [] },
  };
  const fetch: PageFetch = (url, { signal }) => {
    const { pathname } = new URL(url);
    if (isDead) return silence(signal);
    if (pathname !== '/v1/stream') return Promise.resolve(Response.json(answers[pathname]));
    streams++;
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        body.write = (text) => {
          controller.enqueue(new TextEncoder().encode(text));
        };
        body.write('event: ready\ndata: {}\n\n');
      },
    });
    return Promise.resolve(new Response(stream));
  };
  const liveness = new Liveness(clock);
  const keys = ownerKeys(nodeSuite, realRandom.bytes(32));
  const client = new CloudClient({
    suite: nodeSuite,
    clock,
    keys,
    cloudOrigin: ORIGIN,
    pageOrigin: ORIGIN,
    fetch,
    liveness,
  });
  const history = new HistoryKeeper(nodeSuite, new MemoryStorage(), new CameraWorld().recipient);
  const session = new OwnerSession({ client, history, clock, random: realRandom, liveness });
  return {
    client,
    session,
    liveness,
    ping: () => {
      body.write(': ping\n\n');
    },
    die: () => {
      isDead = true;
    },
    live: () => {
      isDead = false;
    },
    streams: () => streams,
  };
}
