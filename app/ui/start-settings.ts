import { realClock } from '../../common/adapters/real-clock.js';
import { realRandom } from '../../common/adapters/real-random.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { HouseholdSettings } from '../core/household-settings.js';
import { settingsRequests } from '../core/settings-requests.js';
import { shareMarks } from '../core/share-marks.js';
import { namesChanged, type PageContext } from './context.js';

type SettingsPage = Omit<PageContext, 'settings'>;

/** Of the page that is shown: it is entered again with the root key. */
let running: {
  readonly page: SettingsPage;
  readonly settings: Promise<HouseholdSettings>;
  readonly ending: AbortController;
} | null = null;

/** Loads and follows the settings of this person's households, once for each page, until another one is entered. */
export function startSettings(suite: CryptoSuite, page: SettingsPage): Promise<HouseholdSettings> {
  if (running?.page !== page) {
    running?.ending.abort();
    const ending = new AbortController();
    running = { page, settings: start(suite, page, ending.signal), ending };
  }
  return running.settings;
}

async function start(suite: CryptoSuite, page: SettingsPage, signal: AbortSignal): Promise<HouseholdSettings> {
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
  if (signal.aborted) return settings;
  settings.run(signal);
  let claims = '';
  const stop = page.session.subscribe(({ cameras }) => {
    const now = cameras.map(({ device, epoch, hasEnded }) => `${device}/${String(epoch)}/${String(hasEnded)}`).join();
    // Who may read the settings may have changed: they are sealed to those who are there now.
    if (now !== claims) void settings.exchange();
    claims = now;
  });
  signal.addEventListener('abort', stop);
  document.addEventListener(
    'visibilitychange',
    () => {
      if (document.visibilityState === 'visible') void settings.exchange();
    },
    { signal },
  );
  return settings;
}
