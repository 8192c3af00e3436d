import type { Kernels } from './kernels.js';
import { layoutOf, type Layout } from './layout.js';
import { SIMD_MODULE } from './simd-module.js';

/** The part of WebAssembly that is used here; TypeScript declares it for browsers only. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

interface Exports extends Pick<Kernels, 'shrink4' | 'smooth' | 'sumTiles' | 'remember' | 'findRanges'> {
  readonly memory: { readonly buffer: ArrayBuffer; readonly grow: (pages: number) => void };
  readonly subtract: Kernels['subtract'];
  readonly classify: Kernels['classify'];
  readonly denoise: Kernels['denoise'];
  readonly learn: Kernels['learn'];
}

type Globals = Readonly<Record<string, { value: number }>>;

const WASM_PAGE_BYTES = 65_536;
/** The compiler may keep data of its own below this address. */
const PLANES_FROM_BYTE = 1024;

/** Returns the kernels in eight lanes. @throws where WebAssembly or its SIMD instructions are missing */
export function simdKernels(): Kernels {
  const api = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }).WebAssembly;
  const { exports } = new api.Instance(new api.Module(Buffer.from(SIMD_MODULE, 'base64')));
  const kernels = exports as Exports;
  const globals = exports as Globals;
  return {
    name: 'simd',
    ...kernels,
    place: (width, height, sourcePixels) => {
      const layout = layoutOf(width, height, sourcePixels, PLANES_FROM_BYTE);
      const missing = layout.bytes - kernels.memory.buffer.byteLength;
      if (missing > 0) kernels.memory.grow(Math.ceil(missing / WASM_PAGE_BYTES));
      const memory = kernels.memory.buffer;
      new Uint8Array(memory).fill(0);
      for (const [name, value] of Object.entries(numbersOf(layout))) {
        const global = globals[name];
        if (global !== undefined) global.value = value;
      }
      return { layout, memory };
    },
  };
}

function numbersOf(layout: Layout): Readonly<Record<string, number>> {
  return { ...layout, tiles: layout.tilesX * layout.tilesY };
}
