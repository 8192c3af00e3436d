import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root folder of the checkout, whether this runs from source or from dist/. */
export const checkout = join(dirname(fileURLToPath(import.meta.url)), '..').replace(/\/dist$/, '');
