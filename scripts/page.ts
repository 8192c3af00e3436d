/** `npm run page`: builds the owner's page into static files. */
import { buildPage } from './build-page.js';
import { runCommand } from './command.js';

const HELP = `npm run page -- --cloud ORIGIN --out FOLDER

Builds the owner's page into static files for any web server.

  --cloud ORIGIN   origin of the cloud's API, such as https://cloud.example; the page may connect to no other.
                   Without it: the origin that serves the page.
  --out FOLDER     where the files go; default dist/page
  --help           print this text

The cloud must know the page's origin: http.pageOrigins in docs/configuration.md. docs/cloud.md lists the headers to send.
Exit status: 0 built, 1 the build failed, 2 wrong usage.
`;

await runCommand({
  name: 'page',
  help: HELP,
  options: {
    cloud: { type: 'string', default: '' },
    out: { type: 'string', default: 'dist/page' },
  },
  readOptions: (values) => values,
  main: async ({ cloud, out }) => {
    await buildPage({ outFolder: out, cloudOrigin: cloud, demo: false });
    process.stdout.write(`the page is in ${out}\n`);
    return 0;
  },
});
