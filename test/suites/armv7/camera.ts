import { once } from 'node:events';
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { limitMs } from '../../support/runner/speed.js';
import type { WholeWay } from '../../support/worlds/whole-way.js';
import { imageConfig, inImage, startInImage, type Run } from './support.js';

export interface LogLine {
  readonly msg?: string;
  readonly level?: string;
  readonly [field: string]: unknown;
}

/** Makes a folder that belongs to the image's user, as a runtime makes a volume. */
export function volume(parent: string, name: string): string {
  const folder = join(parent, name);
  mkdirSync(folder, { mode: 0o700 });
  const [uid, gid] = imageConfig.User.split(':').map(Number);
  chownSync(folder, uid ?? 0, gid ?? 0);
  return folder;
}

/** The image's agent, started by the image's entry point; not yet claimed. */
export class ImageCamera {
  readonly log: LogLine[] = [];
  readonly device: string;
  readonly code: string;
  private readonly child: ReturnType<typeof startInImage>;
  private readonly closed: Promise<unknown>;

  private constructor(run: Run, identity: { readonly device: string; readonly claim_code: string }) {
    this.device = identity.device;
    this.code = identity.claim_code;
    this.child = startInImage([...imageConfig.Entrypoint, ...imageConfig.Cmd], run);
    this.closed = once(this.child, 'close');
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (text) => {
        this.log.push(parse(text));
      });
    }
  }

  static async start(way: WholeWay, run: Run): Promise<ImageCamera> {
    const environment = {
      SEALCAM_UPLINK_URL: `mqtt://127.0.0.1:${String(way.broker.port)}`,
      SEALCAM_UPLINK_INITIAL_WINDOW: '1 s',
      SEALCAM_LOG_LEVEL: 'debug',
      ...run.environment,
    };
    const keys = await inImage([...imageConfig.Entrypoint, 'keygen', '--json'], { ...run, environment });
    if (keys.status !== 0) throw new Error(`keygen: ${keys.stderr}${keys.stdout.toString()}`);
    const identity = JSON.parse(keys.stdout.toString()) as { device: string; claim_code: string };
    const camera = new ImageCamera({ ...run, environment }, identity);
    way.keep(camera);
    return camera;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  logged(message: string): readonly LogLine[] {
    return this.log.filter(({ msg }) => msg === message);
  }

  /** Stops it as a runtime does: SIGTERM, and SIGKILL where that does not end it. */
  async stop(): Promise<void> {
    if (!this.isRunning) return;
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), limitMs(20_000));
    await this.closed;
    clearTimeout(timer);
  }
}

function parse(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return { level: 'raw', msg: text };
  }
}
