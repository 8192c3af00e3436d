import { realClock } from '../../common/adapters/real-clock.js';
import { realRandom } from '../../common/adapters/real-random.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { HouseholdSettings } from '../core/household-settings.js';
import { settingsRequests } from '../core/settings-requests.js';
import { shareMarks } from '../core/share-marks.js';
import { namesChanged, type PageContext } from './context.js';

let started: Promise<HouseholdSettings> | null = null;

/** Loads and follows the settings of this person's households, once, as long as the page is open. */
export function startSettings(suite: CryptoSuite, page: Omit<PageContext, 'settings'>): Promise<HouseholdSettings> {
  started ??= start(suite, page);
  return started;
}

async function start(suite: CryptoSuite, page: Omit<PageContext, 'settings'>): Promise<HouseholdSettings> {
  const settings = new HouseholdSettings({
    ...page,
    suite,
    clock: realClock,
    random: realRandom,
    heads: page.household,
    requests: settingsRequests(page.client),
  });
  settings.subscribe(namesChanged);
  await settings.load();
  await shareMarks(page.reviewed, settings);
  settings.run(new AbortController().signal);
  let claims = '';
  page.session.subscribe(({ cameras }) => {
    const now = cameras.map(({ device, epoch, hasEnded }) => `${device}/${String(epoch)}/${String(hasEnded)}`).join();
    // Who may read the settings may have changed: they are sealed to those who are there now.
    if (now !== claims) void settings.exchange();
    claims = now;
  });
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void settings.exchange();
  });
  return settings;
}
