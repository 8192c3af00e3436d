import type { Clock } from '../../common/clock.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { SubtleSeals } from '../../protocol/crypto/web-seals.js';
import type { CloudClient } from './cloud-client.js';
import { HistoryKeeper } from './history-keeper.js';
import { KeptKeyRecords } from './kept-key-records.js';
import { MiniOpener } from './mini-opener.js';
import { NoticeMemory } from './notice-memory.js';
import { Notices } from './notices.js';
import { noticeView, type NoticeView } from './notice-view.js';
import { Opener } from './opener.js';
import { ownerKeys, recipientOf, type OwnerKeys } from './owner-keys.js';
import { OwnKem } from './own-kem.js';
import { PeriodKeys } from './period-keys.js';
import type { AppStorage, HistoryStorage } from './storage.js';

export interface PushReaderDependencies {
  readonly suite: CryptoSuite;
  readonly clock: Clock;
  /** `saveEpoch` takes back nothing that a page stored meanwhile; see `withLearned`. */
  readonly storage: HistoryStorage & Pick<AppStorage, 'loadMaster' | 'names'>;
  /** Returns a client with a session of its own. */
  readonly clientOf: (keys: OwnerKeys) => Pick<CloudClient, 'keyRecord' | 'cameras' | 'acceptHouseholds'>;
  /** WebCrypto; without it the library opens periods. */
  readonly subtle?: SubtleSeals;
}

/**
 * Returns what to show of a push, by what this device has stored now: a page may have stored more since the last one. Give it one
 * push at a time.
 */
export async function readPush(payload: Uint8Array | null, deps: PushReaderDependencies): Promise<NoticeView> {
  const { suite, clock, storage, clientOf, subtle } = deps;
  const master = await storage.loadMaster();
  const keys = ownerKeys(suite, master ?? new Uint8Array(32));
  const kem = new OwnKem(suite, keys, storage);
  const history = new HistoryKeeper(suite, storage, recipientOf(keys), { kemHash: () => kem.hash() });
  const own = keys.signer.publicKey;
  const people = { history, own, names: await storage.names(), nowMs: clock.wallMs() };
  // Somebody signed out here: there is no key, and nothing that could be verified.
  if (master === null) return noticeView({ type: 'something', device: null }, people);
  await history.load();
  const client = clientOf(keys);
  const kept = new KeptKeyRecords(storage, client);
  const periods = new PeriodKeys({ suite, clock, history, client: kept, ownKey: own });
  const opener = new Opener({ suite, clock, keys, ...(subtle === undefined ? {} : { subtle }) });
  const minis = new MiniOpener({ suite, history, opener, periods, kept });
  const memory = new NoticeMemory(storage);
  await memory.load();
  return noticeView(await new Notices({ clock, history, client, minis, memory }).find(payload), people);
}
