import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { afterThisTest } from '../runner/after-test.js';
import { repository } from '../vectors.js';
import { program } from './programs.js';

export interface RtspLogin {
  readonly user: string;
  readonly password: string;
  readonly method: 'basic' | 'digest';
}

export interface RtspServerOptions {
  readonly login?: RtspLogin;
  /** From raw video to the payload; H.264 with a key unit a second if omitted. */
  readonly encoder?: string;
}

/** Sliced threads would cut each picture into slices. */
const X264 = 'x264enc tune=zerolatency speed-preset=ultrafast bframes=0 sliced-threads=false bitrate=400';

/** Returns the elements of an encoder with a key unit after this many pictures, at ten a second. */
export function h264Encoder(gop = 10): string {
  return `${X264} key-int-max=${String(gop)} ! video/x-h264,profile=baseline ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96`;
}

/** A real RTSP server (gst-rtsp-server) with a test picture of 320×180, ten a second. */
export class RtspServer {
  readonly url: string;
  private readonly child: ChildProcessWithoutNullStreams;

  private constructor(child: ChildProcessWithoutNullStreams, port: string) {
    this.child = child;
    this.url = `rtsp://127.0.0.1:${port}/cam`;
  }

  /** Starts a server, which ends with the test. */
  static async start({ login, encoder = h264Encoder() }: RtspServerOptions = {}): Promise<RtspServer> {
    const picture = 'videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=180,framerate=10/1';
    const script = join(repository, 'test', 'support', 'engines', 'rtsp_server.py');
    const loginArgs = login === undefined ? [] : [login.user, login.password, login.method];
    const child = spawn(program('rtsp'), [script, `( ${picture} ! ${encoder} )`, ...loginArgs]);
    afterThisTest(() => {
      child.kill('SIGKILL');
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const port = await new Promise<string>((resolve, reject) => {
      createInterface(child.stdout).once('line', resolve);
      child.once('close', () => {
        reject(new Error(`the RTSP server ended: ${stderr}`));
      });
    });
    return new RtspServer(child, port);
  }

  /** Ends it as a power cut does. */
  kill(): void {
    this.child.kill('SIGKILL');
  }

  /** Stops it without closing its connections. */
  stall(): void {
    this.child.kill('SIGSTOP');
  }
}
