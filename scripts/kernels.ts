/**
 * `npm run kernels`: compiles the detector's inner loops from AssemblyScript into the TypeScript file that holds them.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkout } from './checkout.js';
import { isProgram, runCommand } from './command.js';

const HELP = `npm run kernels

Compiles the detector's inner loops to WebAssembly and writes them into agent/capture/detect/kernel/simd-module.ts.

  --help    print this text

Exit status: 0 written, 1 they do not compile, 2 wrong usage.
`;

const SOURCE = 'agent/capture/detect/kernel/assembly/kernels.ts';
export const TARGET = 'agent/capture/detect/kernel/simd-module.ts';
/** Run as a command: importing it would bring in declarations that redefine arrays for every file of ours. */
const COMPILER = join('node_modules', 'assemblyscript', 'bin', 'asc.js');
const OPTIONS = ['--enable', 'simd', '-O3', '--runtime', 'stub', '--noAssert', '--initialMemory', '1'];

/**
 * Returns the text of the target file. The same source and compiler give the same bytes. @throws Error that holds the
 * compiler's output
 */
export function compileKernels(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sealcam-kernels-'));
  try {
    const out = join(folder, 'kernels.wasm');
    const args = [join(checkout, COMPILER), SOURCE, '--baseDir', checkout, '--outFile', out, ...OPTIONS];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: checkout, encoding: 'utf8' });
    if (status !== 0) throw new Error(`the kernels do not compile: ${stderr}`);
    return (
      '/** Compiled from assembly/kernels.ts by `npm run kernels`: a WebAssembly module in base64. */\n' +
      `export const SIMD_MODULE =\n  '${readFileSync(out).toString('base64')}';\n`
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (isProgram(import.meta.url)) {
  await runCommand({
    name: 'kernels',
    help: HELP,
    options: {},
    readOptions: (values) => values,
    main: () => {
      const text = compileKernels();
      writeFileSync(join(checkout, TARGET), text);
      process.stdout.write(`${TARGET}: ${String(text.length)} bytes\n`);
      return 0;
    },
  });
}
