import { equal, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { Deletion } from '../../protocol/objects/deletion.js';
import { accountId } from '../../protocol/objects/ids.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { MarkOutcome } from '../store/statement-store.js';
import type { ApiContext } from './context.js';
import type { FastifyInstance } from './fastify.js';
import { accountAnswer, accountBody, bytesOf, decoded, deletionsBody, deleteAccountBody, eraseAnswer } from './wire.js';

const security = [{ session: [] }];
/** An account's statements, one for each of its epochs. */
const ACCOUNT_BODY_MAX_BYTES = 1024 * 1024;

/** Deletion in two steps: what an owner marks is hidden at once, and erased when the delay is over unless it is undone. */
export function deletionRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store, suite, clock, sessions, reader, statements, log, deletionDelayMs } = context;

  async function openAll(key: Uint8Array, texts: readonly string[]): Promise<readonly Verified<Deletion>[]> {
    const opened: Verified<Deletion>[] = [];
    for (const text of texts) opened.push(await statements.openDeletion(key, decoded(text)));
    return opened;
  }

  /** @throws SealcamError `foreign` unless the body repeats the account of this session */
  function confirmedAccount(key: Uint8Array, text: string): Uint8Array {
    const account = accountId(suite, key);
    if (!equal(bytesOf(text, 16), account)) {
      throw new SealcamError('foreign', 'the confirmation names another account');
    }
    return account;
  }

  app.post<{ Body: { statements: string[] } }>(
    '/v1/deletions',
    {
      schema: {
        summary: 'Delete ranges of your records by signed statements: hidden at once, erased later',
        security,
        body: deletionsBody,
        response: { 200: eraseAnswer },
      },
    },
    async ({ headers, body }) => {
      const { key } = sessions.of(headers.authorization);
      await reader.requireUnmarked(accountId(suite, key));
      const opened = await openAll(key, body.statements);
      const eraseAtMs = requireMarked(await store.deletions.mark(opened, clock.wallMs() + deletionDelayMs));
      log.info({ account: toHex(accountId(suite, key)), ranges: opened.length, eraseAtMs }, 'records were deleted');
      return { eraseAtMs };
    },
  );

  app.post<{ Body: { statements: string[] } }>(
    '/v1/deletions/undo',
    { schema: { summary: 'Undo deletions before they are erased', security, body: deletionsBody } },
    async ({ headers, body }, reply) => {
      const { key } = sessions.of(headers.authorization);
      await reader.requireUnmarked(accountId(suite, key));
      const opened = await openAll(key, body.statements);
      if (!(await store.deletions.undo(opened, clock.wallMs()))) {
        throw new SealcamError('not-found', 'a statement is not stored here, or it is too late to undo it');
      }
      log.info({ account: toHex(accountId(suite, key)), ranges: opened.length }, 'deletions were undone');
      await reply.status(204).send();
    },
  );

  app.get(
    '/v1/account',
    {
      schema: {
        summary: 'Whether your account is marked for deletion, and when it is erased',
        security,
        response: { 200: accountAnswer },
      },
    },
    async ({ headers }) => {
      const { key } = sessions.of(headers.authorization);
      const [mark] = await store.accounts.marks([accountId(suite, key)]);
      return { deletion: mark === undefined ? null : { eraseAtMs: mark.eraseAtMs } };
    },
  );

  app.delete<{ Body: { account: string; statements: string[] } }>(
    '/v1/account',
    {
      bodyLimit: ACCOUNT_BODY_MAX_BYTES,
      schema: {
        summary: 'Delete your account: nothing is shown from now on, and all is erased later unless it is restored',
        security,
        body: deleteAccountBody,
        response: { 200: eraseAnswer },
      },
    },
    async ({ headers, body }) => {
      const { key } = sessions.of(headers.authorization);
      const account = confirmedAccount(key, body.account);
      const opened = await openAll(key, body.statements);
      // The rows of an account that was erased before hold no claim any longer.
      const rows = (await store.accounts.claims(account)).filter(({ claim }) => claim !== null);
      const nowMs = clock.wallMs();
      // A mark of an account with nothing in it would let strangers fill the table.
      if (rows.length === 0) return { eraseAtMs: nowMs };
      let skipped = 0;
      // Erasing asks again. The alarm comes now, while there is time to look into it.
      for (const row of rows) if (!(await reader.isOwner(key, row))) skipped++;
      const eraseAtMs = requireMarked(await store.accounts.mark(key, opened, nowMs + deletionDelayMs));
      log.warn(
        { account: toHex(account), epochs: rows.length - skipped, skipped, eraseAtMs },
        'an account was marked for deletion',
      );
      return { eraseAtMs };
    },
  );

  app.post<{ Body: { account: string } }>(
    '/v1/account/restore',
    { schema: { summary: 'Undo the deletion of your account before it is erased', security, body: accountBody } },
    async ({ headers, body }, reply) => {
      const { key } = sessions.of(headers.authorization);
      const account = confirmedAccount(key, body.account);
      if (!(await store.accounts.restore(account, clock.wallMs()))) {
        throw new SealcamError('not-found', 'the account is not marked for deletion, or it is too late to undo it');
      }
      log.warn({ account: toHex(account) }, 'the deletion of an account was undone');
      await reply.status(204).send();
    },
  );
}

/** @throws SealcamError `statement-refused` */
function requireMarked(result: MarkOutcome): number {
  if (result.outcome === 'marked') return result.eraseAtMs;
  throw new SealcamError(
    'statement-refused',
    result.outcome === 'full'
      ? 'this epoch holds as many statements of deletion as it can'
      : 'the last record of a range is not stored here, or has another hash',
  );
}
