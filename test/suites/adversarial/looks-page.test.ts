import { realRandom } from '../../../common/adapters/real-random.js';
import { utf8 } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import { encapsulate, xwingKeys } from '../../../protocol/crypto/xwing.js';
import { KEM_CIPHERTEXT_BYTES } from '../../../protocol/objects/ids.js';
import { lookKind } from '../../../protocol/objects/look.js';
import { openSigned, signObject } from '../../../protocol/objects/signed-object.js';
import { liveKey } from '../../../protocol/seal/live-key.js';
import { encodeUnit } from '../../../protocol/transport/live-content.js';
import { LiveSealer } from '../../../protocol/transport/live-session.js';
import { attacks } from '../../support/attack.js';
import { LookPage } from '../../support/worlds/look-page.js';
import { addAnswer, CameraLook, startLook } from '../../support/worlds/looking-camera.js';
import { newPerson, SealedCloud, SealingCamera } from '../../support/worlds/sealing-camera.js';

type Messages = readonly Uint8Array[];
const owner = newPerson();
const member = newPerson();

/** A member's page and the camera that it looks at. */
async function opened(): Promise<{ readonly camera: SealingCamera; readonly page: LookPage }> {
  const camera = new SealingCamera([owner, member]);
  return { camera, page: await LookPage.open(member, new SealedCloud(camera), owner) };
}

/** What stands on the screen, how the look ended, and the alarms. */
function outcome(page: LookPage): string {
  const { state } = page.look;
  const pictures = page.shown.filter((text) => text !== 'jpeg').join('');
  const missing = 'missing' in state && state.missing > 0 ? `${String(state.missing)} missing` : [];
  const ending = state.type === 'ended' ? (state.problem?.code ?? []) : state.type;
  const alarms = page.alarms().map((alarm) => `alarm ${alarm.replace(/:.*/, '')}`);
  return [`shows ${pictures === '' ? 'nothing' : pictures}`, missing, ending, ...alarms].flat().join(', ');
}

/** Messages of a whole look on their way through a cloud that does `change` to them; then the camera's record of the end. */
async function through(change: (messages: Messages, look: CameraLook) => Messages): Promise<string> {
  const { camera, page } = await opened();
  const look = startLook(camera, await page.order());
  await page.refresh();
  const first = look.initialisation();
  const messages = [...first, ...['a', 'b', 'c', 'd'].flatMap((text, i) => look.unit(utf8(text), 100 * (i + 1)))];
  return finish(page, look, change(messages, look));
}

async function finish(page: LookPage, look: CameraLook, messages: Messages, after: Messages = []): Promise<string> {
  await page.relay.pass(...messages);
  await page.relay.pass(...look.last());
  look.end();
  await page.refresh();
  await page.relay.pass(...after).catch(() => undefined);
  return outcome(page);
}

const untouched = {
  name: 'passed on as they came',
  expected: 'shows abcd',
  observed: () => through((messages) => messages),
};

/** Sealed by somebody who has not the key of the look. */
function forged(look: CameraLook): Messages {
  const forger = new LiveSealer(nodeSuite, look.order.value.session, realRandom.bytes(32));
  const units = Array.from({ length: 8 }, () =>
    forger.seal('key-unit', encodeUnit({ capturedMs: 0, bytes: utf8('X') })),
  );
  return units.flat().slice(5);
}

/** A look that was sealed to the cloud's key in place of the one that the page's order names, or as it must be. */
async function sealedTo(isCloud: boolean): Promise<string> {
  const { camera, page } = await opened();
  const bytes = await page.order();
  if (!isCloud) {
    const look = startLook(camera, bytes);
    await page.refresh();
    return finish(page, look, [...look.initialisation(), ...look.unit(utf8('a'), 100)]);
  }
  const order = openSigned(lookKind, nodeSuite, bytes);
  const { enc, shared } = encapsulate(nodeSuite, realRandom, xwingKeys(nodeSuite, realRandom.bytes(32)).publicKey);
  const answer = addAnswer(camera, bytes, enc);
  const context = { orderHash: order.hash, claimHash: camera.claim.hash, answerHash: answer.hash };
  const sealer = new LiveSealer(nodeSuite, order.value.session, liveKey(nodeSuite, shared, context));
  const look = new CameraLook(camera, order, answer, sealer);
  await page.refresh();
  return finish(page, look, [...look.initialisation(), ...look.unit(utf8('a'), 100)]);
}

/** What a member's page says of a camera whose history holds a look, which this person ordered. */
async function historyOf(signer: Signer): Promise<string> {
  const { camera, page } = await opened();
  const { device, epoch } = camera.claim.value;
  const order = signObject(lookKind, nodeSuite, signer, {
    version: 2,
    device,
    epoch,
    claimHash: camera.claim.hash,
    session: realRandom.bytes(16),
    kemKey: xwingKeys(nodeSuite, realRandom.bytes(32)).publicKey,
    renewal: 0,
    seconds: 60,
    recent: [0, camera.records[0]?.hash ?? new Uint8Array(32)],
  });
  addAnswer(camera, order.bytes, new Uint8Array(KEM_CIPHERTEXT_BYTES));
  await page.refresh();
  return page.alarms().length === 0 ? 'no alarm' : `alarm ${page.alarms().join('; ').replace(/:.*/, '')}`;
}

attacks('looks-page', 'A look, as the page sees it', [
  {
    name: 'the cloud drops a frame',
    expected: 'shows acd, 1 missing',
    observed: () => through((messages) => messages.filter((_, n) => n !== 2)),
    control: untouched,
  },
  {
    name: 'the cloud repeats each frame',
    expected: 'shows abcd, alarm foreign',
    observed: () => through((messages) => messages.flatMap((message) => [message, message])),
    control: untouched,
  },
  {
    name: 'the cloud passes frames on in another order',
    expected: 'shows ad, 2 missing, alarm foreign',
    observed: () => through(([first, a, b, c, d]) => [first, a, d, c, b].flatMap((message) => message ?? [])),
    control: untouched,
  },
  {
    name: 'the cloud puts frames of its own into a look',
    expected: 'shows abcd, alarm seal-refused',
    observed: () => through((messages, look) => [...messages, ...forged(look)]),
    control: untouched,
  },
  {
    name: "the cloud passes another viewer's frames on",
    expected: 'shows abcd, alarm foreign',
    observed: async () => {
      const other = await opened();
      const theirs = startLook(other.camera, await other.page.order());
      const crossed = [...theirs.initialisation(), ...theirs.unit(utf8('X'), 100)];
      return through(([first, ...rest]) => [...(first === undefined ? [] : [first]), ...crossed, ...rest]);
    },
    control: untouched,
  },
  {
    name: "the look is sealed to another key than the viewer's",
    expected: 'shows nothing, live, alarm seal-refused',
    observed: () => sealedTo(true),
    control: { name: "to the viewer's", expected: 'shows a', observed: () => sealedTo(false) },
  },
  {
    name: 'the cloud goes on after the end, with a frame that it held back',
    expected: 'shows a, 1 missing',
    observed: async () => {
      const { camera, page } = await opened();
      const look = startLook(camera, await page.order());
      await page.refresh();
      const messages = [...look.initialisation(), ...look.unit(utf8('a'), 100)];
      const later = look.unit(utf8('X'), 200);
      return finish(page, look, messages, later);
    },
    control: {
      name: 'before the end',
      expected: 'shows aX',
      observed: async () => {
        const { camera, page } = await opened();
        const look = startLook(camera, await page.order());
        await page.refresh();
        return finish(page, look, [
          ...look.initialisation(),
          ...look.unit(utf8('a'), 100),
          ...look.unit(utf8('X'), 200),
        ]);
      },
    },
  },
  {
    name: 'the history holds a look that nobody of the household ordered',
    expected: 'alarm command-refused',
    observed: () => historyOf(nodeSuite.ed25519Signer(realRandom.bytes(32))),
    control: { name: 'that a member ordered', expected: 'no alarm', observed: () => historyOf(member.signer) },
  },
]);
