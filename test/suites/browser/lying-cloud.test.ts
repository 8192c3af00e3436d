import { join } from 'node:path';
import type { Browser, Locator } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { realRandom } from '../../../common/adapters/real-random.js';
import { ownerKeys, type OwnerKeys } from '../../../app/core/owner-keys.js';
import { tweetnaclSuite } from '../../../protocol/crypto/tweetnacl.js';
import type { Claim } from '../../../protocol/objects/claim.js';
import type { SealcamRecord } from '../../../protocol/objects/record.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { freePort, hostPage, launch, Visitor } from '../../support/engines/browser.js';
import { answerFrom } from '../../support/engines/lying-cloud.js';
import { describeWith } from '../../support/engines/tools.js';
import { keptFolder } from '../../support/runner/temp.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { HEALTH } from '../../support/worlds/cloud-world.js';
import { PageCloud } from '../../support/worlds/page-cloud.js';

const PASSPHRASE = 'four unrelated test words';
const LAST = 7;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * The page as it is delivered, in a real browser, over a cloud that lies. The owner is one person; each test brings a camera
 * and browsers of its own, restored with the owner's recovery file.
 */
describeWith('chromium', 'the page over a lying cloud', () => {
  const folder = keptFolder();
  let browser: Browser;
  let page: { stop: () => Promise<void> };
  let pageUrl = '';
  let keys: OwnerKeys;
  const visitors: Visitor[] = [];

  beforeAll(async () => {
    browser = await launch();
    const port = await freePort();
    pageUrl = `http://127.0.0.1:${String(port)}/`;
    page = await hostPage(join(folder, 'page'), '', port);
    keys = ownerKeys(tweetnaclSuite, realRandom.bytes(32));
  });

  afterAll(async () => {
    await browser.close();
    await page.stop();
  });

  /** A camera of the owner: events and health reports up to a moment ago; the queue is empty at the end. */
  function camera(ageMs = MINUTE_MS): PageCloud {
    const world = new CameraWorld({ owner: keys.signer, ownerSecret: keys.recipient.secret });
    return new PageCloud(0, (_, claim) => history(world, claim, Date.now() - ageMs), world);
  }

  /** A browser of the owner over this cloud, which has loaded something. */
  async function open(cloud: PageCloud): Promise<Visitor> {
    const visitor = await another();
    await answerFrom(visitor.context, cloud);
    await visitor.page.goto(pageUrl);
    await visitor.page.locator('.card-button, .mark').first().waitFor();
    return visitor;
  }

  async function another(): Promise<Visitor> {
    const visitor = await Visitor.arrive(browser);
    visitors.push(visitor);
    // A page that is left open goes on working beside the next test.
    onTestFinished(() => visitor.context.close());
    await visitor.restoreKey(pageUrl, keys.master, PASSPHRASE);
    return visitor;
  }

  const tab = (visitor: Visitor, name: string): Promise<void> =>
    visitor.page.getByRole('navigation').getByRole('button', { name, exact: true }).click();
  const withheld = ({ page: view }: Visitor): Locator =>
    view.getByRole('alert').filter({ hasText: 'does not show everything that your cameras signed' });
  const contradicted = ({ page: view }: Visitor): Locator =>
    view.getByRole('alert').filter({ hasText: 'contradicts what your cameras signed' });

  it('is quiet while nothing is hidden: the control of all that follows', async () => {
    const cloud = camera();
    const visitor = await open(cloud);
    await visitor.page.reload();
    await visitor.page.locator('.card-button').first().waitFor();
    expect(await visitor.page.locator('.mark').count()).toBe(0);
    expect(await withheld(visitor).count()).toBe(0);
    expect(await contradicted(visitor).count()).toBe(0);
    await tab(visitor, 'Cameras');
    // The stream of this cloud ends at once, so the page says of no camera that it is there, nor that it is silent.
    await visitor.page.getByText('Not known now · last heard').waitFor();
    expect(await visitor.page.getByText('Silent ·').count()).toBe(0);
  });

  it('A1: shows a hole before a health record among the events, and raises the alarm', async () => {
    const cloud = camera();
    cloud.hides = (seq) => seq === LAST - 1;
    const visitor = await open(cloud);
    await visitor.page.locator('.mark[data-mark=missing]', { hasText: 'Missing here: one record' }).waitFor();
    await withheld(visitor).waitFor();
  });

  it('A1: marks the place of a refused record', async () => {
    const cloud = camera();
    cloud.replaces = ({ bytes, value }) => (value.seq === 3 ? bytes.slice(1) : bytes);
    const visitor = await open(cloud);
    await visitor.page.locator('.mark[data-mark=refused]').waitFor();
    await contradicted(visitor).waitFor();
  });

  it('A2: notices after a reload that the newest record is another one, though the cloud names the same number', async () => {
    const cloud = camera();
    const visitor = await open(cloud);
    await visitor.page.locator('.card-button').first().waitFor();
    expect(await contradicted(visitor).count()).toBe(0);
    const { world, claim, records } = cloud;
    const other = { ...HEALTH, queued: 0, connects: 9 };
    records[LAST] = world.record(claim, LAST, records[LAST - 1]?.hash ?? null, { kind: 'health', health: other });
    await visitor.page.reload();
    await contradicted(visitor).waitFor();
    await withheld(visitor).waitFor();
  });

  it('A3: shows a camera whose tail is cut for 30 days as silent, and none as released by the word of the cloud', async () => {
    const cloud = camera(30 * DAY_MS);
    cloud.item = { online: true, lastReceivedAtMs: Date.now(), incomplete: false, state: 'closed' };
    const visitor = await open(cloud);
    await tab(visitor, 'Cameras');
    await visitor.page.getByText('Silent · last heard').waitFor();
    await visitor.page.getByText('The cloud says that this camera was released').waitFor();
    expect(await visitor.page.getByText('Online ·').count()).toBe(0);
    expect(await visitor.page.locator('.chip', { hasText: 'Released' }).count()).toBe(0);
  });

  it('A4: keeps the card of a camera that the cloud no longer names, with an alarm', async () => {
    const cloud = camera();
    const visitor = await open(cloud);
    cloud.isListed = false;
    await visitor.page.reload();
    await withheld(visitor).waitFor();
    await tab(visitor, 'Cameras');
    await visitor.page.getByText('The cloud no longer names this camera.', { exact: true }).waitFor();
    await visitor.page.getByRole('button', { name: 'Hand them in again' }).waitFor();
  });

  it('A5: notices in one browser what the cloud showed to another', async () => {
    const cloud = camera();
    const first = await open(cloud);
    // Nobody has confirmed what this browser sees yet.
    await first.page.getByText('This browser was set up from a recovery file').waitFor();
    await expect.poll(() => cloud.statements.length).toBeGreaterThan(0);
    cloud.upTo = LAST - 1;
    const second = await open(cloud);
    await withheld(second).waitFor();
    // The control: shown the same, a third one is quiet, and lists the others.
    cloud.upTo = LAST;
    const third = await open(cloud);
    await tab(third, 'Settings');
    await third.page.getByText('Another browser of yours: compared').first().waitFor();
    expect(await withheld(third).count()).toBe(0);
  });

  it('A6: shows a signed time that cannot be as such, and in its place', async () => {
    const cloud = camera();
    const { world, claim, records } = cloud;
    const event = { id: new Uint8Array(16).fill(99), phase: 'start', revision: 0 } as const;
    const time = { ...world.time(1), wallMs: Number.MAX_SAFE_INTEGER };
    const prev = records[LAST]?.hash ?? null;
    records.push(world.record(claim, LAST + 1, prev, { kind: 'motion', event, time }));
    cloud.upTo = LAST + 1;
    cloud.receivedAtMs = () => Date.now();
    const visitor = await open(cloud);
    await visitor.page.locator('.card', { hasText: 'Wrong clock' }).waitFor();
    await visitor.page.getByRole('heading', { name: 'Today' }).waitFor();
  });

  it('B: refuses a claim that names its own signing key beside another encryption key', async () => {
    const cloud = camera();
    const swapped = { ...cloud.world.recipient, x25519: new CameraWorld().recipient.x25519 };
    const claim = cloud.world.claim(1, null, { recipients: [swapped] });
    cloud.item = { claim: claim.bytes };
    const visitor = await another();
    await answerFrom(visitor.context, cloud);
    await visitor.page.goto(pageUrl);
    await contradicted(visitor).waitFor();
    await visitor.page.getByText('Add your first camera').waitFor();
  });

  it('logged no errors', () => {
    expect(visitors.flatMap(({ complaints }) => complaints)).toEqual([]);
  });
});

const KINDS = ['accept', 'motion', 'health', 'motion', 'motion', 'health', 'scene', 'health'] as const;

/** A history of {@link KINDS}, a second apart, that ends at `untilMs`. */
function history(world: CameraWorld, claim: Verified<Claim>, untilMs: number): Verified<SealcamRecord>[] {
  const records: Verified<SealcamRecord>[] = [];
  for (const [seq, kind] of KINDS.entries()) {
    const prev = records[seq - 1]?.hash ?? claim.hash;
    const wallMs = untilMs - 1000 * (KINDS.length - 1 - seq);
    const time = world.time(1000 * seq, wallMs);
    records.push(world.record(claim, seq, prev, { kind, time, ...contentOf(kind, seq) }));
  }
  return records;
}

function contentOf(kind: (typeof KINDS)[number], seq: number): Partial<SealcamRecord> {
  if (kind === 'motion') return { event: { id: new Uint8Array(16).fill(seq), phase: 'start', revision: 0 } };
  if (kind === 'health') return { health: { ...HEALTH, queued: 0 } };
  return kind === 'scene' ? { scene: { class: 'stall' } } : {};
}
