import { SealcamError } from '../../common/errors.js';

/** The size and rate that the configuration asks for. */
export interface RequestedMode {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
}

/** One mode of a sensor. */
export interface SensorMode {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
}

export interface ListedCamera {
  readonly index: number;
  readonly model: string;
  /** The id of libcamera: a path of the device tree or of the bus. */
  readonly id: string;
  readonly modes: readonly SensorMode[];
}

/** Parses the output of `rpicam-hello --list-cameras` or `libcamera-hello`. */
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

/** Parses the output of `cam -l` of libcamera, which counts from 1 and lists no modes. */
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

const OFFERS_LISTED_MAX = 8;

/** Lists modes for an error message, at most eight of them. */
export function offerText(modes: readonly SensorMode[]): string {
  const texts = [...new Set(modes.map(modeText))];
  const more = texts.length > OFFERS_LISTED_MAX ? `, and ${String(texts.length - OFFERS_LISTED_MAX)} more` : '';
  return texts.slice(0, OFFERS_LISTED_MAX).join(', ') + more;
}

/** Makes the error `camera-unavailable` for a size and rate that the camera does not offer. */
export function notOffered(model: string, wanted: RequestedMode, offers: string): SealcamError {
  const { width, height, framesPerSecond } = wanted;
  return new SealcamError(
    'camera-unavailable',
    `${model} does not offer ${modeText({ width, height, framesPerSecond })} frames a second; it offers ${offers}`,
    { hint: 'Set camera.width, camera.height and camera.framesPerSecond to what it offers.' },
  );
}

/**
 * Checks that a sensor offers a size and rate. An image processor scales every mode down, so smaller sizes count too.
 * @throws SealcamError `camera-unavailable`
 */
export function checkModes({ model, modes }: ListedCamera, wanted: RequestedMode): void {
  if (modes.length === 0) return;
  const fits = modes.some(
    ({ width, height, framesPerSecond }) =>
      width >= wanted.width && height >= wanted.height && framesPerSecond >= wanted.framesPerSecond,
  );
  if (!fits) throw notOffered(model, wanted, `up to ${offerText(modes)}`);
}

/** Returns the camera that `device` names by number or id; empty for the first. @throws SealcamError `camera-unavailable` */
export function chooseCamera(cameras: readonly ListedCamera[], device: string): ListedCamera {
  const [first] = cameras;
  if (first === undefined) {
    throw new SealcamError('camera-unavailable', 'libcamera finds no camera', {
      hint: 'Check both ends of the ribbon cable, and that the boot configuration names the sensor.',
    });
  }
  const chosen = device === '' ? first : cameras.find(({ index, id }) => String(index) === device || id === device);
  if (chosen !== undefined) return chosen;
  const there = cameras.map(({ index, model, id }) => `${String(index)} (${model}, ${id})`).join(', ');
  throw new SealcamError('camera-unavailable', `camera.device: there is no camera ${device}; there is ${there}`);
}
