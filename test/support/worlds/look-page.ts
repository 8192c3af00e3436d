import { realRandom } from '../../../common/adapters/real-random.js';
import { concat, toHex, u32be, utf8 } from '../../../common/bytes.js';
import type { Clock } from '../../../common/clock.js';
import { HistoryKeeper } from '../../../app/core/history-keeper.js';
import { LiveLook, type LookDependencies } from '../../../app/core/look.js';
import { recipientOf, type OwnerKeys } from '../../../app/core/owner-keys.js';
import { OwnerSession } from '../../../app/core/owner-session.js';
import { MemoryStorage } from '../../../app/core/storage.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { kemHash } from '../../../protocol/objects/kem-keys.js';
import { VirtualClock } from '../runner/virtual-clock.js';
import { runPromises } from './quiet-cloud.js';
import { kemKeyOf, type SealedCloud } from './sealing-camera.js';

/** A message as the cloud passes it on; an empty one is a sign of life. */
export function framed(message: Uint8Array): Uint8Array {
  return concat(u32be(message.length), message);
}

/** The cloud's last frame, with its reason. */
export function closing(code: string, message = 'why'): Uint8Array {
  const reason = utf8(JSON.stringify({ code, message }));
  return concat(u32be(0xffff_ffff), u32be(reason.length), reason);
}

/** What a cloud does with the looks of one page. The test writes the bodies. */
class LookRelay {
  /** Orders as they came, the starts. */
  readonly orders: Uint8Array[] = [];
  readonly renewals: Uint8Array[] = [];
  /** Bodies that the page stopped reading. */
  left = 0;
  /** What refuses the next order. */
  refusal: Error | null = null;
  private body: ReadableStreamDefaultController<Uint8Array> | null = null;

  get client(): LookDependencies['client'] {
    return {
      openLook: (_device, order) => {
        this.orders.push(order);
        if (this.refusal !== null) return Promise.reject(this.refusal);
        return Promise.resolve(
          new ReadableStream<Uint8Array>({
            start: (controller) => {
              this.body = controller;
            },
            cancel: () => {
              this.left++;
            },
          }),
        );
      },
      renewLook: (_device, order) => {
        this.renewals.push(order);
        return this.refusal === null ? Promise.resolve({ online: true }) : Promise.reject(this.refusal);
      },
    };
  }

  /** Passes messages on, and lets the page read them. */
  async pass(...messages: readonly Uint8Array[]): Promise<void> {
    await this.write(...messages.map(framed));
  }

  async write(...chunks: readonly Uint8Array[]): Promise<void> {
    for (const chunk of chunks) this.body?.enqueue(chunk);
    await runPromises();
  }

  async cut(): Promise<void> {
    this.body?.close();
    await runPromises();
  }
}

/** A person's page over a cloud with one camera, with one look at it. */
export class LookPage {
  readonly clock = new VirtualClock();
  readonly relay = new LookRelay();
  readonly session: OwnerSession;
  readonly history: HistoryKeeper;
  /** What came on the screen: `initialise`, then the text of each picture. */
  readonly shown: string[] = [];
  look: LiveLook;
  private readonly keys: OwnerKeys;
  private readonly cloud: SealedCloud;

  private constructor(keys: OwnerKeys, cloud: SealedCloud, history: HistoryKeeper, session: OwnerSession) {
    this.keys = keys;
    this.cloud = cloud;
    this.history = history;
    this.session = session;
    this.look = this.newLook();
  }

  static async open(keys: OwnerKeys, cloud: SealedCloud, household: OwnerKeys | null = null): Promise<LookPage> {
    const kemHashOf = (): Promise<Uint8Array> => Promise.resolve(kemHash(nodeSuite, kemKeyOf(keys)));
    const history = new HistoryKeeper(nodeSuite, new MemoryStorage(), recipientOf(keys), { kemHash: kemHashOf });
    await history.load();
    if (household !== null) await history.accept({ ownerKey: household.signer.publicKey });
    const clock: Clock = new VirtualClock();
    const session = new OwnerSession({ client: cloud.client, history, clock, random: realRandom });
    await session.refresh();
    return new LookPage(keys, cloud, history, session);
  }

  newLook(): LiveLook {
    const { relay, clock, history, session } = this;
    const { device, epoch } = this.cloud.sealing.claim.value;
    const deps: LookDependencies = {
      suite: nodeSuite,
      clock,
      random: realRandom,
      signer: this.keys.signer,
      client: relay.client,
      history,
      session,
      within: (wait) => wait,
      screen: {
        initialise: ({ codec }) => this.shown.push(codec),
        show: ({ bytes }) => this.shown.push(Buffer.from(bytes).toString()),
      },
    };
    this.look = new LiveLook(deps, { device: toHex(device), epoch });
    return this.look;
  }

  /** Orders a look, and returns the order as the cloud got it. */
  async order(): Promise<Uint8Array> {
    const before = this.relay.orders.length;
    void this.look.run();
    // The part with the keys is loaded first.
    while (this.relay.orders.length === before) await runPromises();
    await this.relay.pass(new Uint8Array(0));
    return this.relay.orders.at(-1) ?? new Uint8Array(0);
  }

  /** Fetches the newest records, as the live stream brings them. */
  async refresh(): Promise<void> {
    await this.session.refresh();
    await runPromises();
  }

  async passTime(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 500) {
      this.clock.advance(500);
      await runPromises();
    }
  }

  alarms(): readonly string[] {
    return this.session.view().alarms.map(({ code, message }) => `${code}: ${message}`);
  }
}
