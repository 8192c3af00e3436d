/** `npm run docs`: writes the pages of docs/ that are generated from code. A test fails when they are out of date. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from './checkout.js';
import { isProgram, runCommand } from './command.js';
import { protocolCddl, protocolCddlV2 } from './docs/cddl.js';
import { openApiDocument } from './docs/openapi.js';
import { storeContractPage } from './docs/store-contract.js';
import { configurationPage, errorsPage } from './docs/tables.js';

/** Content of each generated page, by its path from the checkout's root. */
export const GENERATED: Readonly<Record<string, () => string | Promise<string>>> = {
  'docs/protocol.cddl': protocolCddl,
  'docs/protocol-v2.cddl': protocolCddlV2,
  'docs/configuration.md': configurationPage,
  'docs/errors.md': errorsPage,
  'docs/store-contract.md': storeContractPage,
  'docs/openapi.json': openApiDocument,
};

const HELP = `npm run docs

Writes the pages that are generated from code: ${Object.keys(GENERATED).join(', ')}.

  --help    print this text

Exit status: 0 written, 2 wrong usage.
`;

if (isProgram(import.meta.url)) {
  await runCommand({
    name: 'docs',
    help: HELP,
    options: {},
    readOptions: (values) => values,
    main: async () => {
      for (const [path, make] of Object.entries(GENERATED)) {
        writeFileSync(join(checkout, path), await make());
        process.stdout.write(`wrote ${path}\n`);
      }
      return 0;
    },
  });
}
