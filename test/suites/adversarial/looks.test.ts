import { realRandom } from '../../../common/adapters/real-random.js';
import { LIMITS } from '../../../common/limits.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import { xwingKeys } from '../../../protocol/crypto/xwing.js';
import type { Look } from '../../../protocol/objects/look.js';
import { liveKey } from '../../../protocol/seal/live-key.js';
import { decodeLive, encodeLive, LIVE_FLAGS } from '../../../protocol/transport/live.js';
import { LiveOpener, LiveSealer } from '../../../protocol/transport/live-session.js';
import { openAnsweredLook } from '../../../protocol/verify/orders.js';
import { attacks } from '../../support/attack.js';
import { codeOf } from '../../support/codes.js';
import { jpegOf } from '../../support/worlds/filming-world.js';
import { LookWorld, type Asked } from '../../support/worlds/look-world.js';
import { member, phone } from '../../support/worlds/order-world.js';

const stranger = nodeSuite.ed25519Signer(realRandom.bytes(32));
const pictures = (count: number): string => `${String(count)} pictures`;

/** What an order brings: pictures that a viewer can open, and the camera's answer. */
async function lookedBy(
  signer: Signer | undefined,
  change: Partial<Look> = {},
  world = new LookWorld(),
): Promise<string> {
  const asked = await world.ask(signer, change);
  await world.film(1000);
  return asked.code === 'accepted' ? pictures(world.sent.length === 0 ? 0 : shownTo(world, asked)) : asked.code;
}

/** Pictures that a viewer's page opens of what was sent. */
function shownTo(world: LookWorld, asked: Asked): number {
  return world.seenBy(asked).filter(({ kind }) => kind === 'key-unit').length;
}

const granted = (signer?: Signer) => ({
  name: 'an order of its own',
  expected: '4 pictures',
  observed: () => lookedBy(signer),
});

/** Gives a second order to a camera after `between`, and counts what it sent after that. */
async function again(
  between: (world: LookWorld, asked: Asked) => void | Promise<void>,
  isFresh = false,
): Promise<string> {
  const world = new LookWorld();
  const asked = await world.ask(member, { seconds: 5 });
  await between(world, asked);
  const before = world.sent.length;
  if (isFresh) await world.ask(member);
  else await world.give(asked.order.bytes);
  await world.film(1000);
  return `${String(world.sent.length - before)} messages`;
}

/** Messages of a look on their way through a cloud that does `change` to them; what the page shows. */
async function through(
  change: (messages: readonly Uint8Array[], world: LookWorld) => readonly Uint8Array[],
): Promise<string> {
  const world = new LookWorld();
  const asked = await world.ask(member);
  await world.film(2000, jpegOf(2000, 160, 1));
  const opener = world.openerOf(asked);
  let shown = 0;
  const codes = new Set<string>();
  for (const message of change(world.sent, world)) {
    const code = codeOf(() => {
      const arrival = opener.open(message);
      if (arrival?.kind === 'key-unit') shown++;
    });
    if (code !== 'accepted') codes.add(code);
  }
  const { missing, repeated } = opener;
  const also = [
    ...(missing > 0 ? [`${String(missing)} missing`] : []),
    ...(repeated > 0 ? [`${String(repeated)} repeated`] : []),
    ...codes,
  ];
  return [pictures(shown), ...also].join(', ');
}

const untouched = {
  name: 'passed on as they came',
  expected: '8 pictures',
  observed: () => through((messages) => messages),
};

function injected(isOfCamera: boolean): Promise<string> {
  return through((messages, world) => {
    const { session } = decodeLive(messages[0] ?? jpegOf());
    const forger = new LiveSealer(nodeSuite, session, realRandom.bytes(32));
    const forged = Array.from({ length: 20 }, () => forger.seal('key-unit', jpegOf())).flat();
    return isOfCamera ? [...messages] : [...messages, ...forged.slice(world.sent.length)];
  });
}

/** A cloud that gives the camera its own KEM key in place of the viewer's. */
async function substituted(isSigned: boolean): Promise<string> {
  const world = new LookWorld();
  const cloud = xwingKeys(nodeSuite, realRandom.bytes(32));
  if (isSigned) {
    // The control: an order of a member with that key.
    await world.ask(member, { kemKey: cloud.publicKey });
  } else {
    const asked = await world.ask(member, { recent: [0, realRandom.bytes(32)] });
    const text = Buffer.from(asked.order.bytes);
    const at = text.indexOf(Buffer.from(asked.keys.publicKey));
    text.set(cloud.publicKey, at);
    await world.give(new Uint8Array(text));
  }
  await world.film(1000);
  return `${String(world.sent.length)} messages`;
}

/** Who has all keys of the household and the camera, and the traffic, after the look. */
async function afterwards(hasSessionKey: boolean): Promise<string> {
  const world = new LookWorld();
  const { camera } = world.orders;
  const asked = await world.ask(member);
  await world.film(1000);
  world.looks.endAll('privacy');
  const [answer] = world.answers();
  const ciphertext = answer?.command.look?.ciphertext;
  if (answer === undefined || !(ciphertext instanceof Uint8Array)) throw new Error('no answer');
  const context = { orderHash: asked.order.hash, claimHash: world.orders.claim.hash, answerHash: answer.record.hash };
  // Every long-term secret there is; the viewer's key was made for this look, and is gone.
  const stolen = [camera.ownerKem, ...Array.from({ length: 4 }, () => xwingKeys(nodeSuite, realRandom.bytes(32)))];
  const secrets = hasSessionKey ? [asked.keys, ...stolen] : stolen;
  let opened = 0;
  for (const keys of secrets) {
    const opener = new LiveOpener(
      nodeSuite,
      asked.order.value.session,
      liveKey(nodeSuite, keys.decapsulate(ciphertext), context),
    );
    for (const message of world.sent) if (codeOf(() => opener.open(message)) === 'accepted') opened++;
  }
  return `${String(opened)} messages opened`;
}

/** The history of a camera whose record of a look is replaced; what a member of the household learns. */
function claimedLooker(signer: Signer): string {
  const world = new LookWorld();
  const { claim } = world.orders;
  const { publicKey: kemKey } = xwingKeys(nodeSuite, realRandom.bytes(32));
  const order = world.sign(signer, { kemKey, recent: [0, claim.hash] });
  const look = { order: order.bytes, ciphertext: realRandom.bytes(1120), expiresMs: 1 };
  const command = { source: 'member', action: 'look', result: 'done', object: order.hash, look } as const;
  const record = world.orders.outbox.append({ kind: 'command', time: world.orders.time(), command });
  if (record === null) throw new Error('no record');
  return codeOf(() => openAnsweredLook(nodeSuite, record.value, claim));
}

attacks('looks', 'A look', [
  {
    name: 'an order to look by a stranger, or by the cloud',
    expected: 'command-refused',
    observed: () => lookedBy(stranger),
    control: granted(member),
  },
  {
    name: 'an order of this member under another household’s claim',
    expected: 'command-refused',
    observed: () => lookedBy(member, { claimHash: realRandom.bytes(32) }),
    control: granted(member),
  },
  {
    name: 'an order of a member who was removed: of the epoch before',
    expected: 'command-refused',
    observed: () => lookedBy(member, { epoch: 1 }),
    control: granted(member),
  },
  {
    name: 'an order replayed after its look has ended',
    expected: '0 messages',
    observed: () => again((world) => world.clock.advance(6000)),
    control: {
      name: 'a new order',
      expected: '5 messages',
      observed: () => again((world) => world.clock.advance(6000), true),
    },
  },
  {
    name: 'an order withheld for 31 minutes',
    expected: 'command-stale',
    observed: () => {
      const world = new LookWorld();
      const recent = world.orders.recentRecord();
      world.clock.advance(LIMITS.commandMaxAgeMs + 60_000);
      return lookedBy(member, { recent }, world);
    },
    control: {
      name: 'for 29 minutes',
      expected: '4 pictures',
      observed: () => {
        const world = new LookWorld();
        const recent = world.orders.recentRecord();
        world.clock.advance(LIMITS.commandMaxAgeMs - 60_000);
        return lookedBy(member, { recent }, world);
      },
    },
  },
  {
    name: "the viewer's key replaced by the cloud's on the way",
    expected: '0 messages',
    observed: () => substituted(false),
    control: { name: 'signed by a member', expected: '5 messages', observed: () => substituted(true) },
  },
  {
    name: 'a look under privacy',
    expected: 'privacy-mode',
    observed: () => {
      const world = new LookWorld();
      world.forbidden = 'privacy';
      return lookedBy(member, {}, world);
    },
    control: granted(member),
  },
  {
    name: 'a camera whose light is cut off',
    expected: '0 pictures',
    observed: () => {
      const world = new LookWorld();
      world.indicator.works = false;
      return lookedBy(member, {}, world);
    },
    control: granted(member),
  },
  {
    name: 'a cloud that holds back the record of who looks',
    expected: '0 pictures',
    observed: () => {
      const world = new LookWorld();
      world.isHeldBack = true;
      return lookedBy(member, {}, world);
    },
    control: granted(member),
  },
  {
    name: 'a renewal that comes after the end',
    expected: '0 messages',
    observed: async () => {
      const world = new LookWorld();
      const asked = await world.ask(member, { seconds: 5 });
      world.clock.advance(5000);
      const before = world.sent.length;
      await world.renew(asked, 1, {}, member);
      await world.film(1000);
      return `${String(world.sent.length - before)} messages`;
    },
    control: {
      name: 'before the end',
      expected: '5 messages',
      observed: async () => {
        const world = new LookWorld();
        const asked = await world.ask(member, { seconds: 5 });
        world.clock.advance(4000);
        await world.renew(asked, 1, {}, member);
        await world.film(1000);
        return `${String(world.sent.length)} messages`;
      },
    },
  },
  {
    name: 'a flood of 200 orders of one member',
    expected: '60 answers',
    observed: async () => {
      const world = new LookWorld();
      world.isSeeing = false;
      for (let i = 0; i < 200; i++) await world.ask(member);
      return `${String(world.answers().length)} answers`;
    },
    control: {
      name: 'twenty each of two',
      expected: '40 answers',
      observed: async () => {
        const world = new LookWorld();
        world.isSeeing = false;
        for (let i = 0; i < 40; i++) await world.ask(i % 2 === 0 ? member : phone);
        return `${String(world.answers().length)} answers`;
      },
    },
  },
  {
    name: 'a frame of a look dropped',
    expected: '7 pictures, 1 missing',
    observed: () => through((messages) => messages.filter((_, n) => n !== 4)),
    control: untouched,
  },
  {
    name: 'frames repeated',
    expected: '8 pictures, 9 repeated',
    observed: () => through((messages) => messages.flatMap((message) => [message, message])),
    control: untouched,
  },
  {
    name: 'frames in another order',
    expected: '2 pictures, 6 missing, 6 repeated',
    observed: () => through((messages) => [...messages.slice(0, 1), ...messages.slice(7), ...messages.slice(1, 7)]),
    control: untouched,
  },
  {
    name: 'frames of another number',
    expected: '0 pictures, seal-refused',
    observed: () =>
      through((messages) =>
        messages.map((message) => encodeLive({ ...decodeLive(message), n: decodeLive(message).n + 100 })),
      ),
    control: untouched,
  },
  {
    name: 'the end said by the cloud',
    expected: '0 pictures, seal-refused',
    observed: () =>
      through((messages) => messages.map((message) => encodeLive({ ...decodeLive(message), flags: LIVE_FLAGS.end }))),
    control: untouched,
  },
  {
    name: 'frames injected by the cloud',
    expected: '8 pictures, seal-refused',
    observed: () => injected(false),
    control: { name: 'without them', expected: '8 pictures', observed: () => injected(true) },
  },
  {
    name: "another viewer's frames",
    expected: '0 pictures, foreign',
    observed: () =>
      through((messages) =>
        messages.map((message) => encodeLive({ ...decodeLive(message), session: realRandom.bytes(16) })),
      ),
    control: untouched,
  },
  {
    name: 'the traffic recorded, and every long-term key stolen afterwards',
    expected: '0 messages opened',
    observed: () => afterwards(false),
    control: { name: 'and the key of the session', expected: '6 messages opened', observed: () => afterwards(true) },
  },
  {
    name: 'a camera that says somebody looked who is nobody of the household',
    expected: 'command-refused',
    observed: () => claimedLooker(stranger),
    control: { name: 'a member', expected: 'accepted', observed: () => claimedLooker(member) },
  },
]);
