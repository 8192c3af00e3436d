import { fromHex, toBase64, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { accountId, ID_BYTES } from '../../protocol/objects/ids.js';
import type { ApiContext } from './context.js';
import type { FastifyInstance } from './fastify.js';
import { HouseholdReader } from './household-reader.js';
import { decoded, settingsAnswer, settingsBody } from './wire.js';

const security = [{ session: [] }];
/** Room for an object in base64 inside JSON. */
const BODY_MAX_BYTES = 2 * LIMITS.settingsMaxBytes;

const REFUSED = {
  'unknown-parent': 'a parent is not here, or the version is not one above those of the parents',
  full: 'as many objects of this household stand side by side as may: merge them first',
} as const;

/** Relays what the browsers of a household share, sealed to them. */
export function settingsRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store, suite, clock, sessions, reader } = context;
  const households = new HouseholdReader(context);

  app.put<{ Body: { account: string; settings: string } }>(
    '/v1/settings',
    {
      bodyLimit: BODY_MAX_BYTES,
      schema: { summary: 'Store signed, sealed settings of a household', security, body: settingsBody },
    },
    async ({ headers, body }, reply) => {
      const session = sessions.of(headers.authorization);
      await reader.requireUnmarked(accountId(suite, session.key));
      const account = fromHex(body.account, ID_BYTES) ?? new Uint8Array(0);
      const settings = await households.open(session, account, decoded(body.settings));
      const outcome = await store.settings.put(settings, clock.wallMs());
      if (outcome === 'too-often') throw new SealcamError('rate-limited', 'as many settings came as may in a minute');
      if (outcome !== 'stored') {
        throw new SealcamError('statement-refused', REFUSED[outcome], {
          hint: 'Fetch the settings that are there, merge them, and sign again.',
        });
      }
      await reply.status(204).send();
    },
  );

  app.get(
    '/v1/settings',
    {
      schema: {
        summary: 'The newest signed, sealed settings of each of your households',
        security,
        response: { 200: settingsAnswer },
      },
    },
    async ({ headers }) => {
      const session = sessions.of(headers.authorization);
      const found = await households.settingsFor(session);
      return {
        households: found.map(({ account, settings }) => ({
          account: toHex(account),
          settings: settings.map(toBase64),
        })),
      };
    },
  );
}
