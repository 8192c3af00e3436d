import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterThisTest } from '../runner/after-test.js';
import { tempFolder } from '../runner/temp.js';

/** Programs of a camera's system that are not packaged here, as shell scripts in a folder put first on PATH. */
export class StandIns {
  readonly folder = tempFolder();

  constructor() {
    const before = process.env['PATH'];
    process.env['PATH'] = `${this.folder}:${before ?? ''}`;
    afterThisTest(() => {
      process.env['PATH'] = before;
    });
  }

  /** `$here` is the folder; every call adds its arguments, one a line, to NAME.argv. */
  add(name: string, body: string): void {
    const path = join(this.folder, name);
    writeFileSync(path, `#!/bin/sh\nhere='${this.folder}'\nprintf '%s\\n' "$@" >> "$here/${name}.argv"\n${body}\n`);
    chmodSync(path, 0o755);
  }

  /** Nothing else is found, as on a machine where nothing is installed; the scripts must not need more than sh. */
  alone(): void {
    process.env['PATH'] = this.folder;
  }

  argv(name: string): string[] {
    const path = join(this.folder, `${name}.argv`);
    return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
  }

  path(name: string): string {
    return join(this.folder, name);
  }
}

/** What `rpicam-hello --list-cameras` prints, after the documentation of Raspberry Pi. */
export const HELLO_LIST = `Available cameras
-----------------
0 : imx708 [4608x2592 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx708@1a)
    Modes: 'SRGGB10_CSI2P' : 1536x864 [120.13 fps - (768, 432)/3072x1728 crop]
                             2304x1296 [56.03 fps - (0, 0)/4608x2592 crop]
                             4608x2592 [14.35 fps - (0, 0)/4608x2592 crop]
1 : imx219 [3280x2464] (/base/soc/i2c0mux/i2c@0/imx219@10)
    Modes: 'SRGGB10_CSI2P' : 640x480 [206.65 fps - (1000, 752)/1280x960 crop]
                             1640x1232 [41.85 fps - (0, 0)/3280x2464 crop]
           'SRGGB8' : 640x480 [206.65 fps - (1000, 752)/1280x960 crop]
`;
