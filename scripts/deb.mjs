#!/usr/bin/env node
/**
 * `npm run deb`: builds the package for armhf in dist/image, checks its units with systemd and prints their exposure. Needs
 * root on Debian and Node 20; installs the tools it needs.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { makeDeb } from './armv7/deb.mjs';
import { publish } from './armv7/image.mjs';
import { Obstacle, prepareMachine } from './armv7/machine.mjs';
import { makeProgram } from './armv7/program.mjs';
import { checkUnits } from './armv7/units.mjs';
import { bootstrap } from './bootstrap.mjs';
import { helpOnly } from './tasks/help.mjs';
import { printProgress } from './tasks/process.mjs';

helpOnly(`npm run deb

Builds the package for armhf in dist/image, checks its units with systemd and prints their exposure. Needs root on Debian
and Node 20; installs the tools it needs.

  --help    print this text

Exit status: 0 done, 1 a unit has complaints, 4 something outside is missing.
`);

try {
  await prepareMachine();
  await bootstrap();
  const { path } = await makeDeb(await makeProgram());
  const units = await checkUnits(path);
  const target = publish([path]);
  console.log(`${join(target, path.split('/').at(-1))}  ${(statSync(path).size / 1024 ** 2).toFixed(1)} MiB`);
  for (const { name, exposure, complaints } of units) {
    console.log(`${name}  exposure ${exposure}${complaints === '' ? '' : `\n${complaints}`}`);
    if (complaints !== '') process.exitCode = 1;
  }
} catch (error) {
  if (!(error instanceof Obstacle)) throw error;
  printProgress(`deb: ${error.message}`);
  process.exitCode = 4;
}
