import { parseArgs } from 'node:util';
import { buildPage } from './build-page.js';

const HELP = `npm run page -- --cloud ORIGIN --out FOLDER

Builds the owner's page into static files for any web server.

  --cloud ORIGIN   origin of the cloud's API, as https://cloud.example; the page may talk to nobody else.
                   Without it: the origin that serves the page.
  --out FOLDER     where the files go; default dist/page

Let the cloud know the page's origin: http.pageOrigins in docs/configuration.md. docs/cloud.md has the headers to send.
`;

const { values } = parseArgs({
  options: {
    cloud: { type: 'string', default: '' },
    out: { type: 'string', default: 'dist/page' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
} else {
  await buildPage({ outFolder: values.out, cloudOrigin: values.cloud, demo: false });
  process.stdout.write(`the page is in ${values.out}\n`);
}
