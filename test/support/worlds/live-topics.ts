import type { LiveSource } from '../../../cloud/api/context.js';
import { toHex } from '../../../common/bytes.js';
import { decodeLive } from '../../../protocol/transport/live.js';
import { topicOf } from '../../../protocol/transport/topics.js';

type Receive = Parameters<LiveSource['subscribe']>[2];

/** The live topics of a broker that is not there: a test publishes on them itself. */
export class LiveTopics implements LiveSource {
  /** Passes every message of a topic to everybody who looks at the camera: what keeps viewers apart is removed. */
  isCrossed = false;
  /** What a subscription fails with. */
  fault: Error | null = null;
  private readonly topics = new Map<string, Map<string, Receive>>();

  subscribe(device: Uint8Array, session: Uint8Array, receive: Receive): Promise<() => void> {
    if (this.fault !== null) return Promise.reject(this.fault);
    const topic = topicOf(device, 'live');
    const receivers = this.topics.get(topic) ?? new Map<string, Receive>();
    this.topics.set(topic, receivers.set(toHex(session), receive));
    return Promise.resolve(() => void receivers.delete(toHex(session)));
  }

  /** Open looks. */
  get count(): number {
    return [...this.topics.values()].reduce((sum, { size }) => sum + size, 0);
  }

  publish(device: Uint8Array, payload: Uint8Array): void {
    const receivers = this.topics.get(topicOf(device, 'live'));
    const { session, n, flags } = decodeLive(payload);
    const addressed = receivers?.get(toHex(session));
    const chosen = this.isCrossed ? [...(receivers?.values() ?? [])] : [addressed];
    for (const receive of chosen) receive?.({ n, flags, payload });
  }
}
