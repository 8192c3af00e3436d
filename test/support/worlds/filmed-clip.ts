/** Clips for tests of the page: a mock scene, cut by the agent's own segmenter, sealed and signed as a camera does. */
import { fragment } from '../../../agent/clip/boxes.js';
import { MEDIA } from '../../../agent/clip/media.js';
import { Segmenter } from '../../../agent/clip/segmenter.js';
import { AccessUnitSplitter } from '../../../hal/h264/access-units.js';
import { SceneRenderer } from '../../../hal/mock/renderer.js';
import { buildScript } from '../../../hal/mock/scenarios.js';
import type { VideoCodec, VideoUnit } from '../../../hal/video-source.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { concat } from '../../../common/bytes.js';
import { encodeH264 } from '../engines/h264.js';
import type { BegunPeriod, FilmedSegment, SealingCamera } from './sealing-camera.js';

const FRAMES_PER_SECOND = 10;
/** Into the mock's walk: somebody comes into the picture. */
const SCENE_FROM_MS = 2000;

/** Returns JPEG frames of a mock scene, ten a second. */
export async function scenePictures(seconds: number): Promise<readonly Uint8Array[]> {
  const renderer = new SceneRenderer(buildScript('porch', 'walk', 3));
  const pictures: Uint8Array[] = [];
  for (let i = 0; i < seconds * FRAMES_PER_SECOND; i++) {
    pictures.push((await renderer.render(SCENE_FROM_MS + (i * 1000) / FRAMES_PER_SECOND)).jpeg);
  }
  return pictures;
}

/** Cuts pictures into the segments of a clip. H.264 needs ffmpeg. */
export function segmentsOf(codec: VideoCodec, pictures: readonly Uint8Array[]): readonly FilmedSegment[] {
  const segmenter = new Segmenter(codec, FRAMES_PER_SECOND);
  const cut = [...unitsOf(codec, pictures).flatMap((unit) => segmenter.add(unit)), ...segmenter.flush()];
  return cut.map((segment, index) => ({ index, ...segment }));
}

/** Returns an endless look of a scene in H.264: its initialisation, and its fragments of one picture each, ten a second. Needs ffmpeg. */
export function liveVideo(pictures: readonly Uint8Array[]): {
  readonly segment: Uint8Array;
  readonly fragmentOf: (i: number) => { readonly bytes: Uint8Array; readonly isKey: boolean };
} {
  const units = unitsOf('h264', pictures);
  const unitAt = (i: number): VideoUnit => {
    const unit = units[i % units.length];
    if (unit === undefined) throw new Error('no units');
    return unit;
  };
  const durationMs = 1000 / FRAMES_PER_SECOND;
  const fragmentOf = (i: number): { readonly bytes: Uint8Array; readonly isKey: boolean } => {
    const { bytes, isKey } = unitAt(i);
    const parts = MEDIA.h264.sampleOf(bytes);
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    return { isKey, bytes: fragment(i + 1, i * durationMs, [{ parts, length, isKey, durationMs }]) };
  };
  return { segment: MEDIA.h264.initialise(unitAt(0).bytes), fragmentOf };
}

function unitsOf(codec: VideoCodec, pictures: readonly Uint8Array[]): readonly VideoUnit[] {
  const timed = (bytes: Uint8Array, isKey: boolean, i: number): VideoUnit => {
    return { bytes, isKey, monotonicMs: (i * 1000) / FRAMES_PER_SECOND };
  };
  if (codec === 'jpeg') return pictures.map((bytes, i) => timed(bytes, true, i));
  const splitter = new AccessUnitSplitter();
  const found = [...splitter.push(encodeH264(concat(...pictures), FRAMES_PER_SECOND), 0)];
  const last = splitter.end();
  return [...found, ...(last === null ? [] : [last])].map(({ bytes, isKey }, i) => timed(bytes, isKey, i));
}

/** Where in a clip a camera is. */
export interface Filming {
  readonly camera: SealingCamera;
  readonly period: BegunPeriod;
  readonly eventId: Uint8Array;
}

/** Signs a motion event with its picture and the first record of its clip: the initialisation and what the ring held. */
export async function beginClip(
  camera: SealingCamera,
  segments: readonly FilmedSegment[],
  picture: Uint8Array | null = null,
  prerollSegments = 2,
): Promise<Filming> {
  const period = await camera.begin();
  camera.addKey(period);
  const eventId = realRandom.bytes(16);
  camera.addMotion(period, { id: eventId, phase: 'start', revision: 0 }, picture);
  camera.addClip(period, eventId, 'start', segments.slice(0, 1 + prerollSegments));
  return { camera, period, eventId };
}

/** Signs the rest of a clip, two segments a record, and the end of its event. */
export function endClip({ camera, period, eventId }: Filming, rest: readonly FilmedSegment[]): void {
  for (let i = 0; i < rest.length; i += 2) {
    const isLast = i + 2 >= rest.length;
    camera.addClip(period, eventId, isLast ? 'end' : 'more', rest.slice(i, i + 2));
  }
  if (rest.length === 0) camera.addClip(period, eventId, 'end', []);
  camera.addMotion(period, { id: eventId, phase: 'end', revision: 1 });
}

/** Signs an event with a whole clip of these segments. */
export async function film(
  camera: SealingCamera,
  segments: readonly FilmedSegment[],
  picture: Uint8Array | null = null,
): Promise<Filming> {
  const filming = await beginClip(camera, segments, picture);
  endClip(filming, segments.slice(3));
  return filming;
}
