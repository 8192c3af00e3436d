import mqtt from 'mqtt';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { utf8 } from '../../../common/bytes.js';
import { padContent, type SealedContent } from '../../../protocol/seal/content.js';
import { attacks, type Attack } from '../../support/attack.js';
import { mosquitto } from '../../support/engines/brokers.js';
import { BUSY } from '../../support/worlds/test-agent.js';
import { describeWith } from '../../support/engines/tools.js';
import { until } from '../../support/runner/wait.js';
import { WholeWay } from '../../support/worlds/whole-way.js';
import { MockKeyStore } from '../../../hal/mock/key-store.js';

/** Name of the zone that covers the whole picture, and so part of the sealed detail of every event. */
const MARKER = 'canary zone 7f3a';
const ZONES = `[{name = "${MARKER}", corners = [[0, 0], [1, 0], [1, 1], [0, 1]]}]`;
/** Length of the pieces of a picture that are searched for: too long to occur by chance. */
const PIECE_BYTES = 24;
const EVENTS = 2;

/** Everything that one run left behind, by place. */
interface Run {
  readonly content: readonly SealedContent[];
  readonly places: Readonly<Record<Place, readonly Buffer[]>>;
}
type Place =
  'MQTT traffic' | "the agent's data folder" | "the agent's log" | "the cloud's log" | "the cloud's database";

let way: WholeWay | null = null;

afterEach(() => way?.stopAll());

function filesOf(folder: string): Buffer[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
}

/** Runs one camera and one owner over a real broker, until the owner has opened the pictures of some events. */
async function run(): Promise<Run> {
  way = await WholeWay.prepare(mosquitto);
  await way.broker.start();
  const cloud = await way.startCloud();
  const traffic: Buffer[] = [];
  const spy = mqtt.connect(`mqtt://127.0.0.1:${String(way.broker.port)}`, {
    protocolVersion: way.broker.protocol,
    username: 'spy',
    clientId: 'spy',
  });
  way.keep({ stop: () => void spy.end(true) });
  spy.on('message', (topic, payload) => traffic.push(Buffer.from(topic), payload));
  await spy.subscribeAsync('#', { qos: 1 });
  const camera = way.startAgent('camera', BUSY, new MockKeyStore(), {
    environment: { SEALCAM_MOTION_ZONES: ZONES },
  });
  const { watcher, opened } = way.watch(cloud);
  await watcher.claim(camera.code);
  // The folder is read while the camera cannot send, so that it holds events.
  await until('events are opened', () => opened.length >= EVENTS, 60_000);
  const folder = join(way.folder, 'camera');
  await way.broker.stop();
  await until('events wait on the disk', () => camera.agent.outbox.queued().records >= 2, 40_000);
  const onDisk = filesOf(folder);
  const content: SealedContent[] = [];
  for (const { event } of opened) if (event.picture !== null) content.push(await watcher.picture(event.picture));
  return {
    content,
    places: {
      'MQTT traffic': traffic,
      "the agent's data folder": onDisk,
      "the agent's log": [Buffer.from(JSON.stringify(camera.log))],
      "the cloud's log": [Buffer.from(JSON.stringify(cloud.log))],
      "the cloud's database": filesOf(join(way.folder, 'cloud')),
    },
  };
}

/** Returns pieces of the pictures and the marker: as they are, as hex, and as base64 at each of its three offsets. */
function needles(content: readonly SealedContent[]): Buffer[] {
  const plain = [Buffer.from(utf8(MARKER))];
  for (const { jpeg } of content) {
    if (jpeg === null) continue;
    for (const part of [0.3, 0.5, 0.7]) {
      const from = Math.floor(jpeg.length * part);
      plain.push(Buffer.from(jpeg.subarray(from, from + PIECE_BYTES)));
    }
  }
  return plain.flatMap((piece) => [piece, Buffer.from(piece.toString('hex')), ...base64Forms(piece)]);
}

function base64Forms(piece: Buffer): Buffer[] {
  return [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), piece]).toString('base64');
    // The characters that depend on the bytes before and after are left out.
    return Buffer.from(text.slice(shift === 0 ? 0 : 4, Math.floor((shift + piece.length) / 3) * 4));
  });
}

function hits(looked: readonly Buffer[], content: readonly SealedContent[]): string {
  const all = needles(content);
  const found = looked.flatMap((haystack) => all.filter((needle) => haystack.includes(needle)));
  return found.length === 0 ? '0 hits' : 'found';
}

let once: Promise<Run> | null = null;
const shared = (): Promise<Run> => (once ??= run());

/** Returns what the same place would hold without sealing: bytes on a disk, or text in a log. */
function unsealed(place: Place, content: readonly SealedContent[]): Buffer[] {
  const plain = content.map((item) => Buffer.from(padContent(item)));
  return place.endsWith('log') ? plain.map((bytes) => Buffer.from(`{"body":"${bytes.toString('base64')}"}`)) : plain;
}

const PLACES: readonly Place[] = [
  'MQTT traffic',
  "the agent's data folder",
  "the agent's log",
  "the cloud's log",
  "the cloud's database",
];

function searched(place: Place): Attack {
  return {
    name: `plaintext of the pictures in ${place}`,
    expected: '0 hits',
    observed: async () => {
      const { places, content } = await shared();
      if (places[place].every(({ length }) => length === 0)) return 'nothing to search in';
      return hits(places[place], content);
    },
    control: {
      name: 'the same place with unsealed pictures',
      expected: 'found',
      observed: async () => {
        const { places, content } = await shared();
        return hits([...places[place], ...unsealed(place, content)], content);
      },
    },
  };
}

describeWith('mosquitto', 'canary', () => {
  attacks('canary', "Plaintext outside the owner's page", [
    ...PLACES.map(searched),
    {
      name: 'the name of the zone, which is sealed with each picture, in all of these places',
      expected: '0 hits',
      observed: async () => {
        const { places } = await shared();
        return hits(Object.values(places).flat(), []);
      },
      control: {
        name: 'what the owner opened',
        expected: 'found',
        observed: async () => {
          const { content } = await shared();
          return hits([Buffer.from(JSON.stringify(content.map(({ detail }) => detail)))], []);
        },
      },
    },
    {
      name: 'pieces of one picture in the picture of another event',
      expected: '0 hits',
      observed: async () => {
        const { content } = await shared();
        const [first, ...others] = content;
        const jpegs = others.map(({ jpeg }) => Buffer.from(jpeg ?? []));
        return first === undefined ? 'no picture' : hits(jpegs, [first]);
      },
      control: {
        name: 'the picture itself',
        expected: 'found',
        observed: async () => {
          const { content } = await shared();
          return hits(
            content.map(({ jpeg }) => Buffer.from(jpeg ?? [])),
            content,
          );
        },
      },
    },
  ]);
});
