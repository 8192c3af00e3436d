import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterThisTest } from '../runner/after-test.js';
import { tempFolder } from '../runner/temp.js';

/** Stand-ins for programs of a camera's system: shell scripts in a folder that comes first on PATH. */
export class StandIns {
  readonly folder = tempFolder();

  constructor() {
    const before = process.env['PATH'];
    process.env['PATH'] = `${this.folder}:${before ?? ''}`;
    afterThisTest(() => {
      process.env['PATH'] = before;
    });
  }

  /** Adds a program. Its script finds the folder in `$here`; every call appends its arguments to NAME.argv, one a line. */
  add(name: string, body: string): void {
    const path = join(this.folder, name);
    writeFileSync(path, `#!/bin/sh\nhere='${this.folder}'\nprintf '%s\\n' "$@" >> "$here/${name}.argv"\n${body}\n`);
    chmodSync(path, 0o755);
  }

  /** Hides all other programs, as on a machine where nothing is installed; scripts may then use only sh. */
  alone(): void {
    process.env['PATH'] = this.folder;
  }

  /** Returns the arguments of all calls of a program so far. */
  argv(name: string): string[] {
    const path = join(this.folder, `${name}.argv`);
    return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
  }

  /** Returns the path of a file in the folder. */
  path(name: string): string {
    return join(this.folder, name);
  }
}

/** Output of `rpicam-hello --list-cameras`, from the documentation of Raspberry Pi. */
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
