import { HistoryKeeper } from '../../../app/core/history-keeper.js';
import { inForceOf, InForceReader, type InForce } from '../../../app/core/in-force.js';
import { Owner } from '../../../app/core/owner.js';
import { recipientOf, type OwnerKeys } from '../../../app/core/owner-keys.js';
import { OwnerSession } from '../../../app/core/owner-session.js';
import { ReceiptKeyPins } from '../../../app/core/receipt-key-pins.js';
import { StandingOrders, type Setting } from '../../../app/core/standing-orders.js';
import { MemoryStorage } from '../../../app/core/storage.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toHex } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { kemHash } from '../../../protocol/objects/kem-keys.js';
import { asyncCodeOf } from '../codes.js';
import { VirtualClock } from '../runner/virtual-clock.js';
import { kemKeyOf, type SealedCloud } from './sealing-camera.js';

/** A zone, as an order names it. */
export const DOOR = {
  name: 'door',
  corners: [
    [0, 0],
    [65_535, 0],
    [0, 65_535],
  ],
} as const;

/** What a page shows as in force at one camera. */
export class InForceView {
  readonly standing = new StandingOrders(new MemoryStorage());
  private readonly reader: InForceReader;
  private readonly device: string;
  private readonly epoch: number;

  constructor(session: OwnerSession, owner: Owner, device: string, epoch: number) {
    session.answers.observe((record) => {
      this.standing.addRecord(record);
    });
    this.reader = new InForceReader({ standing: this.standing, owner, session });
    this.device = device;
    this.epoch = epoch;
  }

  /** Opens the newest answer. Returns whether something else is known now. */
  read(): Promise<boolean> {
    return this.reader.read(this.device, this.epoch);
  }

  inForce(setting: Setting): InForce {
    return inForceOf(this.standing, this.device, this.epoch, setting);
  }
}

export interface InForcePage {
  readonly standing: StandingOrders;
  readonly session: OwnerSession;
  /** Fetches the newest records and reads what is in force: `new`, `the same`, or the code of the error. */
  readonly read: () => Promise<string>;
  readonly inForce: (setting: Setting) => InForce;
  readonly alarms: () => readonly string[];
}

/** A person's page over a cloud with one camera, as far as it shows what is in force. */
export async function inForcePage(
  keys: OwnerKeys,
  cloud: SealedCloud,
  household: OwnerKeys | null = null,
): Promise<InForcePage> {
  const [suite, clock, storage, { client }] = [nodeSuite, new VirtualClock(), new MemoryStorage(), cloud];
  const kemHashOf = (): Promise<Uint8Array> => Promise.resolve(kemHash(suite, kemKeyOf(keys)));
  const history = new HistoryKeeper(suite, storage, recipientOf(keys), { kemHash: kemHashOf });
  if (household !== null) await history.accept({ ownerKey: household.signer.publicKey });
  const receiptKeys = new ReceiptKeyPins({ suite, storage, clock, client, ownerKey: keys.signer.publicKey });
  const owner = new Owner({ suite, clock, keys, client, history, receiptKeys });
  const session = new OwnerSession({ client, history, clock, random: realRandom });
  const { device, epoch } = cloud.sealing.claim.value;
  const view = new InForceView(session, owner, toHex(device), epoch);
  return {
    standing: view.standing,
    session,
    read: async () => {
      const found = { isNew: false };
      const code = await asyncCodeOf(async () => {
        await session.refresh();
        found.isNew = await view.read();
      });
      return code === 'accepted' ? (found.isNew ? 'new' : 'the same') : code;
    },
    inForce: (setting) => view.inForce(setting),
    alarms: () => session.view().alarms.map(({ message }) => message),
  };
}
