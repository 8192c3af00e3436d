import { realClock } from '../../common/adapters/real-clock.js';
import { toHex } from '../../common/bytes.js';
import type { ConfigSource } from '../../common/config/load.js';
import { SealcamError } from '../../common/errors.js';
import { ID_BYTES } from '../../protocol/objects/ids.js';
import { idOf, iso, print, withStore, type OutputOptions } from './operator.js';

export interface ReadsOptions extends OutputOptions {
  readonly all?: boolean;
  readonly account?: string;
}

const SENTENCE_CHARS_MAX = 300;
const CHANGES_SHOWN_MAX = 20;

/**
 * Returns the account that the options name, or null for all. Exactly one of the two options must be given.
 *
 * @throws SealcamError `usage-invalid`
 */
function scopeOf({ all, account }: ReadsOptions): Uint8Array | null {
  if ((all === true) === (account !== undefined)) {
    throw new SealcamError('usage-invalid', 'expected either --all or --account HEX');
  }
  return account === undefined ? null : idOf(account, ID_BYTES, '--account');
}

function nameOf(account: Uint8Array | null): string {
  return account === null ? 'all accounts' : `account ${toHex(account)}`;
}

function jsonOf(account: Uint8Array | null): string {
  return account === null ? 'all' : toHex(account);
}

/** `sealcam-cloud reads pause`: pauses reading from the next read on. Ingest and receipts continue. */
export function pauseCommand(
  source: ConfigSource,
  options: ReadsOptions & { readonly sentence: string },
): Promise<number> {
  const account = scopeOf(options);
  const sentence = options.sentence.trim();
  if (sentence === '' || sentence.length > SENTENCE_CHARS_MAX || /\p{Cc}/u.test(sentence)) {
    throw new SealcamError(
      'usage-invalid',
      `--sentence: expected one line of 1 to ${String(SENTENCE_CHARS_MAX)} characters`,
    );
  }
  return withStore(source, async (store, config) => {
    const sinceMs = realClock.wallMs();
    await store.reads.pause({ account, sentence, sinceMs });
    const folder = config['data.folder'];
    print(
      options,
      { paused: jsonOf(account), since: iso(sinceMs), sentence, folder },
      `Reading is paused for ${nameOf(account)} of ${folder}. Ingest and receipts continue.\nOwners see: ${sentence}`,
    );
  });
}

/** `sealcam-cloud reads resume`: resumes reading. */
export function resumeCommand(source: ConfigSource, options: ReadsOptions): Promise<number> {
  const account = scopeOf(options);
  return withStore(source, async (store) => {
    const atMs = realClock.wallMs();
    const wasPaused = await store.reads.resume(account, atMs);
    const left = (await store.reads.pauses()).length;
    const still = left === 0 ? '' : ` ${String(left)} other pauses are in force; see sealcam-cloud reads status.`;
    print(
      options,
      { resumed: jsonOf(account), at: iso(atMs), was_paused: wasPaused, pauses_left: left },
      `Reading ${wasPaused ? 'is resumed' : 'was not paused'} for ${nameOf(account)}.${still}`,
    );
  });
}

/** `sealcam-cloud reads status`: prints what is paused, and the last changes. */
export function readsStatusCommand(source: ConfigSource, options: OutputOptions): Promise<number> {
  return withStore(source, async (store) => {
    const pauses = await store.reads.pauses();
    const changes = await store.reads.changes(CHANGES_SHOWN_MAX);
    if (options.json) {
      const object = {
        paused: pauses.map(({ account, sentence, sinceMs }) => ({
          account: jsonOf(account),
          since: iso(sinceMs),
          sentence,
        })),
        changes: changes.map(({ atMs, action, account, sentence }) => ({
          at: iso(atMs),
          action,
          account: jsonOf(account),
          sentence,
        })),
      };
      process.stdout.write(`${JSON.stringify(object)}\n`);
      return;
    }
    const lines = [
      pauses.length === 0 ? 'Reading is open for all accounts.' : 'Paused now:',
      ...pauses.map(({ account, sentence, sinceMs }) => `  since ${iso(sinceMs)}  ${nameOf(account)}: ${sentence}`),
      ...(changes.length === 0 ? [] : ['Last changes:']),
      ...changes.map(({ atMs, action, account }) => `  ${iso(atMs)}  ${action.padEnd(6)}  ${nameOf(account)}`),
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  });
}
