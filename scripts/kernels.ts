/** `npm run kernels`: compiles the detector's inner loops from AssemblyScript into the TypeScript file that holds them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';
import { checkout } from './checkout.js';

const SOURCE = 'agent/capture/kernel/assembly/kernels.ts';
export const TARGET = 'agent/capture/kernel/simd-module.ts';

/** Text of the target. The same source and compiler give the same bytes. */
export async function compileKernels(): Promise<string> {
  const modules: Uint8Array[] = [];
  const options = ['--enable', 'simd', '-O3', '--runtime', 'stub', '--noAssert', '--initialMemory', '1'];
  const { error } = await asc.main([SOURCE, '--baseDir', checkout, '--outFile', 'kernels.wasm', ...options], {
    writeFile: (name, contents) => {
      if (name.endsWith('.wasm')) modules.push(contents as Uint8Array);
    },
  });
  const [module] = modules;
  if (error !== null || module === undefined) throw new Error(`the kernels do not compile: ${error?.message ?? ''}`);
  return (
    '/** Compiled from assembly/kernels.ts by `npm run kernels`: a WebAssembly module in base64. */\n' +
    `export const SIMD_MODULE =\n  '${Buffer.from(module).toString('base64')}';\n`
  );
}

if (process.argv[1]?.endsWith('kernels.js') === true) {
  const text = await compileKernels();
  writeFileSync(join(checkout, TARGET), text);
  console.log(`${TARGET}: ${String(text.length)} bytes`);
}
