#!/usr/bin/env node
/**
 * `npm run image`: builds the camera's image for armv7 and its SBOM in dist/image, and prints their sizes. Needs root on
 * Debian and Node 20; installs the tools it needs.
 */
import { join } from 'node:path';
import { statSync } from 'node:fs';
import { makeImage, publish } from './armv7/image.mjs';
import { must, Obstacle, prepareMachine } from './armv7/machine.mjs';
import { makeProgram } from './armv7/program.mjs';
import { makeRoot } from './armv7/root.mjs';
import { bootstrap, root } from './bootstrap.mjs';
import { helpOnly } from './tasks/help.mjs';
import { printProgress } from './tasks/process.mjs';

helpOnly(`npm run image

Builds the camera's image for armv7 and its SBOM in dist/image, and prints their sizes. Needs root on Debian and Node 20;
installs the tools it needs.

  --help    print this text

Exit status: 0 done, 4 something outside is missing.
`);

try {
  await prepareMachine();
  await bootstrap();
  const [base, program] = await Promise.all([makeRoot(root), makeProgram()]);
  const { folder, rootfs, archive } = await makeImage(base, program);
  const target = publish([archive, join(folder, 'sbom.cdx.json')]);
  const mib = (bytes) => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
  const unpacked = async (path) => mib(1024 * Number((await must('du', ['-sk', path])).output.split('\t')[0]));
  console.log(`${target}/sealcam-armv7.tar  ${mib(statSync(archive).size)}`);
  console.log(
    `unpacked ${await unpacked(rootfs)}, of it sealcam ${await unpacked(join(rootfs, 'usr', 'lib', 'sealcam'))}`,
  );
} catch (error) {
  if (!(error instanceof Obstacle)) throw error;
  printProgress(`image: ${error.message}`);
  process.exitCode = 4;
}
