/** Writes the pages of docs/ that are made of the code itself; a test fails when they are out of date. */
import { writeFileSync } from 'node:fs';
import { protocolCddl } from './docs/cddl.js';
import { storeContractPage } from './docs/store-contract.js';
import { configurationPage, errorsPage } from './docs/tables.js';

export const GENERATED: Readonly<Record<string, () => string>> = {
  'docs/protocol.cddl': protocolCddl,
  'docs/configuration.md': configurationPage,
  'docs/errors.md': errorsPage,
  'docs/store-contract.md': storeContractPage,
};

if (process.argv[1]?.endsWith('generate-docs.js') === true) {
  for (const [path, make] of Object.entries(GENERATED)) {
    writeFileSync(path, make());
    console.log(`wrote ${path}`);
  }
}
