import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ApiWorld } from '../../../support/worlds/api-world.js';
import { repository } from '../../../support/vectors.js';

interface Content {
  readonly schema?: object;
  readonly example?: unknown;
}

interface Operation {
  readonly security?: readonly object[];
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Content>> };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Readonly<Record<string, Content>> }>
  >;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

async function described(): Promise<{ api: ApiWorld; document: Document }> {
  const api = await ApiWorld.open();
  const answer = await api.app.inject({ url: '/v1/openapi.json' });
  return { api, document: answer.json() };
}

function operations({ paths }: Document): { name: string; method: string; url: string; operation: Operation }[] {
  const [id, hash] = ['a1'.repeat(16), 'a1'.repeat(32)];
  const values: Readonly<Record<string, string>> = { device: hash, epoch: '1', id, period: id, hash };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      url: path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? ''),
      operation,
    })),
  );
}

describe('the OpenAPI description', () => {
  it('of the running server is docs/openapi.json', async () => {
    const { document } = await described();
    expect(JSON.parse(readFileSync(join(repository, 'docs', 'openapi.json'), 'utf8'))).toEqual(document);
    expect(operations(document).length).toBeGreaterThan(20);
  });

  it('has a schema and an example for every body, answer and error', async () => {
    const { document } = await described();
    for (const { name, operation } of operations(document)) {
      const { requestBody, responses } = operation;
      for (const { schema, example } of Object.values(requestBody?.content ?? {})) {
        expect([name, schema, example]).toEqual([name, expect.any(Object), expect.any(Object)]);
      }
      expect([name, Object.keys(responses).some((status) => status.startsWith('2'))]).toEqual([name, true]);
      expect([name, Object.keys(responses)]).toEqual([name, expect.arrayContaining(['429', '503'])]);
      for (const [status, { description, content }] of Object.entries(responses)) {
        expect([name, status, description]).not.toEqual([name, status, 'Default Response']);
        const json = content?.['application/json'];
        if (json !== undefined) expect([name, status, json.example]).toEqual([name, status, expect.any(Object)]);
      }
    }
  });

  it('agrees with what the server answers: the examples have the right form, and each refusal is listed', async () => {
    const { api, document } = await described();
    for (const { name, method, url, operation } of operations(document)) {
      const example = operation.requestBody?.content['application/json']?.example;
      const ask = async (payload: unknown): Promise<{ status: number; code: unknown }> => {
        const answer = await api.app.inject({
          method: method as 'GET',
          url,
          ...(payload === undefined ? {} : { payload: payload as object }),
        });
        const body: { error?: { code: string } } = answer.statusCode >= 400 ? answer.json() : {};
        return { status: answer.statusCode, code: body.error?.code };
      };
      const { status, code } = await ask(example);
      expect([name, Object.keys(operation.responses)]).toEqual([name, expect.arrayContaining([String(status)])]);
      // Ending a session that is over already is no error.
      const isRefused = operation.security !== undefined && name !== 'DELETE /v1/session';
      if (isRefused) expect([name, status, code]).toEqual([name, 401, 'session-refused']);
      if (example === undefined) continue;
      const wrong = await ask({ ...(example as object), unknownField: 1, statements: 7 });
      expect([name, wrong]).toEqual([name, { status: 400, code: 'request-invalid' }]);
      expect(Object.keys(operation.responses)).toContain('400');
    }
  });
});
