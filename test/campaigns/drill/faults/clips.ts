/** Faults of clips: what the incident mixed up, for the segments of videos. Each has a control that believes every answer. */
import { equal, toBase64, toHex } from '../../../../common/bytes.js';
import type { Segment } from '../../../../cloud/store/store.js';
import { withRows } from '../../../support/worlds/wrong-rows.js';
import { believingIngest, believingPage, believingUpload, truthOf } from './believe.js';
import type { FaultCamera, FilmedBody } from './camera.js';
import type { Alarmer, Fault, Injection, Outcome } from './fault.js';
import type { FaultWorld, Wrong } from './world.js';

/** The segment of which faults speak. The one before it and the one after it have pictures too. */
const TARGET = 2;

/** What is answered for a body, by hex of the hash that was asked for; null for nothing. */
type Answers = ReadonlyMap<string, Uint8Array | null>;

/** Mix-ups of bodies, by what they do to a camera's first clip. */
const MIXUPS: Readonly<Record<string, (world: FaultWorld, camera: FaultCamera) => Answers>> = {
  'a segment of another household': (world, camera) =>
    answered([camera.segment(0, TARGET), strangeTo(world, camera).body]),
  'a segment of another camera of the owner': (world, camera) =>
    answered([camera.segment(0, TARGET), otherOf(world, camera).segment(0, TARGET).body]),
  'two segments of a clip swapped': (_, camera) => swapped(camera.segment(0, TARGET), camera.segment(0, TARGET + 1)),
  'segments of two clips swapped': (_, camera) => swapped(camera.segment(0, TARGET), camera.segment(1, TARGET)),
  'a segment repeated': (_, camera) => answered([camera.segment(0, TARGET), camera.segment(0, TARGET - 1).body]),
  'a segment dropped': (_, camera) => answered([camera.segment(0, TARGET), null]),
};

function answered(...given: readonly (readonly [FilmedBody, Uint8Array | null])[]): Answers {
  return new Map(
    given.map(
      ([
        {
          entry: [, , , asked],
        },
        body,
      ]) => [toHex(asked), body],
    ),
  );
}

function swapped(one: FilmedBody, other: FilmedBody): Answers {
  return answered([one, other.body], [other, one.body]);
}

function strangeTo(world: FaultWorld, camera: FaultCamera): FilmedBody {
  return world.strangeCameraWithKeys(camera).segment(0, TARGET);
}

function otherOf(world: FaultWorld, camera: FaultCamera): FaultCamera {
  const other = world.camerasOf(camera.owner).find((one) => one !== camera);
  if (other === undefined) throw new Error('a household with one camera');
  return other;
}

/** Returns a filming camera of each household that has some. */
function oneOfEach(world: FaultWorld): readonly FaultCamera[] {
  return [...new Map(world.camerasWithKeys().map((camera) => [camera.owner, camera])).values()];
}

/** A fault that shows when the owner of a camera watches its clips. */
function whileWatching(name: string, by: Alarmer, wrong: (world: FaultWorld, camera: FaultCamera) => Wrong): Fault {
  return {
    name: `clips: ${name}`,
    by,
    injections: (world) =>
      oneOfEach(world).map((camera) => ({
        wrong: wrong(world, camera),
        act: async () => {
          const { view, clips } = await camera.owner.visitPage();
          const misbound = truthOf(world).misplaced(clips);
          return { pageAlarms: view.alarms.length, isNamed: clips.named > 0, misbound };
        },
        believe: () => believingPage(world, camera.owner),
      })),
  };
}

const fromTheStore = Object.entries(MIXUPS).map(([what, mixUp]) =>
  whileWatching(`crossed media store: ${what}`, 'read', (world, camera) => {
    const instead = mixUp(world, camera);
    return {
      bodies: {
        get: (key) => {
          const body = instead.get(toHex(key.bodyHash));
          return body === undefined ? world.bodies.get(key) : Promise.resolve(body ?? undefined);
        },
      },
    };
  }),
);

const onTheWay = Object.entries(MIXUPS).map(([what, mixUp]) =>
  whileWatching(`on the way to the page: ${what}`, 'app', (world, camera) => {
    const instead = mixUp(world, camera);
    return {
      answers: {
        segment: (path, body) => {
          const said = instead.get(path.split('/').at(-1) ?? '');
          return said === undefined ? body : said;
        },
      },
    };
  }),
);

/** A cache between the API and the rows of segments answers with that of another household's, or of another segment of the clip. */
const crossedSegmentRows = [true, false].map((isStrange) =>
  whileWatching(
    `crossed cache at read: the row of ${isStrange ? 'a strange segment' : 'the segment before'}`,
    'read',
    (world, camera) => {
      const { segments } = world.store;
      const own = camera.segment(0, TARGET);
      const other = isStrange ? strangeTo(world, camera) : camera.segment(0, TARGET - 1);
      return {
        segments: { find: (key) => (equal(key.bodyHash, own.entry[3]) ? rowOf(world, other) : segments.find(key)) },
      };
    },
  ),
);

/** A cache of records answers with the clip record of another household's camera. */
const crossedRecords = whileWatching('crossed cache at read: the record of a strange clip', 'read', (world, camera) => {
  const { records } = world.store;
  const [own] = camera.clips[0]?.records ?? [];
  const strange = strangeTo(world, camera).record.value;
  return {
    records: {
      page: async (...asked) => {
        const other = await records.get(strange.device, strange.epoch, strange.seq);
        const page = await records.page(...asked);
        return page.map((item) => (own !== undefined && equal(item.hash, own.hash) ? (other ?? item) : item));
      },
    },
  };
});

const strangeRecord = whileWatching('a lying cloud: the record of a strange clip', 'app', (world, camera) => {
  const own = toBase64(camera.segment(0, TARGET).record.bytes);
  const strange = toBase64(strangeTo(world, camera).record.bytes);
  return {
    answers: {
      json: (path, body) => {
        if (!path.endsWith('/records')) return body;
        const records = body['records'] as Record<string, unknown>[];
        return {
          ...body,
          records: records.map((item) => (item['record'] === own ? { ...item, record: strange } : item)),
        };
      },
    },
  };
});

/** A fault at ingest, while a camera sends the records of a new clip. */
function whileSending(
  name: string,
  fault: (world: FaultWorld, camera: FaultCamera) => { readonly wrong: Wrong; readonly topic: Uint8Array },
): Fault {
  const injected = (world: FaultWorld, camera: FaultCamera): Injection => {
    const { wrong, topic } = fault(world, camera);
    return {
      wrong,
      act: async (): Promise<Outcome> => {
        const clip = await world.film(camera, camera.shot(0));
        let misbound = 0;
        for (const record of clip.records) if (await world.sendRecord(camera, record, topic)) misbound++;
        return misbound > 0 ? { misbound } : { unreceipted: [() => world.deliver(camera, clip)] };
      },
      believe: () => believingIngest(world, camera, topic, camera.clips.at(-1)?.segments.length ?? 0),
    };
  };
  return {
    name: `clips: ${name}`,
    by: 'ingest',
    injections: (world) => world.camerasWithKeys().map((camera) => injected(world, camera)),
  };
}

const crossedTopic = whileSending('crossed topic', (world, camera) => ({
  wrong: {},
  topic: world.strangeCamera(camera.device).device,
}));

const crossedRow = whileSending('crossed row at ingest', (world, camera) => {
  const crossed = withRows(world.store, (device, epoch) =>
    world.store.claims.row(world.strangeCamera(device).device, epoch),
  );
  const wrong: Wrong = {
    claims: { row: (...key) => crossed.claims.row(...key) },
    records: { put: (...given) => crossed.records.put(...given) },
  };
  return { wrong, topic: camera.device };
});

/** A fault at an upload: the records of a new clip have come. */
function whileUploading(
  name: string,
  fault: (
    world: FaultWorld,
    camera: FaultCamera,
  ) => {
    readonly wrong: Wrong;
    /** In place of its own. */
    readonly body?: Uint8Array;
  },
): Fault {
  const injected = (world: FaultWorld, camera: FaultCamera): Injection => {
    const { wrong, body } = fault(world, camera);
    const segment = (): FilmedBody => camera.segment(camera.clips.length - 1, TARGET);
    return {
      wrong: {},
      act: async (): Promise<Outcome> => {
        const clip = await world.film(camera, camera.shot(0));
        for (const record of clip.records) await world.sendRecord(camera, record);
        Object.assign(world.wrong, wrong);
        const said = await world.upload(camera, segment(), body);
        if (said === 'stored') return { misbound: 1 };
        return { isNamed: said === 'malformed', unreceipted: [() => world.deliver(camera, clip)] };
      },
      believe: () => believingUpload(world, segment(), body ?? segment().body),
    };
  };
  return {
    name: `clips: ${name}`,
    by: 'ingest',
    injections: (world) => world.camerasWithKeys().map((camera) => injected(world, camera)),
  };
}

const crossedRowAtUpload = whileUploading('crossed row at an upload', (world) => ({
  wrong: { claims: { row: (device, epoch) => world.store.claims.row(world.strangeCamera(device).device, epoch) } },
}));

const crossedSegmentAtUpload = whileUploading('crossed row of a segment at an upload', (world, camera) => ({
  wrong: {
    segments: {
      upload: async () => {
        const segment = await rowOf(world, strangeTo(world, camera));
        return segment === undefined ? undefined : { segment, cameraBytes: 0, accountBytes: 0 };
      },
    },
  },
}));

const strangeBodyAtUpload = whileUploading("another household's body under the name of a segment", (world, camera) => ({
  wrong: {},
  body: strangeTo(world, camera).body,
}));

function rowOf(
  world: FaultWorld,
  { record: { value }, entry: [, , , bodyHash] }: FilmedBody,
): Promise<Segment | undefined> {
  return world.store.segments.find({ device: value.device, epoch: value.epoch, bodyHash });
}

/** Those at ingest come last: each adds clips, which all later pages would load. */
export const CLIP_FAULTS: readonly Fault[] = [
  ...fromTheStore,
  ...crossedSegmentRows,
  crossedRecords,
  ...onTheWay,
  strangeRecord,
  crossedRow,
  crossedTopic,
  crossedRowAtUpload,
  crossedSegmentAtUpload,
  strangeBodyAtUpload,
];
