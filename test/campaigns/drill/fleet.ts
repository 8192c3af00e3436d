import type { CameraReport, FleetProcedures, Started } from './fleet-process.js';
import { Remote } from '../common/remote.js';

export interface FleetSettings {
  readonly cameras: number;
  readonly processes: number;
  readonly folder: string;
  readonly brokerPort: number;
  /** `uplink.initialWindow` of every camera. */
  readonly windowMs: number;
  readonly uploadUrl: string;
}

/** Clips cost as much as the rest, and a fleet has cameras without them: every third films. */
const FILMING_EVERY = 3;
/** In a smaller fleet than this all film: few make no crowd. */
const ALL_FILM_BELOW = 12;

/** All cameras of the drill, spread over several processes. */
export class Fleet {
  private readonly processes: readonly Remote<FleetProcedures>[];
  private readonly settings: FleetSettings;

  constructor(settings: FleetSettings) {
    this.settings = settings;
    const count = Math.min(settings.processes, settings.cameras);
    this.processes = Array.from(
      { length: count },
      (_, i) => new Remote<FleetProcedures>(new URL('./fleet-process.js', import.meta.url), `fleet ${String(i + 1)}`),
    );
  }

  async start(): Promise<readonly Started[]> {
    const { cameras, ...setup } = this.settings;
    const { processes } = this;
    const started = await Promise.all(
      processes.map((process, i) => {
        const own = Array.from({ length: cameras }, (_, camera) => camera).filter((n) => n % processes.length === i);
        const filming = own.filter((n) => cameras < ALL_FILM_BELOW || n % FILMING_EVERY === 1);
        return process.call('start', { ...setup, cameras: own, filming });
      }),
    );
    return started.flat().sort((a, b) => a.camera - b.camera);
  }

  /** Makes one event at every camera. */
  async walkBy(seed: number): Promise<void> {
    await Promise.all(this.processes.map((process, i) => process.call('walkBy', seed * 100 + i)));
  }

  /** Starts every second camera again. */
  async restart(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.call('restart', null)));
  }

  async drop(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.call('drop', null)));
  }

  async report(): Promise<readonly CameraReport[]> {
    return (await Promise.all(this.processes.map((process) => process.call('report', null)))).flat();
  }

  async stop(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.call('stop', null)));
  }

  async kill(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.kill()));
  }
}
