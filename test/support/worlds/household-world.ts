import { realRandom } from '../../../common/adapters/real-random.js';
import { toHex } from '../../../common/bytes.js';
import { HouseholdSettings } from '../../../app/core/household-settings.js';
import { settingsRequests, type SettingsRequests } from '../../../app/core/settings-requests.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { xwingKeys } from '../../../protocol/crypto/xwing.js';
import type { ClaimV2 } from '../../../protocol/objects/claim.js';
import { kemHash } from '../../../protocol/objects/kem-keys.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { ApiWorld } from './api-world.js';
import { CameraWorld } from './camera-world.js';
import { PageOnApi } from './page-on-api.js';

/** A browser with the settings of its households. */
export interface Browser {
  readonly page: PageOnApi;
  readonly settings: HouseholdSettings;
  /** Codes of the alarms in the page. */
  readonly alarms: () => readonly string[];
}

/** A household on a cloud's own API: an owner with one camera of version 2, and everybody whom its claims name. */
export class HouseholdWorld {
  readonly api: ApiWorld;
  readonly owner = realRandom.bytes(32);
  readonly camera: CameraWorld;
  private claim: Verified<ClaimV2> | null = null;

  private constructor(api: ApiWorld) {
    this.api = api;
    const { keys } = new PageOnApi(api, api.clock, this.owner);
    this.camera = new CameraWorld({
      owner: keys.signer,
      ownerSecret: keys.recipient.secret,
      cloud: api.receiptSigner,
    });
  }

  /** Opens a cloud, whose store may be made to lie, with another household in it if `api` is given. */
  static async open(wrap?: (store: CloudStore) => CloudStore, api?: ApiWorld): Promise<HouseholdWorld> {
    return new HouseholdWorld(api ?? (await ApiWorld.open(wrap)));
  }

  get device(): string {
    return toHex(this.camera.deviceId);
  }

  /** Claims the camera, again if it was, for the owner and these people, by their master keys. */
  async claimFor(...people: readonly Uint8Array[]): Promise<void> {
    const all = [this.owner, ...people].map((master) => new PageOnApi(this.api, this.api.clock, master).keys);
    const kemKeys = all.map(({ kemSeed }) => xwingKeys(nodeSuite, kemSeed).publicKey);
    const recipients = all.map(({ signer }, i) => ({
      ed25519: signer.publicKey,
      kem: kemHash(nodeSuite, kemKeys[i] ?? new Uint8Array(0)),
      role: i === 0 ? ('owner' as const) : ('member' as const),
    }));
    const before = this.claim;
    this.claim = this.camera.claimV2((before?.value.epoch ?? 0) + 1, before?.hash ?? null, { recipients });
    const accept = this.camera.recordV2(this.claim, 0, this.claim.hash, { kind: 'accept' });
    await this.api.store.claims.accept(this.claim, accept, 1, kemKeys);
  }

  /** Opens a browser of a person, and shows it the cameras. */
  async browser(
    master: Uint8Array,
    change: (requests: SettingsRequests) => Partial<SettingsRequests> = () => ({}),
  ): Promise<Browser> {
    const { api, camera } = this;
    const page = await new PageOnApi(api, api.clock, master).load();
    if (master !== this.owner) await page.history.accept({ ownerKey: camera.owner.publicKey });
    await page.session.refresh();
    const { client, history, storage, keys, session } = page;
    const requests = settingsRequests(client);
    const settings = new HouseholdSettings({
      client,
      history,
      storage,
      keys,
      session,
      suite: nodeSuite,
      clock: api.clock,
      random: realRandom,
      heads: page.household,
      requests: { ...requests, ...change(requests) },
    });
    await settings.load();
    return { page, settings, alarms: () => session.view().alarms.map(({ code }) => code) };
  }
}

/** Has browsers exchange their settings, one after another. */
export async function exchangeAll(...browsers: readonly Browser[]): Promise<void> {
  for (const { settings, page } of browsers) {
    await page.household.fetch();
    await settings.exchange();
    const problem = settings.problem();
    if (problem !== null) throw problem;
  }
}
