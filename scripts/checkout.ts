import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout, from source or from dist/. */
export const checkout = join(dirname(fileURLToPath(import.meta.url)), '..').replace(/\/dist$/, '');
