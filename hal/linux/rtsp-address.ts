import { readFile } from 'node:fs/promises';
import { SealcamError } from '../../common/errors.js';
import { INPUT_FD } from './child.js';

const CREDENTIALS_MAX_BYTES = 1024;
/** Time without a packet after which ffmpeg ends. */
const SOCKET_TIMEOUT_US = 3_000_000;
/** A second of probing: with ffmpeg's own five the first picture would come after four seconds. */
const PROBE_MAX_BYTES = 65_536;
const PROBE_MAX_US = 1_000_000;

/** How ffmpeg learns where the camera is, and what must not be repeated of it. */
export interface RtspInput {
  /** Arguments without the address. */
  readonly args: readonly string[];
  /** The address, which ffmpeg reads from {@link INPUT_FD}. */
  readonly list: string;
  readonly redact: (text: string) => string;
}

/** Reads `user:password` from a file; an empty path is no credentials. @throws SealcamError `config-invalid-value` */
async function readCredentials(path: string): Promise<readonly [user: string, password: string] | null> {
  if (path === '') return null;
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new SealcamError('config-invalid-value', `rtsp.credentialsFile: ${path} cannot be read`, { cause });
  });
  const line = text.split(/\r?\n/)[0] ?? '';
  const colon = line.indexOf(':');
  if (colon < 1 || text.length > CREDENTIALS_MAX_BYTES) {
    throw new SealcamError(
      'config-invalid-value',
      `rtsp.credentialsFile: ${path} does not hold user:password in one line`,
    );
  }
  return [line.slice(0, colon), line.slice(colon + 1)];
}

/** Encodes what stands in a URL, and in quotes in the list. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll("'", '%27');
}

/**
 * Returns the input of ffmpeg for a camera. User and password go through a pipe: arguments of a process are public.
 * @throws SealcamError `config-invalid-value`
 */
export async function rtspInput(url: string, credentialsFile: string): Promise<RtspInput> {
  const credentials = await readCredentials(credentialsFile);
  const login = credentials === null ? '' : `${credentials.map(encoded).join(':')}@`;
  const address = `rtsp://${login}${url.slice('rtsp://'.length)}`;
  const list = [
    'ffconcat version 1.0',
    `file '${address}'`,
    'option rtsp_transport tcp',
    `option timeout ${String(SOCKET_TIMEOUT_US)}`,
    `option probesize ${String(PROBE_MAX_BYTES)}`,
    `option analyzeduration ${String(PROBE_MAX_US)}`,
    '',
  ].join('\n');
  const protocols = 'pipe,file,rtsp,tcp,rtp,udp';
  return {
    args: ['-f', 'concat', '-safe', '0', '-protocol_whitelist', protocols, '-i', `pipe:${String(INPUT_FD)}`],
    list,
    redact: redactor(credentials ?? []),
  };
}

/** Returns a function that hides these texts, in any spelling that ffmpeg prints, and the login of every address. */
function redactor(secrets: readonly string[]): (text: string) => string {
  const spellings = secrets.flatMap((secret) => [secret, encoded(secret), encodeURI(secret)]);
  const hidden = [...new Set(spellings)].filter((each) => each !== '').sort((a, b) => b.length - a.length);
  return (text) => {
    const withoutLogins = text.replaceAll(/rtsp:\/\/[^\s/]*@/g, 'rtsp://***@');
    return hidden.reduce((rest, each) => rest.replaceAll(each, '***'), withoutLogins);
  };
}
