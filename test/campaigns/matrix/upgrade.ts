import { nodeSuite } from '../../../protocol/crypto/node.js';
import { anyRecordKind } from '../../../protocol/objects/record.js';
import { openSigned, versionOf } from '../../../protocol/objects/signed-object.js';
import type { Remote } from '../common/remote.js';
import { isAlive, type Cell, type Programs } from './ownership.js';
import type { PageProcedures, Shown } from './page-process.js';
import { answerOf, patiently, type Site } from './site.js';

export type Part = keyof Cell;

/** The orders in which a fleet may be upgraded; each part once the first. */
export const UPGRADES: readonly (readonly Part[])[] = [
  ['cloud', 'camera', 'page'],
  ['camera', 'page', 'cloud'],
  ['page', 'cloud', 'camera'],
];

export interface UpgradeResult {
  readonly order: readonly Part[];
  /** Pictures of the first epoch that the page had opened at the start and after each step. */
  readonly opened: readonly number[];
  /** Whether the page warned after the last step that the camera could do more than its ownership. */
  readonly isWarned: boolean;
  /** Of the epoch after the owner claimed the camera again; null where that did not come. */
  readonly version: number | null;
  readonly failures: readonly string[];
}

/** Upgrades one part after the other under a camera that was claimed before, and at the end claims it again. */
export async function playUpgrade(order: readonly Part[], programs: Programs, site: Site): Promise<UpgradeResult> {
  const failures: string[] = [];
  const opened: number[] = [];
  let isWarned = false;
  let version: number | null = null;
  try {
    await site.startCloud(programs.old);
    const { code, device } = await site.startCamera(programs.old);
    let page = await site.openPage(programs.old);
    await patiently('the claim', page.call('claim', code));
    let shown = await nextPicture(page, device, 1, 0);
    opened.push(shown.opened[1] ?? 0);
    for (const part of order) {
      if (part === 'cloud') await site.startCloud(programs.new);
      if (part === 'camera') await site.startCamera(programs.new);
      if (part === 'page') page = await site.openPage(programs.new);
      const before = part === 'page' ? (opened.at(-1) ?? 0) - 1 : (opened.at(-1) ?? 0);
      shown = await nextPicture(page, device, 1, before);
      opened.push(shown.opened[1] ?? 0);
    }
    isWarned = (
      await answerOf(
        'the warning',
        () => page.call('show', device),
        ({ warned }) => warned.includes(1),
      )
    ).warned.includes(1);
    const epoch = await patiently('the new claim', page.call('claimAgain', { device, epoch: 1 }));
    shown = await nextPicture(page, device, epoch, 0);
    if (shown.opened[1] !== shown.pictures[1]) failures.push('pictures of the first epoch do not open any more');
    if (shown.warned.includes(epoch)) failures.push('the warning stays');
    failures.push(...shown.alarms, ...shown.refused);
    const { records, mediaMissing } = await page.call('stored', { device, epoch });
    if (mediaMissing > 0) failures.push(`${String(mediaMissing)} pictures missing`);
    const versions = new Set(records.map((bytes) => versionOf(openSigned(anyRecordKind, nodeSuite, bytes).value)));
    version = versions.size === 1 ? ([...versions][0] ?? null) : null;
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error));
  } finally {
    await site.stop();
  }
  return { order, opened, isWarned, version, failures };
}

/** Orders a picture and waits until the page has opened more than it had. */
async function nextPicture(
  page: Remote<PageProcedures>,
  device: string,
  epoch: number,
  opened: number,
): Promise<Shown> {
  const more = (shown: Shown): boolean => isAlive(shown) && (shown.opened[epoch] ?? 0) > opened;
  return answerOf(`a picture of epoch ${String(epoch)}`, () => page.call('show', device), more);
}
