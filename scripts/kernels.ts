/** `npm run kernels`: compiles the detector's inner loops from AssemblyScript into the TypeScript file that holds them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkout } from './checkout.js';

const SOURCE = 'agent/capture/detect/kernel/assembly/kernels.ts';
export const TARGET = 'agent/capture/detect/kernel/simd-module.ts';
/** As a command, not imported: its declarations redefine what an array is, for every file of ours. */
const COMPILER = join('node_modules', 'assemblyscript', 'bin', 'asc.js');
const OPTIONS = ['--enable', 'simd', '-O3', '--runtime', 'stub', '--noAssert', '--initialMemory', '1'];

/** Text of the target. The same source and compiler give the same bytes. */
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

if (process.argv[1]?.endsWith('kernels.js') === true) {
  const text = compileKernels();
  writeFileSync(join(checkout, TARGET), text);
  console.log(`${TARGET}: ${String(text.length)} bytes`);
}
