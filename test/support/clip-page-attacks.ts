/** What a cloud does with the segments of a clip, and what the owner's page plays of it. */
import type { Attack } from './attack.js';
import { lyingCloud, type ClipLie } from './worlds/clip-lies.js';
import { ClipPage } from './worlds/clip-page.js';
import { scenePictures, segmentsOf } from './worlds/filmed-clip.js';
import { newPerson, SealingCamera } from './worlds/sealing-camera.js';

const keys = newPerson();
const pictures = scenePictures(12);

/** The segments that are played, the page's verdict, and its alarms. */
async function playedUnder(lie: ClipLie | null): Promise<string> {
  const segments = segmentsOf('jpeg', await pictures);
  const page = await ClipPage.open(keys, await lyingCloud(new SealingCamera([keys]), segments, lie));
  await page.load();
  const alarms = page.alarms().length;
  return `plays ${page.played().join(' ')}: ${page.judged().verdict}, ${String(alarms)} ${alarms === 1 ? 'alarm' : 'alarms'}`;
}

function attack(lie: ClipLie, name: string, expected: string): Attack {
  return {
    name,
    expected,
    observed: () => playedUnder(lie),
    control: {
      name: 'an honest cloud',
      expected: 'plays 0 1 2 3 4 5 6: intact, 0 alarms',
      observed: () => playedUnder(null),
    },
  };
}

const ONE_REFUSED = 'plays 0 1 2 3 5 6: refused, 1 alarm';

export const clipPageAttacks: readonly Attack[] = [
  attack('crossed', 'the cloud sends the page a segment of another event in place of segment 4', ONE_REFUSED),
  attack('repeated', 'the cloud sends the segment before once more', ONE_REFUSED),
  attack('swapped', 'the cloud exchanges segments 4 and 5', 'plays 0 1 2 3 6: refused, 2 alarms'),
  attack('cut', 'the cloud sends segment 4 without its end', ONE_REFUSED),
  attack('longer', 'the cloud sends segment 4 with a byte more', ONE_REFUSED),
  attack('altered', 'the cloud changes a bit of segment 4', ONE_REFUSED),
  attack('dropped', 'the cloud says that segment 4 has not come', 'plays 0 1 2 3 5 6: coming, 0 alarms'),
  attack('hidden', 'the cloud holds back the record that names segments 3 and 4', 'plays 0 1 2 5 6: missing, 1 alarm'),
];
