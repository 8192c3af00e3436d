import { SealcamError } from '../../common/errors.js';

/** What a configuration asks of a camera. */
export interface Wanted {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
}

/** One way in which a sensor can be read. */
export interface SensorMode {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
}

export interface ListedCamera {
  readonly index: number;
  readonly model: string;
  /** libcamera's own name of it: a path of the device tree or of the bus. */
  readonly id: string;
  readonly modes: readonly SensorMode[];
}

/** Reads what `rpicam-hello --list-cameras` (or `libcamera-hello`) prints. */
export function parseHelloList(text: string): ListedCamera[] {
  const cameras: (Omit<ListedCamera, 'modes'> & { readonly modes: SensorMode[] })[] = [];
  for (const line of text.split('\n')) {
    const head = /^\s*(\d+) : (\S+) \[[^\]]*\] \(([^)]*)\)/.exec(line);
    if (head !== null) {
      cameras.push({ index: Number(head[1]), model: head[2] ?? '', id: head[3] ?? '', modes: [] });
      continue;
    }
    for (const mode of line.matchAll(/(\d+)x(\d+) \[(\d+(?:\.\d+)?) fps/g)) {
      const [width, height, framesPerSecond] = mode.slice(1).map(Number);
      cameras.at(-1)?.modes.push({ width: width ?? 0, height: height ?? 0, framesPerSecond: framesPerSecond ?? 0 });
    }
  }
  return cameras;
}

/** Reads what libcamera's own `cam -l` prints; it counts from 1 and says no modes. */
export function parseCamList(text: string): ListedCamera[] {
  const cameras: ListedCamera[] = [];
  for (const line of text.split('\n')) {
    const match = /^(\d+): (.*) \(([^()]+)\)\s*$/.exec(line);
    if (match === null) continue;
    const model = (match[2] ?? '').replaceAll("'", '').trim();
    cameras.push({
      index: Number(match[1]) - 1,
      model: model === '' ? 'camera' : model,
      id: match[3] ?? '',
      modes: [],
    });
  }
  return cameras;
}

function modeText({ width, height, framesPerSecond }: SensorMode): string {
  return `${String(width)}x${String(height)} at ${String(Math.floor(framesPerSecond))}`;
}

const OFFERS_TOLD = 8;

export function offerText(modes: readonly SensorMode[]): string {
  const texts = [...new Set(modes.map(modeText))];
  const more = texts.length > OFFERS_TOLD ? `, and ${String(texts.length - OFFERS_TOLD)} more` : '';
  return texts.slice(0, OFFERS_TOLD).join(', ') + more;
}

export function notOffered(model: string, wanted: Wanted, offers: string): SealcamError {
  const { width, height, framesPerSecond } = wanted;
  return new SealcamError(
    'camera-unavailable',
    `${model} does not offer ${modeText({ width, height, framesPerSecond })} frames a second; it offers ${offers}`,
    { hint: 'Set camera.width, camera.height and camera.framesPerSecond to what it offers.' },
  );
}

/** A sensor behind an image processor gives every size up to a mode's own. @throws SealcamError `camera-unavailable` */
export function checkModes({ model, modes }: ListedCamera, wanted: Wanted): void {
  if (modes.length === 0) return;
  const fits = modes.some(
    ({ width, height, framesPerSecond }) =>
      width >= wanted.width && height >= wanted.height && framesPerSecond >= wanted.framesPerSecond,
  );
  if (!fits) throw notOffered(model, wanted, `up to ${offerText(modes)}`);
}

/** The camera that `device` names by number or id; empty means the first. @throws SealcamError `camera-unavailable` */
export function chooseCamera(cameras: readonly ListedCamera[], device: string): ListedCamera {
  const [first] = cameras;
  if (first === undefined) {
    throw new SealcamError('camera-unavailable', 'libcamera sees no camera', {
      hint: 'Check the ribbon cable on both ends, and that the boot configuration names the sensor.',
    });
  }
  const chosen = device === '' ? first : cameras.find(({ index, id }) => String(index) === device || id === device);
  if (chosen !== undefined) return chosen;
  const there = cameras.map(({ index, model, id }) => `${String(index)} (${model}, ${id})`).join(', ');
  throw new SealcamError('camera-unavailable', `camera.device: there is no camera ${device}; there is ${there}`);
}
