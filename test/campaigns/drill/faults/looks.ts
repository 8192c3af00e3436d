import { utf8 } from '../../../../common/bytes.js';
import { decodeLive, encodeLive } from '../../../../protocol/transport/live.js';
import { LookPage } from '../../../support/worlds/look-page.js';
import { startLook, type CameraLook } from '../../../support/worlds/looking-camera.js';
import { newPerson, SealedCloud, SealingCamera } from '../../../support/worlds/sealing-camera.js';
import type { Fault, Outcome } from './fault.js';

const LOOKS = 10;
const PICTURES = 5;

/** One household that looks through its camera. */
interface Viewer {
  readonly name: string;
  readonly page: LookPage;
  readonly look: CameraLook;
}

async function beginLook(name: string): Promise<Viewer> {
  const owner = newPerson();
  const camera = new SealingCamera([owner]);
  const page = await LookPage.open(owner, new SealedCloud(camera));
  const look = startLook(camera, await page.order());
  await page.refresh();
  await page.relay.pass(...look.initialisation(), ...look.unit(utf8(name), 1));
  return { name, page, look };
}

/** What the cameras send next, each picture with the name of its household in it. */
function filmedBy({ name, look }: Viewer): readonly Uint8Array[] {
  return Array.from({ length: PICTURES }, (_, n) => look.unit(utf8(name), 100 * (n + 1))).flat();
}

/**
 * Ten households look at once, and the cache that knows which viewer belongs to which camera mixes them up: from then on each is
 * passed what the next one's camera sends, half of it under its own session id.
 */
export const crossedViewers: Fault = {
  name: 'looks: the relay mixes up the viewers',
  by: 'app',
  injections: () => {
    let viewers: Promise<readonly Viewer[]> | null = null;
    const all = (): Promise<readonly Viewer[]> =>
      (viewers ??= Promise.all(Array.from({ length: LOOKS }, (_, n) => beginLook(`household ${String(n)}`))));
    return Array.from({ length: LOOKS }, (_, number) => ({
      wrong: {},
      act: async (): Promise<Outcome> => {
        const { own, strange } = pairOf(await all(), number);
        const { session } = own.look.order.value;
        const messages = filmedBy(strange);
        await own.page.relay.pass(
          ...messages.map((message, n) => (n % 2 === 0 ? message : relabelled(message, session))),
        );
        const { shown } = own.page;
        return {
          pageAlarms: own.page.alarms().length,
          misbound: shown.filter((text) => text !== 'jpeg' && text !== own.name).length,
        };
      },
      // Nothing is encrypted for one viewer there: what a page is passed it shows.
      believe: async () => {
        const { strange } = pairOf(await all(), number);
        return { misbound: 0, seen: filmedBy(strange).length, missed: 0 };
      },
    }));
  },
};

function pairOf(viewers: readonly Viewer[], number: number): { readonly own: Viewer; readonly strange: Viewer } {
  const [own, strange] = [viewers[number], viewers[(number + 1) % viewers.length]];
  if (own === undefined || strange === undefined) throw new Error('no viewer');
  return { own, strange };
}

/** A message under another session id, as a relay would write it that keeps pictures by camera and adds the id itself. */
function relabelled(message: Uint8Array, session: Uint8Array): Uint8Array {
  return encodeLive({ ...decodeLive(message), session });
}
