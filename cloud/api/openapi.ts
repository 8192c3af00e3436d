import { toJsonSchema } from '@valibot/to-json-schema';
import { ERROR_CODES, type ErrorCode } from '../../common/error-codes.js';
import type * as v from '../../common/schema.js';
import { errorAnswer } from './wire.js';

/** The OpenAPI description of the routes: their schemas as JSON Schema, the errors that they answer, and examples. */

type Json = Readonly<Record<string, unknown>>;

const EXAMPLE_TIME_MS = 1_771_234_860_000;
const EXAMPLE_BASE64 = 'hEOhASegQaBYQA==';
const NO_CONTENT = { type: 'null', description: 'no content' };

/** Answers of other types than JSON, by path, or by method and path. */
const OTHER_ANSWERS: Readonly<Record<string, readonly [type: string, description: string]>> = {
  '/v1/cameras/:device/:epoch/media/:id': ['application/cbor', 'CBOR [header, body] of a sealed object'],
  'GET /v1/media/:device/:epoch/:hash': ['application/octet-stream', 'the sealed body; 206 with a Range header'],
  'PUT /v1/media/:device/:epoch/:hash': ['application/cose', 'a signed media receipt'],
  '/v1/account/export': ['application/x-ndjson', 'one JSON object a line: export, claim, record, access'],
  'POST /v1/devices/:device/looks': ['application/octet-stream', 'frames of live messages'],
  '/v1/stream': ['text/event-stream', 'events ready, record, camera, notice, paused'],
};

/** Status of an answer without content, by method and path. */
const EMPTY_ANSWERS: Readonly<Record<string, number>> = {
  'POST /v1/devices/:device/offer-request': 202,
  'POST /v1/alarms': 202,
};

/** Refusals of single routes, besides those of every route. */
const REFUSALS: Readonly<Record<string, readonly ErrorCode[]>> = {
  'GET /v1/devices/:device/offer': ['not-found'],
  'POST /v1/devices/:device/offer-request': ['not-found'],
  'POST /v1/devices/:device/commands': ['not-found'],
  'POST /v1/devices/:device/looks': ['malformed', 'bad-signature', 'not-found', 'broker-unreachable'],
  'POST /v1/devices/:device/looks/renewals': ['malformed', 'bad-signature', 'not-found'],
  'POST /v1/claims': ['foreign', 'claim-refused', 'claim-downgrade', 'kem-key'],
  'POST /v1/claims/accepted': ['foreign', 'claim-refused', 'kem-key'],
  'GET /v1/cameras/:device/:epoch/records': ['not-found'],
  'GET /v1/cameras/:device/:epoch/media/:id': ['not-found'],
  'GET /v1/cameras/:device/:epoch/kem-keys': ['not-found'],
  'GET /v1/devices/:device/epochs/:epoch/periods/:period': ['not-found'],
  'PUT /v1/kem-keys/:hash': ['kem-key'],
  'GET /v1/kem-keys/:hash': ['not-found'],
  'GET /v1/media/:device/:epoch/:hash': ['not-found'],
  'PUT /v1/media/:device/:epoch/:hash': ['malformed', 'not-found', 'length-required', 'too-large', 'upload-cut'],
  'POST /v1/deletions': ['foreign', 'statement-refused'],
  'POST /v1/deletions/undo': ['foreign', 'not-found'],
  'DELETE /v1/account': ['foreign', 'statement-refused'],
  'POST /v1/account/restore': ['foreign', 'not-found'],
  'PUT /v1/push': ['unsupported', 'foreign'],
  'POST /v1/heads': ['foreign', 'statement-refused'],
  'PUT /v1/settings': ['foreign', 'statement-refused'],
  'POST /v1/revocations': ['foreign', 'revocation-rollback'],
  'POST /v1/session': ['session-refused'],
};

export interface RouteOfApi {
  readonly method: string;
  readonly url: string;
  readonly schema: unknown;
}

/** Returns a route's schemas for the description; `statusOf` gives the HTTP status of an error code. */
export function describedRoute({ method, url, schema }: RouteOfApi, statusOf: (code: ErrorCode) => number): object {
  const given = typeof schema === 'object' && schema !== null ? (schema as Json) : {};
  if (given['hide'] === true) return given;
  const { body, params, querystring, response = {}, ...rest } = given;
  const answers = Object.entries(response as Json).map(
    ([status, value]) => [status, { description: 'done', ...withExample(value) }] as const,
  );
  const codes: ErrorCode[] = [
    ...(body === undefined && params === undefined && querystring === undefined ? [] : ['request-invalid' as const]),
    ...(body === undefined ? [] : ['too-large' as const]),
    ...('security' in given ? ['session-refused' as const] : []),
    ...(REFUSALS[`${method} ${url}`] ?? []),
    'rate-limited',
    'store-unavailable',
  ];
  return {
    ...rest,
    ...(body === undefined ? {} : { body: withExample(body) }),
    ...(params === undefined ? {} : { params: jsonSchema(params, 'output') }),
    ...(querystring === undefined ? {} : { querystring: jsonSchema(querystring, 'output') }),
    response: {
      ...(answers.length > 0 ? Object.fromEntries(answers) : answerWithoutSchema(method, url)),
      ...errorAnswers(codes, statusOf),
    },
  };
}

function answerWithoutSchema(method: string, url: string): object {
  const other = OTHER_ANSWERS[`${method} ${url}`] ?? OTHER_ANSWERS[url];
  if (other === undefined) return { [EMPTY_ANSWERS[`${method} ${url}`] ?? 204]: NO_CONTENT };
  const [type, description] = other;
  return { 200: { description, content: { [type]: { schema: { type: 'string', format: 'binary' } } } } };
}

/** One answer for each status, with an example of each code that has it. */
function errorAnswers(codes: readonly ErrorCode[], statusOf: (code: ErrorCode) => number): object {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) byStatus.set(statusOf(code), [...(byStatus.get(statusOf(code)) ?? []), code]);
  const entries = [...byStatus].map(([status, ofStatus]) => {
    const [first = 'internal'] = ofStatus;
    const example = { error: { code: first, message: 'what was wrong', hint: ERROR_CODES[first].hint } };
    const schema = { ...jsonSchema(errorAnswer), examples: [example] };
    return [status, { description: ofStatus.join(', '), ...schema }] as const;
  });
  return Object.fromEntries(entries);
}

function withExample(value: unknown): object {
  const schema = jsonSchema(value);
  return { ...schema, examples: [exampleOf(schema)] };
}

/** Bodies are described as they are sent; paths and queries, where everything is text, as what is read from it. */
function jsonSchema(value: unknown, typeMode: 'input' | 'output' = 'input'): Json {
  if (!isSchema(value)) return value as Json;
  // A check by code, as of a time zone, has no form in JSON Schema.
  return { ...toJsonSchema(value, { target: 'openapi-3.0', typeMode, ignoreActions: ['check'] }) };
}

function isSchema(value: unknown): value is v.GenericSchema {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'schema';
}

/** Returns a value that fits a schema of this API. */
function exampleOf(schema: Json): unknown {
  const values = schema['enum'];
  if (Array.isArray(values)) return values[0];
  const description = textOf(schema, 'description');
  switch (schema['type']) {
    case 'object': {
      const properties = Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, Json>>);
      return Object.fromEntries(properties.map(([name, property]) => [name, exampleOf(property)]));
    }
    case 'array':
      return [exampleOf((schema['items'] ?? {}) as Json)];
    case 'boolean':
      return true;
    case 'integer':
    case 'number':
      return description.includes('1970') || description.includes('erased then') ? EXAMPLE_TIME_MS : 1;
    default:
      return exampleText(textOf(schema, 'pattern'), description);
  }
}

function textOf(schema: Json, name: string): string {
  const value = schema[name];
  return typeof value === 'string' ? value : '';
}

function exampleText(pattern: string, description: string): string {
  const hexDigits = /\[0-9a-f\]\{(\d+)\}/.exec(pattern)?.[1];
  if (hexDigits !== undefined) return 'a1'.repeat(Number(hexDigits) / 2);
  const letters = /\[A-Za-z0-9_-\]\{(\d+)\}/.exec(pattern)?.[1];
  if (letters !== undefined) return 'A'.repeat(Number(letters));
  if (pattern !== '') return 'cloud-lied';
  if (description.includes('time zone')) return 'UTC';
  return /base64|signed|claim/.test(description) ? EXAMPLE_BASE64 : 'text';
}
