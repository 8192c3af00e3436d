import type { Counters } from '../../common/counters.js';
import { authorityOf, bareHost } from '../../common/address.js';
import type { ErrorCode } from '../../common/error-codes.js';
import { asSealcamError, isSealcamError, SealcamError, systemCode } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import * as v from '../../common/schema.js';
import { VERSION } from '../../common/version.js';
import { countRefused } from '../alarms/shares.js';
import { FaultLog } from '../alarms/fault-log.js';
import { accountRoutes } from './account-routes.js';
import { alarmRoutes } from './alarm-routes.js';
import type { ApiContext } from './context.js';
import { claimRoutes } from './claim-routes.js';
import { commandRoutes } from './command-routes.js';
import { deletionRoutes } from './deletion-routes.js';
import { cors, fastify, rateLimit, swagger, type FastifyInstance } from './fastify.js';
import { headsRoutes } from './heads-routes.js';
import { settingsRoutes } from './settings-routes.js';
import { describedRoute } from './openapi.js';
import { kemKeyRoutes } from './kem-key-routes.js';
import { lookRoutes } from './look-routes.js';
import { mediaRoutes } from './media-routes.js';
import { receiptRoutes } from './receipt-routes.js';
import { pushRoutes } from './push-routes.js';
import { recordRoutes } from './record-routes.js';
import { revocationRoutes } from './revocation-routes.js';
import { sessionRoutes } from './session-routes.js';
import { addressShare } from '../../common/adapters/address-share.js';
import { HTTP_LIMITS, networks, Share, type HttpLimits } from './shares.js';
import { streamRoutes } from './stream-routes.js';

export interface ServerSettings {
  readonly host: string;
  readonly port: number;
  readonly pageOrigins: readonly string[];
  readonly requestsPerMinute: number;
  /** Addresses and networks whose X-Forwarded-For is believed; omitted: none. */
  readonly trustedProxies?: readonly string[];
  readonly limits?: HttpLimits;
}

const BODY_MAX_BYTES = 64 * 1024;
/** Addresses whose requests are counted; the one that was silent for longest is forgotten first. */
const ADDRESSES_COUNTED_MAX = 100_000;

/** How long a browser keeps the answer to a preflight: the most that Chromium accepts. */
const PREFLIGHT_MAX_AGE_S = 7200;

/** HTTP status by error code; 500 for every other code. */
const HTTP_STATUS: Partial<Record<ErrorCode, number>> = {
  'request-invalid': 400,
  malformed: 400,
  'bad-signature': 400,
  unsupported: 400,
  foreign: 403,
  'claim-refused': 409,
  'claim-downgrade': 409,
  'kem-key': 400,
  'session-refused': 401,
  'not-found': 404,
  'length-required': 411,
  'upload-cut': 408,
  'too-large': 413,
  'rate-limited': 429,
  'store-unavailable': 503,
  'broker-unreachable': 503,
  'reads-paused': 503,
  'revocation-stale': 503,
  'revocation-rollback': 409,
  'account-marked': 403,
  'statement-refused': 409,
};

/** Builds the HTTP API: JSON, bearer tokens, CORS by allow-list, and an OpenAPI description at /v1/openapi.json. */
export async function buildServer(context: ApiContext, settings: ServerSettings): Promise<FastifyInstance> {
  const { trustedProxies = [], limits = HTTP_LIMITS } = settings;
  const app = fastify({
    logger: false,
    bodyLimit: BODY_MAX_BYTES,
    routerOptions: { ignoreTrailingSlash: true },
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    requestTimeout: limits.requestWithinMs,
    http: { headersTimeout: limits.headersWithinMs, connectionsCheckingInterval: limits.checkIntervalMs },
  });
  limitConnections(app, context.counters, limits, networks(trustedProxies));
  app.setValidatorCompiler(({ schema }) => validate(schema as v.GenericSchema));
  app.setSerializerCompiler(
    ({ schema }) =>
      (value) =>
        JSON.stringify(v.parse(schema as v.GenericSchema, value)),
  );
  // A page that has no session yet sends JSON as text: a browser asks no leave for that (Fetch, CORS-safelisted), which
  // spares a round trip. Every other request names its session in a header, for which it does ask.
  app.addContentTypeParser('text/plain', { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'));
  await app.register(rateLimit, {
    max: settings.requestsPerMinute,
    timeWindow: 60_000,
    cache: ADDRESSES_COUNTED_MAX,
    keyGenerator: ({ ip }) => addressShare(ip),
    errorResponseBuilder: () => new SealcamError('rate-limited', 'too many requests from this address'),
    onExceeded: () => {
      countRefused(context.counters, 'requests');
    },
  });
  await app.register(cors, {
    origin: [...settings.pageOrigins],
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type', 'last-event-id', 'range'],
    exposedHeaders: ['content-range'],
    credentials: false,
    maxAge: PREFLIGHT_MAX_AGE_S,
  });
  await app.register(swagger, {
    openapi: {
      info: {
        title: 'sealcam cloud',
        version: VERSION,
        description: "The events API for owners' pages. Cameras sign every record: verify it, do not trust this API.",
        license: { name: 'Apache-2.0' },
      },
      components: { securitySchemes: { session: { type: 'http', scheme: 'bearer' } } },
    },
    transform: ({ schema, url, route }) => ({
      schema: describedRoute({ method: String(route.method), url, schema }, (code) => HTTP_STATUS[code] ?? 500),
      url,
    }),
  });
  const faults = new FaultLog(context.clock, context.log);
  app.setErrorHandler((error, _request, reply) => {
    const known = knownError(error);
    if (!isExpected(known)) {
      context.counters.add(`api.${known.code}`);
      faults.error(known.code, {}, known.message);
    }
    return reply
      .status(HTTP_STATUS[known.code] ?? 500)
      .header('content-type', 'application/json; charset=utf-8')
      .serializer(JSON.stringify)
      .send({ error: { code: known.code, message: known.message, hint: known.hint } });
  });
  app.setNotFoundHandler((_request, reply) =>
    reply
      .status(404)
      .serializer(JSON.stringify)
      .send({ error: { code: 'not-found', message: 'there is no such path', hint: 'See /v1/openapi.json.' } }),
  );
  app.addHook('onSend', async (_request, reply) => {
    // An answer is for one session: no proxy or browser may cache it.
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    await Promise.resolve();
  });
  app.get('/healthz', { schema: { hide: true } }, () => ({ ok: true, version: VERSION }));
  // The reason is for the operator, whose page has it; anybody reaches this one.
  app.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
    const isReady = (await context.notReady()) === null;
    return reply.status(isReady ? 200 : 503).send({ ready: isReady });
  });
  app.get('/v1/openapi.json', { schema: { hide: true } }, () => app.swagger());
  sessionRoutes(app, context);
  claimRoutes(app, context);
  kemKeyRoutes(app, context);
  commandRoutes(app, context);
  recordRoutes(app, context);
  receiptRoutes(app, context);
  await mediaRoutes(app, context);
  streamRoutes(app, context, limits);
  lookRoutes(app, context, limits);
  accountRoutes(app, context);
  deletionRoutes(app, context);
  headsRoutes(app, context);
  settingsRoutes(app, context);
  pushRoutes(app, context);
  alarmRoutes(app, context);
  revocationRoutes(app, context);
  return app;
}

/** Closes connections above an address's share, and counts requests that did not arrive in time, which Node closes. */
function limitConnections(
  app: FastifyInstance,
  counters: Counters,
  limits: HttpLimits,
  isProxy: (address: string) => boolean,
): void {
  const share = new Share('connections-per-address', limits.connectionsPerAddress, counters);
  app.server.on('connection', (socket) => {
    const address = socket.remoteAddress ?? '';
    if (isProxy(address)) return;
    const release = share.acquire(addressShare(address));
    if (release === null) socket.destroy();
    else socket.once('close', release);
  });
  app.server.on('clientError', (error) => {
    if (systemCode(error) === 'ERR_HTTP_REQUEST_TIMEOUT') countRefused(counters, 'slow-requests');
  });
}

function validate(schema: v.GenericSchema): (value: unknown) => { value: unknown } | { error: Error } {
  return (value) => {
    const result = v.safeParse(schema, value);
    if (result.success) return { value: result.output };
    return { error: new SealcamError('request-invalid', v.whatIsWrong(result.issues, 'request')) };
  };
}

function knownError(error: unknown): SealcamError {
  if (isSealcamError(error)) return error;
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined;
  if (status === 413) return new SealcamError('too-large', `a body over ${String(BODY_MAX_BYTES)} bytes`);
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new SealcamError('request-invalid', error instanceof Error ? error.message : 'invalid request');
  }
  return asSealcamError(error);
}

/** Whether the code is part of normal operation, so that it is neither counted nor logged as a fault. */
function isExpected({ code }: SealcamError): boolean {
  return code === 'reads-paused' || code === 'revocation-stale' || (HTTP_STATUS[code] ?? 500) < 500;
}

/**
 * Listens; resolves with the port.
 *
 * @throws SealcamError `port-in-use`
 */
export async function listen(app: FastifyInstance, { host, port }: ServerSettings, log: Log): Promise<number> {
  try {
    await app.listen({ host: bareHost(host), port });
  } catch (error) {
    const code = systemCode(error) === 'EADDRINUSE' ? 'port-in-use' : 'internal';
    throw new SealcamError(code, `http on ${authorityOf(host, port)}: ${asSealcamError(error).message}`, {
      cause: error,
    });
  }
  const address = app.server.address();
  const actual = typeof address === 'object' && address !== null ? address.port : port;
  log.info({ host, port: actual }, 'the API is listening');
  return actual;
}
